import type { Rule } from "../../algorithms/gradient/kinds.ts";
import type { Until } from "../../loop/stopping.ts";

/** The options of a search for a posterior's mode (mode.ts). */
export interface ModeOptions {
  /** Either of the two. */
  rule?: Rule;
  algorithm?: Rule;
  epochs?: number;
  until?: Until;
  /** Values by name. */
  start?: Readonly<Record<string, number | ArrayLike<number>>>;
  /** How many random starts. Default 8. */
  starts?: number;
  seed?: number;
  deterministic?: boolean;
  signal?: AbortSignal;
}
