import type { VariableSummary } from "../../diagnostics/index.ts";
import type { DrawsQuantity } from "../content.ts";
import type { Transitions } from "../trajectories.ts";

/** What is found in draws, and what a subject of the verdict looks at. */
export interface Finding {
  /** "rhat", "ess", "modes", "rareModes", "late", "restarts", "divergences", "treeDepth", "energy", "paretoK", "notFinite", "oneChain", "empty", "few", "stuck", "particles", "tails", "model", "stepBias", "solutions"; of learning on graphs "racing", "islands". */
  readonly code: string;
  /** true: what it is about is biased or unknown; false: slow or worth a look. */
  readonly serious: boolean;
  /** true: worth knowing, but nothing to be careful about; draws of which all findings are notes can be trusted as they are. */
  readonly note?: boolean;
  /** What was found. */
  readonly text: string;
  /** What to do. */
  readonly advice: string;
}

export interface Judged extends Transitions {
  readonly divergences: number;
  readonly report: Readonly<Record<string, number>>;
  readonly quantities: readonly Pick<DrawsQuantity, "name" | "kind">[];
  scalars(): Map<string, Float64Array>;
  summary(): Record<string, VariableSummary>;
}

/** Findings of one subject. `before`: those of the subjects ahead of it in the list of verdict.ts. */
export type Subject = (draws: Judged, before: readonly Finding[]) => Finding[];

/** "a, b, c and 4 more". */
export function few(names: readonly string[]): string {
  const shown = names.slice(0, 3).map((name) => `"${name}"`);
  return names.length > 3 ? `${shown.join(", ")} and ${names.length - 3} more` : shown.join(", ");
}
