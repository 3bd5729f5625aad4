import type { Until } from "../../engine/loop/stopping.ts";
import type { Rule } from "../../engine/optimise/kinds.ts";
import type { GivenValues } from "../model/index.ts";

/** Options of `fit` for a statistical model: the search for its posterior's mode. */
export interface ModeOptions {
  /** Step rule that replaces the built-in climb. The rule receives gradients of the full log density. */
  rule?: Rule;
  /** Synonym of `rule`. Only one of the two may be given. */
  algorithm?: Rule;
  /** Maximum number of updates per start, > 0. */
  epochs?: number;
  /** Stopping condition: epochs, updates, seconds or tolerance, whichever comes first. */
  until?: Until;
  /** Starting point of a single start: values by name. Matrices are flat and row-major, or lists of rows. */
  start?: GivenValues;
  /** Number of random starts. The best result is returned. Default 8. */
  starts?: number;
  /** Seed of the starts. Default 0; a whole number >= 0. */
  seed?: number;
  /** Whether the result is bitwise identical on every host. Default false. */
  deterministic?: boolean;
  /** Aborts the run. */
  signal?: AbortSignal;
}
