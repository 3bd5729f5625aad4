/**
 * Records the differential equations that a function solves while it is traced, so that a model's draws can report the
 * accuracy of their solutions.
 */
import type { SymbolicArray } from "../../symbolic.ts";

/** Arguments and result of a solution. */
export interface WatchedSolution {
  readonly from: SymbolicArray;
  readonly times: SymbolicArray;
  readonly tolerance: number;
  readonly method: string;
  readonly maxSteps: number;
  readonly states: SymbolicArray;
  readonly steps: SymbolicArray;
  /** Computed on first access. */
  readonly error: SymbolicArray;
}

let watch: ((solution: WatchedSolution) => void) | undefined;

export const noteSolution = (solution: WatchedSolution): void => watch?.(solution);

/** Runs `trace` and calls `look` with each solution. */
export function watchSolutions<T>(look: (solution: WatchedSolution) => void, trace: () => T): T {
  const outer = watch;
  watch = look;
  try {
    return trace();
  } finally {
    watch = outer;
  }
}
