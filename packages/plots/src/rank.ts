import type { Draws } from "ergodic";
import { colourOf, figure, gridBox, legend, panel } from "./figure.ts";
import { chosenSeries } from "./series.ts";
import { element, line, short } from "./svg.ts";

const MOST = 24;
const ROW = 150;
const BINS = 20;

/**
 * Shows whether the chains agree. Each chain has a histogram of the ranks of its draws among all draws. If the chains
 * have the same distribution, every bin contains equally many draws. If draws are independent, a bin lies within the
 * grey band in 95 of 100 cases.
 *
 * Source: Vehtari, Gelman, Simpson, Carpenter, Bürkner 2021, section 4.1.
 */
export function rank(draws: Draws, { of, width, title }: { of?: readonly string[]; width: number; title?: string }): string {
  const { series, notes } = chosenSeries("plot", draws, of, MOST);
  const columns = series.length > 1 && width >= 600 ? 2 : 1;
  const { chains, count } = draws;
  const bins = Math.max(1, Math.min(BINS, Math.floor(count / 5)));
  const expected = count / bins;
  const spread = 1.96 * Math.sqrt(expected * (1 - 1 / bins));
  const body = series.map(([name, values], k) => {
    const counts = rankCounts(values, chains, bins);
    const most = Math.max(expected + spread, ...counts.flat());
    const box = gridBox(k, { columns, width, rowHeight: ROW });
    const { x, y, frame } = panel(box, { x: [0, 1], y: [0, most * 1.05], title: name });
    const band = element("rect", {
      x: box.left,
      y: y(expected + spread),
      width: box.width,
      height: y(Math.max(0, expected - spread)) - y(expected + spread),
      fill: "#f0f0f0",
    });
    const steps = counts.map((each, c) => {
      const path = each.map(
        (height, b) => `${b === 0 ? "M" : "L"}${short(x(b / bins))},${short(y(height))}H${short(x((b + 1) / bins))}`,
      );
      return element("path", { d: path.join(""), fill: "none", stroke: colourOf(c), "stroke-width": 1.2 });
    });
    return band + frame + line(box.left, y(expected), box.left + box.width, y(expected), { stroke: "#999" }) + steps.join("");
  });
  const names = Array.from({ length: chains }, (_, c) => [`chain ${c + 1}`, colourOf(c)] as const);
  const key = chains <= 8 ? legend(width, names) : "";
  return figure(title ?? "Ranks by chain", width, Math.ceil(series.length / columns) * ROW, notes, [key, ...body]);
}

/** For each chain, counts the draws whose ranks fall into each bin. Equal draws share their mean rank. */
export function rankCounts(values: Float64Array, chains: number, bins: number): number[][] {
  const count = values.length / chains;
  const finite = Uint32Array.from(values.keys()).filter((i) => Number.isFinite(values[i]));
  const order = finite.sort((a, b) => values[a] - values[b] || a - b);
  const counts = Array.from({ length: chains }, () => new Array<number>(bins).fill(0));
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && values[order[to]] === values[order[from]]) to++;
    const bin = Math.min(bins - 1, Math.floor((((from + to) / 2) * bins) / order.length));
    for (let k = from; k < to; k++) counts[Math.floor(order[k] / count)][bin]++;
    from = to;
  }
  return counts;
}
