/** Plots of posterior draws and of explanations as SVG text, made without a DOM, so that they work in Node, browsers and workers. */
import { type Draws, OptionError } from "ergodic";
import { checkKeys, checkNumber } from "ergodic/extend";
import { energy } from "./energy.ts";
import { forest } from "./forest.ts";
import { pairs } from "./pairs.ts";
import { predictive } from "./predictive.ts";
import { rank } from "./rank.ts";
import { trace } from "./trace.ts";

export { plotAttributions } from "./attributions.ts";
export { plotDependence } from "./dependence.ts";
export type { ColumnPlotOptions, ExplainPlotOptions } from "./explain-options.ts";
export { plotImportance } from "./importance.ts";
export { plotTree, treeText } from "./tree.ts";

/** Options of `plot`. */
export interface PlotOptions {
  /**
   * Names of quantities ("theta") or of single numbers ("theta[1]"). Default: all. If there are more numbers than fit
   * on a page, a note states how many are omitted. Not for "energy" and "predictive".
   */
  readonly of?: readonly string[];
  /** Width in pixels. Default 960; a whole number, 240 to 10,000. */
  readonly width?: number;
  /** Title above the picture. */
  readonly title?: string;
  /** Name of the observed data for "predictive". Default: the only observed quantity. */
  readonly observed?: string;
  /** Seed of the replicated data for "predictive". Default 0; a whole number >= 0. */
  readonly seed?: number;
}

const kinds = { trace, rank, pairs, forest, energy, predictive } as const;

/** A kind of plot. */
export type PlotKind = keyof typeof kinds;

/** Kinds of plots that `plot` accepts. */
export const plotKinds = Object.keys(kinds) as readonly PlotKind[];

const ofSeries: readonly PlotKind[] = ["trace", "rank", "pairs", "forest"];

/**
 * Plots draws as SVG text.
 *
 * "trace": the path of each chain. "rank": whether chains agree, judged by ranks. "pairs": every number against every
 * other, with divergences marked. "forest": medians and intervals. "energy": energies and their changes, for
 * Hamiltonian samplers. "predictive": observed against replicated data; needs the model. Draws that are not finite are
 * omitted, and a note states how many there are.
 *
 * @param draws posterior to plot, e.g. the result of `sample`
 * @param kind name of the picture, as listed above
 * @param options quantities to plot (default: all), width in pixels (default 960), title
 * @throws OptionError for an unknown kind, name or option, and for draws without the information needed for the plot
 *
 * @example
 * ```ts
 * await writeFile("pairs.svg", plot(posterior, "pairs", { of: ["mu", "tau"] }));
 * ```
 */
export function plot(draws: Draws, kind: PlotKind, options: PlotOptions = {}): string {
  if (typeof (draws as Partial<Draws> | null)?.scalars !== "function")
    throw new OptionError(
      "plot",
      'draws must be Draws, as sample() or loadDraws() returns them: write plot(posterior, "trace")',
      "OPTION_TYPE",
    );
  if (!Object.hasOwn(kinds, kind))
    throw new OptionError(
      "plot",
      `kind is ${JSON.stringify(kind)}, but must be one of ${plotKinds.join(", ")}`,
      "OPTION_UNKNOWN",
    );
  checkKeys("plot", options, [
    "width",
    "title",
    ...(ofSeries.includes(kind) ? ["of"] : kind === "predictive" ? ["observed", "seed"] : []),
  ]);
  const { of, width = 960, title, seed, observed } = options;
  checkNumber("plot", "width", width, { low: 240, high: 10_000, integer: true });
  if (seed !== undefined) checkNumber("plot", "seed", seed, { low: 0, high: Number.MAX_SAFE_INTEGER, integer: true });
  if (of !== undefined && !(Array.isArray(of) && of.length > 0 && of.every((name) => typeof name === "string")))
    throw new OptionError("plot", 'of must be a list of names: write of: ["mu", "theta[1]"]', "OPTION_TYPE");
  for (const [name, value] of Object.entries({ title, observed }))
    if (value !== undefined && typeof value !== "string")
      throw new OptionError("plot", `${name} must be a text: write ${name}: "…"`, "OPTION_TYPE");
  const given = { of, width, title, seed, observed };
  return kinds[kind](
    draws,
    Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as { width: number },
  );
}
