/**
 * Plain-text plots of draws for terminals, logs and notebooks, without colours or control characters.
 *
 *   tracePlot(posterior.series("mu"), posterior.chains)   // path of each chain, one strip per chain, on one scale
 *   histogramPlot(posterior.series("mu"))                 // distribution of the draws
 *   rankBars(posterior.series("mu"), posterior.chains)    // whether the chains agree
 *   intervalPlot(posterior.summary({ of: ["theta"] }))    // means and intervals, one line each
 *
 * series: float64[chains · draws] of one number, chain after chain, as `Draws.series` and `scalars` return it. Draws
 * that are not finite are omitted from plots, and counted below them.
 *
 * Source of rank bars: Vehtari, Gelman, Simpson, Carpenter, Bürkner 2021, figure 5.
 *
 * @throws OptionError for sizes that are too small; DataError unless the number of chains divides the number of draws
 */
import { checkKeys, checkNumber } from "../../engine/errors/errors.ts";
import { drawsPerChain } from "../../engine/statistics/chains.ts";
import type { VariableSummary } from "../../engine/statistics/index.ts";
import { averageRanks } from "../../engine/statistics/rank-normal.ts";
import { axis, bars, short, strokes, withMargin } from "./characters.ts";

/** Size of a text plot. */
export interface PlotOptions {
  /** Width of the whole plot in characters. Default 72; a whole number, 24 to 10,000. */
  width?: number;
  /** Height in lines of a strip or of the tallest bar. The default depends on the plot. */
  height?: number;
}

/** Size and bins of a text histogram. */
export interface HistogramOptions extends PlotOptions {
  /** Number of bins. Default: about 2 n^(1/3). */
  bins?: number;
}

const WIDTH = 72;

function sizes(
  where: string,
  { width = WIDTH, height }: PlotOptions,
  least: number,
  usual: number,
): { width: number; height: number } {
  checkNumber(where, "width", width, { low: 24, high: 10_000, integer: true });
  checkNumber(where, "height", height ?? usual, { low: least, high: 10_000, integer: true });
  return { width, height: height ?? usual };
}

/**
 * Draws a strip of `height` (default 4) lines for each chain, with time from left to right. The stroke in a column
 * spans the range of the draws in that column.
 */
export function tracePlot(series: Float64Array, chains: number, options: PlotOptions = {}): string {
  checkKeys("tracePlot", options, ["width", "height"]);
  const { width, height } = sizes("tracePlot", options, 3, 4);
  const count = drawsPerChain("tracePlot", series, chains);
  const [low, high] = finiteBounds(series);
  if (!(low <= high)) return NOTHING;
  const names = Array.from({ length: chains }, (_, c) => `chain ${c + 1}`);
  const margin = Math.max(short(low).length, short(high).length, ...names.map(({ length }) => length));
  const columns = Math.min(count, 2 * (width - margin - 2));
  const lines = names.flatMap((name, c) => {
    const strip = Array.from({ length: columns }, (_, x) => {
      const from = c * count + Math.floor((x * count) / columns);
      const to = c * count + Math.floor(((x + 1) * count) / columns);
      const [least, most] = finiteBounds(series.subarray(from, to));
      return least <= most ? { low: share(least, low, high), high: share(most, low, high) } : undefined;
    });
    const labels = Array.from({ length: height }, (_, y) => (y === 0 ? short(high) : y === height - 1 ? short(low) : ""));
    labels[Math.floor((height - 1) / 2)] = name;
    return withMargin(strokes(strip, height), labels, margin);
  });
  return [...lines, ...axis(margin, Math.ceil(columns / 2), "1", String(count)), ...leftOut(series)].join("\n");
}

/** Draws a histogram with bars up to `height` (default 8) lines high. */
export function histogramPlot(series: Float64Array, options: HistogramOptions = {}): string {
  checkKeys("histogramPlot", options, ["width", "height", "bins"]);
  const { width, height } = sizes("histogramPlot", options, 1, 8);
  const [low, high] = finiteBounds(series);
  if (!(low <= high)) return NOTHING;
  const room = width - String(series.length).length - 2;
  const { bins = Math.min(room, Math.max(10, Math.round(2 * Math.cbrt(series.length)))) } = options;
  checkNumber("histogramPlot", "bins", bins, { low: 1, high: room, integer: true });
  const counts = histogram(series, low, high, bins);
  const most = Math.max(...counts);
  const wide = Math.floor(room / bins);
  const labels = Array.from({ length: height }, (_, y) => (y === 0 ? String(most) : ""));
  const drawn = bars(
    counts.map((count) => count / most),
    height,
    wide,
  );
  const margin = String(most).length;
  return [...withMargin(drawn, labels, margin), ...axis(margin, wide * bins, short(low), short(high)), ...leftOut(series)].join(
    "\n",
  );
}

