import type { Draws } from "ergodic";
import { colourOf, figure, isShown, panel } from "./figure.ts";
import { chosenSeries } from "./series.ts";
import { element, label, line } from "./svg.ts";

const MOST = 100;
const ROW = 18;
const PROBABILITIES = [0.05, 0.25, 0.5, 0.75, 0.95] as const;

/**
 * Shows medians, and intervals that contain 50 % and 90 % of the draws. There is one line per number, and all lines
 * share a scale.
 */
export function forest(draws: Draws, { of, width, title }: { of?: readonly string[]; width: number; title?: string }): string {
  const { series, notes } = chosenSeries("plot", draws, of, MOST);
  const rows = series.map(([name, values]) => ({ name, at: quantiles(values) }));
  const longest = Math.max(...rows.map(({ name }) => name.length));
  const left = Math.min(width / 2, 7 * longest + 20);
  const box = { left, top: 4, width: width - left - 20, height: ROW * rows.length };
  const ends = rows.flatMap(({ at }) => at.filter(Number.isFinite));
  const bounds = [Math.min(...ends), Math.max(...ends)] as const;
  const { x, frame } = panel(box, { x: bounds, y: [0, 1], yTicks: 0, xTicks: 6 });
  const zero =
    bounds[0] < 0 && bounds[1] > 0 ? line(x(0), 4, x(0), 4 + box.height, { stroke: "#999", "stroke-dasharray": "3 3" }) : "";
  const body = rows.map(({ name, at: [low, lower, median, upper, high] }, k) => {
    const y = 4 + ROW * (k + 0.5);
    const said = label(left - 8, y + 4, name, { "text-anchor": "end" });
    if (!Number.isFinite(median)) return said;
    return [
      said,
      line(x(low), y, x(high), y, { stroke: colourOf(0), "stroke-width": 1.5 }),
      line(x(lower), y, x(upper), y, { stroke: colourOf(0), "stroke-width": 5 }),
      element("circle", { cx: x(median), cy: y, r: 4, fill: "#fff", stroke: colourOf(0), "stroke-width": 1.5 }),
    ].join("");
  });
  const about = "Circles are medians; thick lines hold 50 %, thin lines 90 % of the draws.";
  return figure(title ?? "Intervals", width, box.height + 30, [about, ...notes], [frame, zero, ...body]);
}

/** Returns quantiles of all draws that are shown. They are interpolated linearly. */
function quantiles(values: Float64Array): number[] {
  const sorted = values.filter(isShown).sort();
  return PROBABILITIES.map((p) => {
    const at = p * (sorted.length - 1);
    const below = Math.floor(at);
    return sorted[below] + (at - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below]);
  });
}
