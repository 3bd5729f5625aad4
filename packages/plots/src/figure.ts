/**
 * Shared parts of all plots: the page with its title and notes, the panels with their axes, and the layout of the
 * panels.
 */
import { type ScaleLinear, scaleLinear } from "d3-scale";
import { element, escaped, label, line } from "./svg.ts";

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

type Scale = ScaleLinear<number, number>;
type Bounds = readonly [number, number];

/** Okabe and Ito's colours, which colour-blind readers can distinguish. */
const colours = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7f7f00", "#000000"];
export const colourOf = (chain: number): string => colours[chain % colours.length];
export const FAINT = "#e4e4e4";
const INK = "#222";
const TITLE = 30;
const NOTE = 16;

/** Largest value that a scale can represent. */
const MOST = 1e300;
/** Smallest range that is drawn. For smaller ranges, ticks and bars cannot be computed. */
export const LEAST = 1e-290;
export const isShown = (value: number): boolean => Math.abs(value) <= MOST;

/** Returns a page. `body` is drawn below the title, at heights from 0 to `height`. */
export function figure(title: string, width: number, height: number, notes: readonly string[], body: readonly string[]): string {
  const whole = Math.ceil(TITLE + height + NOTE * notes.length + 8);
  return element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${width} ${whole}`,
      width,
      height: whole,
      role: "img",
      "font-family": "system-ui, sans-serif",
      "font-size": 11,
      fill: INK,
    },
    element("title", {}, escaped(title)),
    element("rect", { width: "100%", height: "100%", fill: "#fff" }),
    label(8, 20, title, { "font-size": 14, "font-weight": "bold" }),
    element("g", { transform: `translate(0,${TITLE})` }, ...body),
    ...notes.map((note, k) => label(8, TITLE + height + 14 + NOTE * k, note, { fill: "#555" })),
  );
}

/** Returns the box of panel `k` in a grid, with room for its title, ticks and labels. */
export function gridBox(k: number, { columns, width, rowHeight }: { columns: number; width: number; rowHeight: number }): Box {
  const each = width / columns;
  return {
    left: (k % columns) * each + 52,
    top: Math.floor(k / columns) * rowHeight + 18,
    width: each - 78,
    height: rowHeight - 50,
  };
}

export interface Panel {
  readonly x: Scale;
  readonly y: Scale;
  /** Axes, ticks and titles, on top of which marks are drawn. */
  readonly frame: string;
}

export interface PanelOptions {
  readonly x: Bounds;
  readonly y: Bounds;
  readonly title?: string;
  readonly xLabel?: string;
  /** Number of ticks wanted; 0 for none. */
  readonly xTicks?: number;
  readonly yTicks?: number;
}

export function panel(box: Box, { x: xBounds, y: yBounds, title, xLabel, xTicks = 5, yTicks = 4 }: PanelOptions): Panel {
  const { left, top, width, height } = box;
  const [right, bottom] = [left + width, top + height];
  const x = scaleLinear(widened(xBounds), [left, right]);
  const y = scaleLinear(widened(yBounds), [bottom, top]);
  const xAxis = ticksOf(x, xTicks).flatMap(([value, text]) => [
    line(x(value), bottom, x(value), bottom + 4, { stroke: INK }),
    label(x(value), bottom + 15, text, { "text-anchor": "middle" }),
  ]);
  const yAxis = ticksOf(y, yTicks).flatMap(([value, text]) => [
    line(left, y(value), right, y(value), { stroke: FAINT }),
    label(left - 6, y(value) + 4, text, { "text-anchor": "end" }),
  ]);
  const frame = [
    ...yAxis,
    ...xAxis,
    line(left, bottom, right, bottom, { stroke: INK }),
    title === undefined ? "" : label(left, top - 6, title, { "font-weight": "bold" }),
    xLabel === undefined ? "" : label((left + right) / 2, bottom + 28, xLabel, { "text-anchor": "middle" }),
  ].join("");
  return { x, y, frame };
}

function ticksOf(scale: Scale, wanted: number): [value: number, text: string][] {
  if (wanted === 0) return [];
  const text = scale.tickFormat(wanted);
  return scale.ticks(wanted).map((value) => [value, text(value)]);
}

/** Widens a range that is too small for ticks, such as the range of a constant. */
function widened([low, high]: Bounds): [number, number] {
  if (!(low <= high)) return [0, 1];
  if (high - low > LEAST) return [low, high];
  const by = Math.abs(low) * 0.1 > LEAST ? Math.abs(low) * 0.1 : 1;
  return [low - by, high + by];
}

/** Returns the range of the visible values. Returns [Infinity, -Infinity] if there are none. */
export function boundsOf(values: ArrayLike<number>): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (!isShown(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** Returns a legend of chains or kinds, on one line at the top right. */
export function legend(width: number, entries: readonly (readonly [name: string, colour: string])[]): string {
  const sizes = entries.map(([name]) => 7 * name.length + 24);
  let at = width - sizes.reduce((sum, size) => sum + size, 0);
  return entries
    .map(([name, colour], k) => {
      const from = at;
      at += sizes[k];
      return element("rect", { x: from, y: -17, width: 10, height: 10, fill: colour }) + label(from + 14, -8, name);
    })
    .join("");
}
