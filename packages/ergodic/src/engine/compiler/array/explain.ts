import { compileArrays } from "./compile.ts";
import { type Arrays, type FunctionOptions, programOf, type Shapes, traceFunction } from "./function.ts";
import type { ArrayProgram } from "./lowered.ts";
import { printArrays, printLowered } from "./print.ts";
import type { SymbolicArray } from "./symbolic.ts";

/** What the compiler makes of a model or a function, stage by stage, as text. */
export interface Explanation {
  /** The function's own operations, simplified. */
  readonly trace: string;
  /** The same with its derivatives. */
  readonly gradient: string;
  /** Loops and kernels in order. */
  readonly schedule: string;
  /** Where values are kept, and how many bytes they take. */
  readonly memory: string;
  /** Size of the WebAssembly module. */
  readonly code: string;
  /** All stages under their names. */
  toString(): string;
}

/**
 * explain(shapes, f, options): what the compiler makes of a function, stage by stage, as text. `explain(model, data)` of a network: models/neural.
 *
 * trace: the function's own operations, simplified as they were built. gradient: with its derivatives. schedule: loops and
 * kernels in order. memory: the same with the places of values in the block, and its size. code: the size of the module.
 */
export function explain<const S extends Shapes>(
  shapes: S,
  f: (inputs: Arrays<S>) => SymbolicArray | Readonly<Record<string, SymbolicArray>>,
  options: FunctionOptions<S> = {},
): Explanation {
  return explainProgram(programOf(shapes, f, options), traceFunction(shapes, f).outputs);
}

/** `outputs`: what was traced; by itself the program's first output. */
export function explainProgram(
  program: ArrayProgram,
  outputs: Readonly<Record<string, SymbolicArray>> = { [program.outputs[0].buffer]: program.outputs[0].value },
): Explanation {
  const { lowered, plan, bytes } = compileArrays(program, { shared: false });
  const results = program.outputs.map(
    ({ buffer, offset, value }) => [offset === 0 ? buffer : `${buffer}+${offset}`, value] as const,
  );
  const stages = {
    trace: printArrays(outputs),
    gradient: printArrays(Object.fromEntries(results)),
    schedule: printLowered(lowered),
    memory: `${printLowered(lowered, plan)}\n${plan.bytes} bytes`,
    code: `${bytes.length} bytes of WebAssembly`,
  };
  const text = Object.entries(stages).map(([name, stage]) => `${name}\n${stage.replace(/^/gm, "  ")}`);
  return { ...stages, toString: () => text.join("\n\n") };
}
