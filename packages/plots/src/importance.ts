import { OptionError } from "ergodic";
import type { Importance } from "ergodic/explain";
import { brief, type ColumnPlotOptions, checkedOptions, shortened } from "./explain-options.ts";
import { boundsOf, colourOf, figure, panel } from "./figure.ts";
import { element, label, line } from "./svg.ts";

const ROW = 22;
/** Room for the names of columns. */
const NAMES = 170;

const isImportance = (given: Partial<Importance> | null): boolean =>
  typeof given?.column === "string" && Number.isFinite(given.value);

/**
 * Plots the importance of columns as bars, as SVG text. Whiskers show one standard error to each side.
 *
 * @param columns result of `importance`
 * @throws OptionError for an empty list and unknown options
 *
 * @example
 * ```ts
 * await writeFile("importance.svg", plotImportance(importance(model)));
 * ```
 */
export function plotImportance(columns: readonly Importance[], options: Omit<ColumnPlotOptions, "output"> = {}): string {
  const where = "plotImportance";
  const { width, most, title = "Importance of columns" } = checkedOptions(where, options, ["most"]);
  if (!Array.isArray(columns) || columns.length === 0 || !columns.every(isImportance))
    throw new OptionError(where, "columns must be the list that importance() returns: write importance(model)", "OPTION_TYPE");
  const shown = columns.slice(0, most) as readonly Importance[];
  const ends = shown.flatMap(({ value, standardError = 0 }) => [value - standardError, value + standardError]);
  const [low, high] = boundsOf([0, ...ends]);
  const box = { left: NAMES, top: 10, width: width - NAMES - 70, height: ROW * shown.length };
  const { x, frame } = panel(box, { x: [low, high], y: [0, 1], yTicks: 0 });
  const bars = shown.flatMap(({ column, value, standardError }, k) => {
    const middle = box.top + ROW * (k + 0.5);
    const end = x(value + (standardError ?? 0));
    return [
      label(NAMES - 8, middle + 4, shortened(column), { "text-anchor": "end" }),
      element("rect", {
        x: Math.min(x(0), x(value)),
        y: middle - 7,
        width: Math.abs(x(value) - x(0)),
        height: 14,
        fill: colourOf(0),
      }),
      standardError === undefined
        ? ""
        : line(x(value - standardError), middle, end, middle, { stroke: "#222", "stroke-width": 1.5 }),
      label(Math.max(end, x(0)) + 6, middle + 4, brief(value), { fill: "#555" }),
    ];
  });
  const left = columns.length - shown.length;
  const notes = [
    ...(left > 0 ? [`${left} less important ${left === 1 ? "column is" : "columns are"} not shown.`] : []),
    ...(shown.some(({ standardError }) => standardError !== undefined) ? ["Lines show one standard error to each side."] : []),
  ];
  return figure(title, width, box.top + box.height + 26, notes, [frame, ...bars]);
}
