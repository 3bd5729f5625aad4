import { OptionError } from "ergodic";
import type { Attributions } from "ergodic/explain";
import { type ColumnPlotOptions, checkedOptions, shortened } from "./explain-options.ts";
import { boundsOf, figure, panel } from "./figure.ts";
import { element, label, line } from "./svg.ts";

const ROW = 30;
const NAMES = 170;
const RADIUS = 2.4;
/** Colours of small and large values, and of missing ones. */
const [SMALL, LARGE, MISSING] = [[0, 114, 178] as const, [213, 94, 0] as const, "#b0b0b0"];

/**
 * Plots attributions as a beeswarm, as SVG text. Each row of the data is a dot per column. Its position is the column's
 * contribution to the margin, and its colour is the rank of the column's value among the rows: blue for small values,
 * orange for large ones, and grey for missing ones. Columns are sorted by mean |contribution|.
 *
 * @param attributions result of `attributions`
 * @throws OptionError for other values, an unknown output and unknown options
 */
export function plotAttributions(attributions: Attributions, options: ColumnPlotOptions = {}): string {
  const where = "plotAttributions";
  const { columns, outputs, rowCount, values } = (attributions ?? {}) as Partial<Attributions>;
  if (!columns || !outputs || !rowCount || !values)
    throw new OptionError(where, "the first argument must be the result of attributions(model, rows)", "OPTION_TYPE");
  const { width, most, output, title } = checkedOptions(where, options, ["most", "output"], outputs.length);
  const of = (j: number): Float64Array =>
    Float64Array.from({ length: rowCount }, (_, i) => values[(i * outputs.length + output) * columns.length + j]);
  const size = (list: Float64Array): number => list.reduce((sum, value) => sum + Math.abs(value), 0);
  const all = columns.map((name, j) => ({ name, j, own: of(j) })).sort((a, b) => size(b.own) - size(a.own));
  const shown = all.slice(0, most);
  const bounds = boundsOf([0, ...shown.flatMap(({ own }) => [...own])]);
  const box = { left: NAMES, top: 10, width: width - NAMES - 30, height: ROW * shown.length };
  const { x, frame } = panel(box, {
    x: bounds,
    y: [0, 1],
    yTicks: 0,
    xLabel: `contribution to the margin of ${outputs[output]}`,
  });
  const body = shown.flatMap(({ name, j, own }, k) => {
    const middle = box.top + ROW * (k + 0.5);
    const ranks = ranksOf(Float64Array.from({ length: rowCount }, (_, i) => attributions.rows[i * columns.length + j]));
    const places = swarm(Array.from(own, x));
    const dots = places.map((offset, i) =>
      element("circle", { cx: x(own[i]), cy: middle + offset, r: RADIUS, fill: colourAt(ranks[i]), "fill-opacity": 0.8 }),
    );
    return [label(NAMES - 8, middle + 4, shortened(name), { "text-anchor": "end" }), ...dots];
  });
  const zero = line(x(0), box.top, x(0), box.top + box.height, { stroke: "#999" });
  const left = all.length - shown.length;
  const notes = [
    "Colour: the column's value, from small (blue) to large (orange); grey if it is missing.",
    ...(left > 0 ? [`${left} more ${left === 1 ? "column contributes" : "columns contribute"} less.`] : []),
  ];
  return figure(title ?? `Contributions in ${rowCount} rows`, width, box.top + box.height + 40, notes, [frame, zero, ...body]);
}

/** Ranks from 0 to 1, NaN for missing values. Equal values share a rank. */
function ranksOf(values: Float64Array): Float64Array {
  const distinct = [...new Set(values)].filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const ranks = new Map(distinct.map((value, k) => [value, distinct.length > 1 ? k / (distinct.length - 1) : 0.5]));
  return values.map((value) => ranks.get(value) ?? NaN);
}

const colourAt = (rank: number): string =>
  Number.isNaN(rank) ? MISSING : `rgb(${SMALL.map((from, c) => Math.round(from + rank * (LARGE[c] - from))).join(",")})`;

/** Moves dots off each other, up and down in turn, within the height of a row. Returns their offsets in pixels. */
function swarm(at: readonly number[]): number[] {
  const used = new Map<number, number>();
  const step = 1.5 * RADIUS;
  const steps = Math.floor((ROW / 2 - RADIUS) / step);
  return at.map((place) => {
    const bin = Math.round(place / (2 * RADIUS));
    const k = used.get(bin) ?? 0;
    used.set(bin, k + 1);
    const level = Math.ceil(k / 2) % (steps + 1);
    return (k % 2 === 1 ? 1 : -1) * level * step;
  });
}
