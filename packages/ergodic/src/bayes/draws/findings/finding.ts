import type { Finding } from "../../../engine/errors/finding.ts";
import type { VariableSummary } from "../../../engine/statistics/index.ts";
import type { DrawsQuantity } from "../content.ts";
import type { Transitions } from "../trajectories.ts";

export type { Finding };

/** The parts of draws from which findings are derived. */
export interface Judged extends Transitions {
  readonly divergences: number;
  readonly report: Readonly<Record<string, number>>;
  readonly quantities: readonly Pick<DrawsQuantity, "name" | "kind">[];
  scalars(): Map<string, Float64Array>;
  summary(): Record<string, VariableSummary>;
}

/** Returns the findings of one subject. `before`: findings on the subjects that precede this one in verdict.ts. */
export type Subject = (draws: Judged, before: readonly Finding[]) => Finding[];

/** Formats names as `"a", "b", "c" and 4 more`. */
export function few(names: readonly string[]): string {
  const shown = names.slice(0, 3).map((name) => `"${name}"`);
  return names.length > 3 ? `${shown.join(", ")} and ${names.length - 3} more` : shown.join(", ");
}
