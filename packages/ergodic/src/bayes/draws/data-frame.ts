/**
 * Converts draws to and from columns with one row per draw, for Arrow and other tables. The layout is the same as in
 * `draws_df` of the R package posterior.
 *
 * The first columns are `.chain`, `.iteration` (within its chain) and `.draw` (over all chains), all counted from 1.
 * The transition statistics follow under Stan's names (`lp__`, `divergent__`), then the numbers of every quantity, such
 * as "theta[1]" and "L[2,1]". The first index varies fastest. `header` holds shapes, kinds, description and report, so
 * that the conversion is lossless.
 *
 * Without a header, shapes come from the names, and every quantity is called a parameter. Rows may come in any order.
 *
 * @throws DataError [DRAWS_SHAPE] for chains of unequal lengths or missing iterations; [DRAWS_COLUMNS], [DRAWS_JSON]
 */

import type { JsonObject } from "../../engine/contract/index.ts";
import { holds, refuse } from "../../engine/errors/checks.ts";
import { DataError } from "../../engine/errors/errors.ts";
import { contentOf, type DrawsContent } from "./content.ts";
import { fieldOfLabel, labelOfField } from "./csv.ts";
import { Draws } from "./draws.ts";
import { headerFromJson, headerToJson } from "./json.ts";
import { scalarName, sizeOf } from "./series.ts";
import { columnsOf, quantitiesOf } from "./stan-columns.ts";

/** Draws as a table of columns, one row per draw, in the layout of the R package posterior. */
export interface DrawsFrame {
  /** Columns by name: `.chain`, `.iteration`, `.draw`, transition statistics, quantities. */
  readonly columns: ReadonlyMap<string, Float64Array | Int32Array>;
  /** Information that columns cannot hold: shapes, kinds, the run's description. */
  readonly header?: JsonObject;
}

const CHAIN = ".chain";
const ITERATION = ".iteration";
const DRAW = ".draw";

/** Converts draws to a table of columns. `draws`: a `Draws`. */
export function toDataFrame(draws: { readonly content: DrawsContent }): DrawsFrame {
  const content = contentOf("toDataFrame", draws);
  const { chains, count, quantities, values, fields, transitions } = content;
  const length = chains * count;
  const shapes = new Map(quantities.map(({ name, shape }) => [name, shape]));
  const whole = (of: (k: number) => number): Int32Array => Int32Array.from({ length }, (_, k) => of(k));
  const every = (from: Float64Array, width: number, offset: number): Float64Array =>
    Float64Array.from({ length }, (_, k) => from[k * width + offset]);
  const entries: [string, Float64Array | Int32Array][] = [
    [CHAIN, whole((k) => Math.floor(k / count) + 1)],
    [ITERATION, whole((k) => (k % count) + 1)],
    [DRAW, whole((k) => k + 1)],
    ...fields.map((field, j): [string, Float64Array] => [labelOfField(field), every(transitions, fields.length, j)]),
    ...columnsOf(quantities).map(({ name, offset }): [string, Float64Array] => {
      const shape = shapes.get(name)!;
      return [scalarName(name, shape, offset), every(values[name], sizeOf(shape), offset)];
    }),
  ];
  const columns = new Map(entries);
  if (columns.size === entries.length) return { columns, header: headerToJson(content) };
  throw new DataError("toDataFrame", "two columns would have the same name; rename a quantity or a field", "DRAWS_COLUMNS");
}

/**
 * Builds draws from a table of columns, with or without `.chain` and `.iteration`. @throws DataError for columns that
 * do not fit
 */
