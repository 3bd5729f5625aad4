/**
 * A program on arrays → a WebAssembly module that imports `env.memory` and `env.table` and exports `run(block)`: kernels are called through
 * the table, element-wise work and reductions are its own loops.
 *
 * @throws CompileError where the program does not fit together
 */
import { encodeFunction } from "../functions/table.ts";
import { encodeModule, type Signature } from "../machine/encoder.ts";
import type { FunctionTable } from "../machine/instructions.ts";
import { encodeSteps, functionCount } from "./emit/steps.ts";
import type { ArrayProgram, Lowered } from "./lowered.ts";
import { type BlockPlan, planMemory } from "./memory.ts";
import { schedule } from "./schedule.ts";

export interface CompiledArrays {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly lowered: Lowered;
  readonly plan: BlockPlan;
}

export interface ArrayCompileOptions {
  /** Whether `env.memory` is a shared memory. */
  readonly shared: boolean;
  /** The table slot of a kernel: "gemmF32". */
  slot(kernel: string): number;
}

export function compileArrays(program: ArrayProgram, { shared, slot }: ArrayCompileOptions): CompiledArrays {
  const lowered = schedule(program);
  const plan = planMemory(lowered, program.precision);
  const ownCount = functionCount(lowered);
  const called: { name: string; digits: 53 | 24 }[] = [];
  const functions: FunctionTable = (name, digits) => {
    const at = called.findIndex((c) => c.name === name && c.digits === digits);
    return ownCount + (at >= 0 ? at : called.push({ name, digits }) - 1);
  };
  const signatures: Signature[] = [];
  const own = encodeSteps(lowered, plan, { precision: program.precision, functions, slot, signatures }, 0);
  own[own.length - 1] = { ...own[own.length - 1], exportAs: ["run"] };
  const carried = called.map(({ name, digits }) => encodeFunction(name, digits));
  return { bytes: encodeModule([...own, ...carried], { shared, called: signatures }), lowered, plan };
}
