import { printable } from "../../errors/printable.ts";
import { compileArrays } from "./compile.ts";
import { type Arrays, type FunctionOptions, programOf, type Shapes, traceFunction } from "./function.ts";
import type { ArrayProgram } from "./lowered.ts";
import { printArrays, printLowered } from "./print.ts";
import type { SymbolicArray } from "./symbolic.ts";

/** Compilation stages of a model or a function, as text. */
export interface Explanation {
  /** Operations of the function, simplified. */
  readonly trace: string;
  /** Operations including derivatives. */
  readonly gradient: string;
  /** Loops and kernels in order. */
  readonly schedule: string;
  /** Addresses of values, and their total size in bytes. */
  readonly memory: string;
  /** Size of the WebAssembly module. */
  readonly code: string;
  /** Returns all stages under their names. */
  toString(): string;
}

/**
 * explain(shapes, f, options): returns the compilation stages of a function as text. For the stages of a network, use
 * `explain(model, data)` from models/neural.
 *
 * trace: the function's own operations, simplified as they were built. gradient: the function's operations, including
 * derivatives. schedule: loops and kernels in order. memory: the schedule with the addresses of values in the block,
 * and the block's size. code: the size of the module.
 */
export function explain<const S extends Shapes>(
  shapes: S,
  f: (inputs: Arrays<S>) => SymbolicArray | Readonly<Record<string, SymbolicArray>>,
  options: FunctionOptions<S> = {},
): Explanation {
  return explainProgram(programOf(shapes, f, options), traceFunction(shapes, f).outputs);
}

/** Returns the stages of a program. `outputs`: the traced outputs. Default: the program's first output. */
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
  return printable(stages, () => text.join("\n\n"));
}