export function fromDataFrame(frame: DrawsFrame): Draws {
  if (!(holds(frame, "columns") && frame.columns instanceof Map))
    refuse(
      "fromDataFrame",
      "the frame",
      frame,
      "an object with columns, a Map of lists by name",
      'fromDataFrame({ columns: new Map([["mu", values]]) })',
    );
  const { columns, header } = frame;
  const known = header === undefined ? undefined : headerFromJson(header, "fromDataFrame: header");
  const names = [...columns.keys()].filter((name) => ![CHAIN, ITERATION, DRAW].includes(name));
  const labels = names.filter((name) => fieldOfLabel(name) === undefined);
  const found = quantitiesOf("fromDataFrame", labels);
  const quantities = known?.quantities ?? found.quantities;
  const fields = known?.fields ?? names.map(fieldOfLabel).filter((field) => field !== undefined);
  const numbers = quantities.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  if (numbers > labels.length) {
    const message = `the header names ${numbers} numbers per draw, but there are only ${labels.length} columns for them`;
    throw new DataError("fromDataFrame", `${message}; leave the table unchanged`, "DRAWS_COLUMNS");
  }
  const { chains, order } = rowsByChain(columns, known);
  const column = (label: string): Float64Array | Int32Array => {
    const series = columns.get(label);
    if (series?.length === order.length) return series;
    const given = series
      ? `has ${series.length} rows, but other columns have ${order.length}`
      : "is missing, but the header names it";
    throw new DataError("fromDataFrame", `the column "${label}" ${given}; leave the table unchanged`, "DRAWS_COLUMNS");
  };
  const gather = (target: Float64Array, width: number, offset: number, series: ArrayLike<number>): void => {
    for (let k = 0; k < order.length; k++) target[k * width + offset] = series[order[k]];
  };
  const values: Record<string, Float64Array> = {};
  for (const { name, shape } of quantities) {
    const size = sizeOf(shape);
    values[name] = new Float64Array(order.length * size);
    for (let at = 0; at < size; at++) gather(values[name], size, at, column(labelFor(columns, name, shape, at)));
  }
  const transitions = new Float64Array(order.length * fields.length);
  for (const [j, field] of fields.entries()) gather(transitions, fields.length, j, column(labelOfField(field)));
  return new Draws({
    chains,
    count: order.length / chains,
    quantities,
    values,
    fields,
    transitions,
    description: known?.description ?? { source: "table" },
    report: known?.report ?? {},
  });
}

/** Returns "theta[1]", or "theta.1" if the table comes from another program and uses that form. */
function labelFor(columns: DrawsFrame["columns"], name: string, shape: readonly number[], at: number): string {
  const label = scalarName(name, shape, at);
  if (columns.has(label)) return label;
  const dotted = label.replace(/\[([\d,]+)\]$/, (_, index: string) => `.${index.replaceAll(",", ".")}`);
  return columns.has(dotted) ? dotted : label;
}

/**
 * Returns the table row of each draw, chain after chain. Without `.chain` all rows form one chain; without `.iteration`
 * they keep their order.
 */
function rowsByChain(
  columns: DrawsFrame["columns"],
  header: Pick<DrawsContent, "chains" | "count"> | undefined,
): { chains: number; order: Int32Array } {
  const length = columns.values().next().value?.length ?? 0;
  const chain = columns.get(CHAIN) ?? new Int32Array(length).fill(1);
  const iteration = columns.get(ITERATION) ?? Int32Array.from({ length }, (_, k) => k);
  const order = Int32Array.from({ length }, (_, k) => k).sort(
    (a, b) => chain[a] - chain[b] || iteration[a] - iteration[b] || a - b,
  );
  const chains = new Set(chain).size || (header?.chains ?? 1);
  if (header && header.chains * header.count !== length)
    throw unequal(`there are ${length} rows, but the header names ${header.chains} chains of ${header.count} draws`);
  const count = length / chains;
  const even = order.every((row, k) => chain[row] === chain[order[Math.floor(k / count) * count]]);
  if (!Number.isInteger(count) || !even) throw unequal("the chains have different lengths");
  const twice = order.some((row, k) => k % count > 0 && iteration[row] === iteration[order[k - 1]]);
  if (twice) throw unequal("a chain contains an iteration twice");
  return { chains, order };
}

const unequal = (given: string): DataError =>
  new DataError("fromDataFrame", `${given}; keep all draws, and cut longer chains to the shortest`, "DRAWS_SHAPE");
