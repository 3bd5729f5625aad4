import type { Draws } from "ergodic";
import { OptionError } from "ergodic";
import { boundsOf, colourOf, figure, panel } from "./figure.ts";
import { barsOf, outline } from "./histogram.ts";
import { chosenSeries } from "./series.ts";
import { element, label, short } from "./svg.ts";

const MOST = 8;
/**
 * Largest number of points per panel. More points would hide each other. This limit keeps a page of 28 panels below a
 * megabyte.
 */
const POINTS = 2000;
const BARS = 24;
const DIVERGENT = "#d55e00";

/**
 * Plots every number against every other number. Points are below the diagonal, histograms are on it, and correlations
 * are above it. Draws at the end of divergent transitions are marked.
 */
export function pairs(draws: Draws, { of, width, title }: { of?: readonly string[]; width: number; title?: string }): string {
  const { series, notes } = chosenSeries("plot", draws, of, MOST);
  if (series.length < 2)
    throw new OptionError(
      "plot",
      `pairs need at least two quantities, but there is ${series.length}; name several with of`,
      "OPTION_LENGTH",
    );
  const n = series.length;
  const each = (width - 60) / n;
  const total = draws.chains * draws.count;
  const shown = Array.from({ length: Math.min(POINTS, total) }, (_, k) => Math.floor((k * total) / Math.min(POINTS, total)));
  const marks = divergent(draws);
  const bounds = series.map(([, values]) => boundsOf(values));
  const cells = series.flatMap(([name, values], row) =>
    series.map(([, across], column) => {
      const box = { left: 50 + column * each + 4, top: row * each + 16, width: each - 12, height: each - 16 };
      const ticks = { xTicks: row === n - 1 ? 3 : 0, yTicks: column === 0 && row > 0 ? 3 : 0 };
      if (row < column) return correlationCell(box, correlation(values, across));
      if (row === column) {
        const bars = barsOf(values, BARS, bounds[row]);
        const made = panel(box, { x: bounds[row], y: [0, Math.max(...bars.density) * 1.05], ...ticks, yTicks: 0, title: name });
        const d = outline(bars, made);
        return made.frame + element("path", { d, fill: colourOf(0), "fill-opacity": 0.6 });
      }
      const made = panel(box, { x: bounds[column], y: bounds[row], ...ticks });
      const dots = (at: readonly number[], colour: string, size: number): string => {
        const d = pointsPath(
          at,
          (i) => made.x(across[i]),
          (i) => made.y(values[i]),
        );
        const look = { stroke: colour, "stroke-width": size, "stroke-linecap": "round", "stroke-opacity": 0.35, fill: "none" };
        return d === "" ? "" : element("path", { d, ...look, ...(colour === DIVERGENT ? { "stroke-opacity": 1 } : {}) });
      };
      return made.frame + dots(shown, colourOf(0), 2) + dots(marks, DIVERGENT, 3);
    }),
  );
  const said = marks.length > 0 ? [`${marks.length} draws after divergent transitions are marked in orange.`] : [];
  const thinned = total > POINTS ? [`Panels show ${POINTS} of ${total} draws, evenly spaced.`] : [];
  return figure(title ?? "Pairs", width, n * each + 24, [...thinned, ...said, ...notes], cells);
}

/** Returns the draws at the ends of divergent transitions. Returns none if the sampler has no divergences. */
function divergent(draws: Draws): number[] {
  if (!draws.fields.includes("divergent")) return [];
  return [...draws.transition("divergent").entries()].flatMap(([i, isDivergent]) => (isDivergent ? [i] : []));
}

/**
 * Draws points as lines of zero length with round ends, because this is the shortest SVG for a point. Each position is
 * written once.
 */
function pointsPath(at: readonly number[], x: (i: number) => number, y: (i: number) => number): string {
  const places = new Set<string>();
  for (const i of at) {
    const [left, top] = [x(i), y(i)];
    if (Number.isFinite(left) && Number.isFinite(top)) places.add(`M${short(left)},${short(top)}h0`);
  }
  return [...places].join("");
}

/** Returns Pearson's correlation of the finite pairs. */
export function correlation(a: Float64Array, b: Float64Array): number {
  let [n, meanA, meanB, aa, bb, ab] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    if (!Number.isFinite(a[i] + b[i])) continue;
    n++;
    const [da, db] = [a[i] - meanA, b[i] - meanB];
    meanA += da / n;
    meanB += db / n;
    aa += da * (a[i] - meanA);
    bb += db * (b[i] - meanB);
    ab += da * (b[i] - meanB);
  }
  return ab / Math.sqrt(aa * bb);
}

function correlationCell(box: { left: number; top: number; width: number; height: number }, r: number): string {
  const strength = Number.isFinite(r) ? Math.abs(r) : 0;
  const text = Number.isFinite(r) ? r.toFixed(2) : "–";
  const look = { "text-anchor": "middle", "font-size": 11 + 9 * strength, "fill-opacity": 0.35 + 0.65 * strength };
  return label(box.left + box.width / 2, box.top + box.height / 2 + 5, text, look);
}
