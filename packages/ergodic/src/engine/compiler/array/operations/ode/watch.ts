/** Solutions of differential equations that a function asks for, seen while it is traced, so that draws of a model can say how good they are. */
import type { SymbolicArray } from "../../symbolic.ts";

/** What was asked for, and what was made of it. */
export interface WatchedSolution {
  readonly from: SymbolicArray;
  readonly times: SymbolicArray;
  readonly tolerance: number;
  readonly method: string;
  readonly maxSteps: number;
  readonly states: SymbolicArray;
  readonly steps: SymbolicArray;
  /** Made where it is asked for. */
  readonly error: SymbolicArray;
}

let watch: ((solution: WatchedSolution) => void) | undefined;

export const noteSolution = (solution: WatchedSolution): void => watch?.(solution);

/** Runs `trace`; `look` is given each solution. */
export function watchSolutions<T>(look: (solution: WatchedSolution) => void, trace: () => T): T {
  const outer = watch;
  watch = look;
  try {
    return trace();
  } finally {
    watch = outer;
  }
}
