import type { Until } from "../../engine/loop/stopping.ts";
import type { Rule } from "../../engine/optimise/kinds.ts";
import type { GivenValues } from "../model/index.ts";

/** Options of `fit` for a statistical model: the search for its posterior's mode. */
export interface ModeOptions {
  /** A step rule on the whole log density, instead of the library's own climb. */
  rule?: Rule;
  /** The same as `rule`; give one of the two. */
  algorithm?: Rule;
  /** Most updates of each start, > 0. */
  epochs?: number;
  /** When to stop: epochs, updates, seconds or tolerance, whichever comes first. */
  until?: Until;
  /** Where one start begins: values by name; those of a matrix flat, row by row, or a list of rows. */
  start?: GivenValues;
  /** Random starts, of which the best is kept. Default 8. */
  starts?: number;
  /** Seed of the starts. Default 0; a whole number >= 0. */
  seed?: number;
  /** Whether the result is the same bits on every host. Default false. */
  deterministic?: boolean;
  /** Aborts the run. */
  signal?: AbortSignal;
}