/**
 * Draws a rank histogram for each chain. Ranks among all draws are grouped into `bins` (default 20) bins, from low to
 * high. A bar of full height (`height` lines) represents twice the expected count. If the bars are even, the chains
 * agree. If a chain's bars form a slope or a hill, the chains do not agree.
 */
export function rankBars(series: Float64Array, chains: number, options: HistogramOptions = {}): string {
  checkKeys("rankBars", options, ["width", "height", "bins"]);
  const { width, height } = sizes("rankBars", options, 1, 1);
  const count = drawsPerChain("rankBars", series, chains);
  const margin = `chain ${chains}`.length;
  const room = width - margin - 2;
  const { bins = Math.min(20, room, count) } = options;
  checkNumber("rankBars", "bins", bins, { low: 1, high: room, integer: true });
  const ranks = averageRanks(series);
  const wide = Math.floor(room / bins);
  const expected = count / bins;
  const lines = Array.from({ length: chains }, (_, c) => {
    const counts = new Array<number>(bins).fill(0);
    for (const rank of ranks.subarray(c * count, (c + 1) * count))
      if (!Number.isNaN(rank)) counts[Math.min(bins - 1, Math.floor(((rank - 0.5) / series.length) * bins))]++;
    const labels = Array.from({ length: height }, (_, y) => (y === height - 1 ? `chain ${c + 1}` : ""));
    return withMargin(
      bars(
        counts.map((n) => n / (2 * expected)),
        height,
        wide,
      ),
      labels,
      margin,
    );
  });
  const legend = `${" ".repeat(margin + 2)}low ranks to high; half a line is the expected count, ${short(expected)}`;
  return [...lines.flat(), height === 1 ? legend : legend.replace("half a line", `half of ${height} lines`)].join("\n");
}

/**
 * Draws a line from the first to the last quantile for each row of a summary. ● marks the mean, and ┊ marks 0.
 */
export function intervalPlot(
  rows: Readonly<Record<string, VariableSummary>>,
  options: {
    /** Width of the whole plot in characters. Default 72; a whole number, 24 to 10,000. */
    width?: number;
  } = {},
): string {
  checkKeys("intervalPlot", options, ["width"]);
  const { width } = sizes("intervalPlot", options, 1, 1);
  const entries = Object.entries(rows).map(([name, { mean, quantiles }]) => {
    const ends = Object.values(quantiles);
    return { name, mean, low: Math.min(...ends), high: Math.max(...ends) };
  });
  const [low, high] = finiteBounds(Float64Array.from(entries.flatMap((row) => [row.mean, row.low, row.high])));
  if (!(low <= high)) return NOTHING;
  const margin = entries.reduce((most, { name }) => Math.max(most, name.length), 0);
  const room = Math.max(10, width - margin - 2);
  const at = (value: number): number => Math.round(share(value, low, high) * (room - 1));
  const lines = entries.map((row) => {
    const line = new Array<string>(room).fill(" ");
    if (low <= 0 && high >= 0) line[at(0)] = "┊";
    if (![row.mean, row.low, row.high].every(Number.isFinite)) return "not finite";
    line.fill("─", at(row.low), at(row.high) + 1);
    line[at(row.mean)] = "●";
    return line.join("");
  });
  return [
    ...withMargin(
      lines,
      entries.map(({ name }) => name),
      margin,
    ),
    ...axis(margin, room, short(low), short(high)),
  ].join("\n");
}

const NOTHING = "there are no finite draws";

function leftOut(series: Float64Array): string[] {
  const count = series.reduce((sum, value) => sum + (Number.isFinite(value) ? 0 : 1), 0);
  return count === 0 ? [] : [`${count} of ${series.length} draws are not finite`];
}

/** Counts the finite values in each of `bins` equal parts of the range low … high. */
export function histogram(series: Float64Array, low: number, high: number, bins: number): number[] {
  const counts = new Array<number>(bins).fill(0);
  for (const value of series)
    if (value >= low && value <= high) counts[Math.min(bins - 1, Math.floor(share(value, low, high) * bins))]++;
  return counts;
}

/**
 * Relative position of a value between low (0) and high (1); 0.5 if both are equal. Values are halved first, because
 * the range can exceed the largest float64.
 */
function share(value: number, low: number, high: number): number {
  return high > low ? (value / 2 - low / 2) / (high / 2 - low / 2) : 0.5;
}

/** Smallest and largest finite value; [Infinity, −Infinity] if there are none. */
export function finiteBounds(series: Float64Array): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of series) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}
