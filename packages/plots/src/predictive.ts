import type { Draws } from "ergodic";
import { OptionError } from "ergodic";
import { boundsOf, colourOf, figure, gridBox, legend, panel } from "./figure.ts";
import { curve, kernelDensity } from "./histogram.ts";
import { element, line } from "./svg.ts";

const ROW = 280;
/** Number of replications that are drawn individually. */
const CURVES = 50;
/**
 * Number of bins for whole numbers. Up to this number of different values, each value has its own bin. If there are
 * more values, several values share a bin.
 */
const PLACES = 40;
/** Margin on both sides of the observed values, relative to their range. */
const ROOM = 0.35;

/**
 * Observed data against replicated data. If the data are real numbers, the plot shows densities. If the data are whole
 * numbers, the plot shows the frequency of each number, or of each bin if there are many numbers. The intervals show
 * the frequencies in 90 % of replications.
 */
export function predictive(
  draws: Draws,
  { observed: name, seed = 0, width, title }: { observed?: string; seed?: number; width: number; title?: string },
): string {
  // predict() refuses draws without their model and tells the user what to do.
  const made = draws.predict({ seed });
  const all = draws.content.source!.observed();
  const names = Object.keys(all);
  const chosen = name ?? names[0];
  if (!names.includes(chosen) || (name === undefined && names.length > 1)) {
    const given = name === undefined ? `${names.length} quantities were observed` : `${JSON.stringify(name)} was not observed`;
    throw new OptionError(
      "plot",
      `${given}; name one of them with observed: ${names.join(", ") || "there is none"}`,
      "OPTION_UNKNOWN",
    );
  }
  const values = all[chosen];
  const replicated = made.draws(chosen);
  const each = Array.from({ length: draws.chains * draws.count }, (_, k) =>
    replicated.subarray(k * values.length, (k + 1) * values.length),
  );
  const whole = values.every(Number.isInteger) && replicated.every(Number.isInteger);
  const box = gridBox(0, { columns: 1, width, rowHeight: ROW });
  const parts = whole ? counted(values, each, replicated, box) : densities(values, each, replicated, box);
  const key = legend(width, [
    ["observed", "#000"],
    ["replicated", colourOf(0)],
  ]);
  return figure(title ?? `Observed and replicated ${chosen}`, width, ROW, parts.notes, [key, ...parts.body]);
}

type Part = { readonly body: readonly string[]; readonly notes: readonly string[] };
type Box = ReturnType<typeof gridBox>;

function densities(values: Float64Array, each: readonly Float64Array[], replicated: Float64Array, box: Box): Part {
  const step = Math.max(1, Math.floor(each.length / CURVES));
  const shown = each.filter((_, k) => k % step === 0).slice(0, CURVES);
  const [low, high] = boundsOf(values);
  const room = ROOM * (high - low || 1);
  // Curves end at 0 if no value is below 0.
  const ends = low - room < 0 && low >= 0 && !replicated.some((value) => value < 0);
  const bounds = [ends ? 0 : low - room, high + room] as const;
  const densityOf = (list: Float64Array) => kernelDensity(list, bounds, { reflected: ends });
  const lines = [...shown.map(densityOf), densityOf(values)];
  const most = Math.max(...lines.flatMap((points) => points.map(([, height]) => height)));
  const made = panel(box, { x: bounds, y: [0, 1.05 * most], yTicks: 0 });
  const paths = lines.map((points, k) => {
    const isObserved = k === shown.length;
    const look = isObserved ? { stroke: "#000", "stroke-width": 2 } : { stroke: colourOf(0), "stroke-opacity": 0.3 };
    return element("path", { d: curve(points, made), fill: "none", ...look });
  });
  return { body: [made.frame, ...paths], notes: [`${shown.length} of ${each.length} replications, as densities.`] };
}

function counted(values: Float64Array, each: readonly Float64Array[], replicated: Float64Array, box: Box): Part {
  const { low, size, count } = placesOf(boundsOf(values), boundsOf(replicated));
  const places = Array.from({ length: count }, (_, k) => low + k * size + (size - 1) / 2);
  const countsOf = (list: Float64Array): number[] => {
    const counts = places.map(() => 0);
    for (const value of list) if (value >= low && value < low + count * size) counts[Math.floor((value - low) / size)]++;
    return counts;
  };
  const observed = countsOf(values);
  const all = each.map(countsOf);
  const bands = places.map((place, k): [number, number, number] => {
    const sorted = Float64Array.from(all, (counts) => counts[k]).sort();
    return [place, sorted[Math.floor(0.05 * (sorted.length - 1))], sorted[Math.ceil(0.95 * (sorted.length - 1))]];
  });
  const most = Math.max(...observed, ...bands.map(([, , upper]) => upper));
  const made = panel(box, { x: [low - 0.5, low + count * size - 0.5], y: [0, 1.05 * most], xTicks: Math.min(10, places.length) });
  const ranges = bands.map(([place, lower, upper]) =>
    line(made.x(place), made.y(lower), made.x(place), made.y(upper), {
      stroke: colourOf(0),
      "stroke-width": 6,
      "stroke-opacity": 0.5,
    }),
  );
  const dots = observed.map((count, k) => element("circle", { cx: made.x(places[k]), cy: made.y(count), r: 3, fill: "#000" }));
  return {
    body: [made.frame, ...ranges, ...dots],
    notes: [
      `${size === 1 ? "Bars hold" : `Each bar covers ${size} values, and holds`} 90 % of the replications' counts; dots are observed counts.`,
    ],
  };
}

/**
 * Bins for whole numbers. There are `count` bins, each of which contains `size` numbers, and the first begins at `low`.
 * If there are few numbers, the bins cover the observed range. If there are many numbers, the bins also cover a margin
 * around this range, as far as replications reach.
 */
function placesOf(
  [low, high]: readonly [number, number],
  [least, most]: readonly [number, number],
): { low: number; size: number; count: number } {
  if (high - low < PLACES) return { low, size: 1, count: high - low + 1 };
  const room = Math.round(ROOM * (high - low));
  const from = Math.min(low, Math.max(least, low - room));
  const all = Math.max(high, Math.min(most, high + room)) - from + 1;
  const size = Math.ceil(all / PLACES);
  return { low: from, size, count: Math.ceil(all / size) };
}
