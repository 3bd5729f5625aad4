import { line as lines } from "d3-shape";
import type { Draws } from "ergodic";
import { boundsOf, colourOf, figure, gridBox, isShown, legend, panel } from "./figure.ts";
import { chainOf, chosenSeries } from "./series.ts";
import { element, short } from "./svg.ts";

const MOST = 24;
const ROW = 150;

/**
 * Shows the path of each chain. There is one panel per number, in which each chain is a line of draws from left to
 * right.
 */
export function trace(draws: Draws, { of, width, title }: { of?: readonly string[]; width: number; title?: string }): string {
  const { series, notes } = chosenSeries("plot", draws, of, MOST);
  const columns = series.length > 1 && width >= 600 ? 2 : 1;
  const { chains, count } = draws;
  const body = series.map(([name, values], k) => {
    const box = gridBox(k, { columns, width, rowHeight: ROW });
    const { x, y, frame } = panel(box, { x: [1, Math.max(2, count)], y: boundsOf(values), title: name });
    const drawn = lines<readonly [number, number]>()
      .defined(([, value]) => isShown(value))
      .x(([i]) => Number(short(x(i + 1))))
      .y(([, value]) => Number(short(y(value))));
    const paths = Array.from({ length: chains }, (_, c) => {
      const points = thinned(chainOf(values, c, count), 2 * Math.ceil(box.width));
      return element("path", { d: drawn(points) ?? "", fill: "none", stroke: colourOf(c), "stroke-width": 0.8 });
    });
    return frame + paths.join("");
  });
  const names = Array.from({ length: chains }, (_, c) => [`chain ${c + 1}`, colourOf(c)] as const);
  const rows = Math.ceil(series.length / columns);
  const key = chains > 1 && chains <= 8 ? legend(width, names) : "";
  return figure(title ?? "Traces", width, rows * ROW, notes, [key, ...body]);
}

/**
 * Reduces a series to about `most` points: the smallest and the largest value of each segment, so that no excursion is
 * lost.
 */
function thinned(values: Float64Array, most: number): (readonly [number, number])[] {
  if (values.length <= most) return Array.from(values, (value, i) => [i, value] as const);
  const stretches = Math.floor(most / 2);
  const points: (readonly [number, number])[] = [];
  for (let s = 0; s < stretches; s++) {
    const [from, to] = [s, s + 1].map((k) => Math.floor((k * values.length) / stretches));
    let [low, high] = [from, from];
    for (let i = from; i < to; i++) {
      if (!(values[low] <= values[i])) low = i;
      if (!(values[high] >= values[i])) high = i;
    }
    for (const i of low < high ? [low, high] : [high, low]) points.push([i, values[i]]);
  }
  return points;
}
