import { OptionError } from "ergodic";
import type { Dependence } from "ergodic/explain";
import { checkedOptions, type ExplainPlotOptions, shortened } from "./explain-options.ts";
import { boundsOf, colourOf, figure, gridBox, legend, panel } from "./figure.ts";
import { element, label, short } from "./svg.ts";

const ROW = 300;
/** Largest number of curves of single rows. */
const CURVES = 100;

/**
 * Plots partial dependence on one column, as SVG text: a line for a number, and dots for a category. Several classes
 * have a colour each. If the result has curves of single rows, up to 100 of them are drawn faintly.
 *
 * @param dependence result of `partialDependence` for one column
 * @throws OptionError for two columns and unknown options
 */
export function plotDependence(dependence: Dependence, options: ExplainPlotOptions = {}): string {
  const where = "plotDependence";
  const { width, title } = checkedOptions(where, options, []);
  const { columns, grid, outputs, values, curves } = (dependence ?? {}) as Dependence;
  if (!grid || columns.length !== 1)
    throw new OptionError(
      where,
      'the first argument must be the result for one column: write partialDependence(model, data, "size")',
      "OPTION_TYPE",
    );
  const points = grid[0];
  const isCategory = typeof points[0] === "string";
  const at = points.map((value, g) => (isCategory ? g : Number(value)));
  const [low, high] = boundsOf(at);
  const box = gridBox(0, { columns: 1, width, rowHeight: ROW });
  const made = panel(box, {
    x: isCategory ? [-0.5, points.length - 0.5] : [low, high],
    y: padded(boundsOf(curves ? [...values, ...curves] : values)),
    xLabel: columns[0],
    xTicks: isCategory ? 0 : 6,
  });
  const lineOf = (list: Float64Array, attributes: Record<string, string | number>): string =>
    element("path", {
      d: at.map((x, g) => `${g === 0 ? "M" : "L"}${short(made.x(x))},${short(made.y(list[g]))}`).join(""),
      fill: "none",
      ...attributes,
    });
  const rows = curves ? curves.length / (outputs.length * points.length) : 0;
  const step = Math.max(1, Math.ceil(rows / CURVES));
  const body = outputs.flatMap((_, k) => {
    const own = values.subarray(k * points.length, (k + 1) * points.length);
    const faint = Array.from({ length: Math.ceil(rows / step) }, (_, r) => {
      const from = (k * rows + r * step) * points.length;
      return lineOf(curves!.subarray(from, from + points.length), { stroke: colourOf(k), "stroke-opacity": 0.15 });
    });
    const dots = isCategory
      ? at.map((x, g) => element("circle", { cx: made.x(x), cy: made.y(own[g]), r: 4, fill: colourOf(k) }))
      : [lineOf(own, { stroke: curves && outputs.length === 1 ? "#222" : colourOf(k), "stroke-width": 2.5 })];
    return [...faint, ...dots];
  });
  const names = isCategory
    ? points.map((name, g) =>
        label(
          made.x(g),
          box.top + box.height + 15,
          shortened(String(name), Math.max(3, Math.floor(box.width / points.length / 7))),
          {
            "text-anchor": "middle",
          },
        ),
      )
    : [];
  const key =
    outputs.length > 1 && outputs.length <= 8
      ? legend(
          width,
          outputs.map((name, k) => [name, colourOf(k)] as const),
        )
      : "";
  const head = title ?? `Mean prediction${outputs.length === 1 ? ` of ${outputs[0]}` : ""} by ${columns[0]}`;
  return figure(head, width, ROW, rows > 0 ? ["Faint lines are predictions of single rows."] : [], [
    key,
    made.frame,
    ...names,
    ...body,
  ]);
}

/** Adds a twentieth of the range at each end. */
function padded([low, high]: readonly [number, number]): [number, number] {
  const by = 0.05 * (high - low);
  return [low - by, high + by];
}
