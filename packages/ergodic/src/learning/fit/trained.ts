import { brief, findingLines, printable } from "../../engine/errors/printable.ts";
import type { RunSummary } from "../../engine/loop/run.ts";

/**
 * Information about the training of a model. `gap` is the certified duality gap, if the algorithm computes one. The gap
 * is relative to the null model's loss. For dual ascent, it is relative to the objective.
 */
export interface Trained {
  /** Summary of the run. */
  readonly run: RunSummary;
  /** Relative duality gap at the end, if the algorithm certifies one. */
  readonly gap?: number;
}

/** Adds a run's summary to a predictor. The predictor's text then has a line about its training, and the findings. */
export function trained<P extends object>(predictor: P, run: RunSummary, gap?: number): P & Trained {
  const own = predictor.toString;
  return printable(Object.assign(predictor, { run }, gap === undefined ? {} : { gap }), (made) => {
    const { updates, epochs, seconds, loss, reason, findings } = made.run;
    const facts = [`${updates} updates`, `${brief(epochs)} epochs`, `${seconds.toFixed(2)} s`];
    if (Number.isFinite(loss)) facts.push(`loss ${brief(loss)}`);
    if (made.gap !== undefined) facts.push(`gap ${made.gap.toPrecision(2)}`);
    return [own.call(made), `trained: ${facts.join(", ")}; ${reason}`, ...findingLines(findings)].join("\n");
  });
}
