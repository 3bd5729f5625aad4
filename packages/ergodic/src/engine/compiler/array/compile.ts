/**
 * Compiles an array program to a WebAssembly module that imports `env.memory` and the kernels that it calls, and
 * exports `run(block)`. Loops for element-wise work and reductions are part of the module.
 *
 * @throws CompileError if the program is inconsistent; MemoryLimitError if its values exceed the engine's memory
 */
import { checkRoom, MOST_ENGINE } from "../../memory/room.ts";
import { encodeFunction } from "../functions/known.ts";
import { checkSize, encodeModule } from "../machine/encoder.ts";
import type { FunctionTable } from "../machine/instructions.ts";
import { encodeSteps, functionCount, kernelsOf } from "./emit/steps.ts";
import type { ArrayProgram, Lowered } from "./lowered.ts";
import { type BlockPlan, planMemory } from "./memory.ts";
import { schedule } from "./schedule-steps.ts";

export interface CompiledArrays {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly lowered: Lowered;
  readonly plan: BlockPlan;
  /** Whether it imports kernels. */
  readonly callsKernels: boolean;
}

export interface ArrayCompileOptions {
  /** Whether `env.memory` is a shared memory. */
  readonly shared: boolean;
}

export function compileArrays(program: ArrayProgram, { shared }: ArrayCompileOptions): CompiledArrays {
  const lowered = schedule(program);
  const plan = planMemory(lowered, program.precision);
  // Beyond this limit, addresses would not fit into 32 bits.
  checkRoom(program.name, "the values of the program", plan.bytes, MOST_ENGINE);
  const imports = kernelsOf(lowered, program.precision);
  const numbers = new Map(imports.map(({ name }, i) => [name, i]));
  const before = imports.length + functionCount(lowered);
  const called: { name: string; digits: 53 | 24 }[] = [];
  const functions: FunctionTable = (name, digits) => {
    const at = called.findIndex((c) => c.name === name && c.digits === digits);
    return before + (at >= 0 ? at : called.push({ name, digits }) - 1);
  };
  const kernel = (name: string): number => numbers.get(name)!;
  const own = encodeSteps(lowered, plan, { precision: program.precision, functions, kernel }, imports.length);
  own[own.length - 1] = { ...own[own.length - 1], exportAs: ["run"] };
  const carried = called.map(({ name, digits }) => encodeFunction(name, digits));
  checkSize(program.name, own);
  const bytes = encodeModule([...own, ...carried], { shared, imports });
  return { bytes, lowered, plan, callsKernels: imports.length > 0 };
}
