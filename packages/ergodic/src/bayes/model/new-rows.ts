/**
 * Predicts new rows of data from draws of a model's parameters.
 *
 * The model's function runs once more on the data of one row, with all other data unchanged. This run yields the
 * distributions of the observed values, given the row and the parameters.
 *
 * Parameters enter as constrained values, so that bounds and scales derived from all rows stay the same. A test checks
 * that the distributions of a row do not depend on which other rows are present. If they depend on other rows, the
 * model cannot predict single rows.
 *
 * @throws CapabilityError [MODEL_ROWS], [DRAWS_DEPENDENT] for models whose rows depend on each other; OptionError for
 *   `rows`
 */

import { substituteArrays } from "../../engine/compiler/array/substitute.ts";
import { arraysBelow, input, interpret, type SymbolicArray, shapeText, sizeOf } from "../../engine/compiler/index.ts";
import { CapabilityError, ErgodicError, OptionError } from "../../engine/errors/errors.ts";
import { openEngine } from "../../engine/memory/engine.ts";
import { RepeatedDraws } from "../../engine/random/repeated-draws.ts";
import { stream } from "../../engine/random/stream.ts";
import { Distribution } from "../distributions/value.ts";
import type { TracedModel, TracedObservation } from "./context.ts";
import { familiesOfModel } from "./kernels-needed.ts";
import { type Output, type RowModel, RowPredictions } from "./row-predictions.ts";
import { RowPrograms } from "./row-programs.ts";
import { fieldsBelow, inputOf, RowFields } from "./rows.ts";

/**
 * Draws of a model. `points`: unconstrained numbers; `values`: parameter values by name. Both are concatenated draw
 * after draw.
 */
export interface DrawnModel {
  readonly name: string;
  readonly traced: TracedModel;
  readonly deterministic: boolean;
  readonly points: Float64Array;
  readonly values: Readonly<Record<string, Float64Array>>;
}

export interface NewRowsOptions {
  readonly seed: number;
  readonly draws?: number;
  readonly rows?: string;
}

const WHERE = "predictor";
const TRIAL_ROWS = 8;
const TRIAL_DRAWS = 3;
const TOLERANCE = 1e-9;

export async function newRows(drawn: DrawnModel, { seed, draws, rows: asked }: NewRowsOptions): Promise<RowPredictions> {
  const { name, traced, deterministic } = drawn;
  const fields = new RowFields(WHERE, rowsOf(traced, asked), traced, refusal);
  const all = drawn.points.length / traced.dimension;
  const chosen = evenly(all, draws === undefined ? all : Math.min(draws, all));
  const one = modelOf(fields, traced, [0]);
  const inputs = new Map([...drawInputs(drawn, chosen), ...freshInputs(one.traced, traced, seed, chosen)]);
  tryOut(traced, one, fields, inputs, chosen.length);
  const engine = await openEngine({ deterministic, families: ["sampling", ...familiesOfModel(traced)] });
  const arrays = arraysOf(one, traced);
  const read = new Set(fieldsBelow([...arrays, ...one.indices.map(({ indices }) => indices)]));
  const wanted = [...fields.widths].filter(([field]) => read.has(field));
  const programs = new RowPrograms(engine, {
    ...{ name, deterministic, arrays, draws: inputs, drawCount: chosen.length, data: one.traced.data },
    rows: new Map(wanted.map(([field, width]) => [inputOf(field), width])),
  });
  const noise = stream(seed, "predict");
  return new RowPredictions(programs, one, {
    fields: wanted.map(([field]) => field),
    ofRows: fields.keys,
    noise: chosen.map((k) => new RepeatedDraws(noise, k)),
    reading: traced.newRows,
  });
}

const refusal = (message: string): CapabilityError => new CapabilityError(WHERE, message, "MODEL_ROWS");

/** Returns the name of the size that counts rows, which is the first extent of the observed data. */
function rowsOf({ observed, replicated, marginal, fields }: TracedModel, asked: string | undefined): string {
  const names = [...observed, ...marginal].map(({ name }) => `"${name}"`).join(", ");
  if (replicated.length > 0 && observed.length === 0)
    throw refusal(
      `${names} share hidden states, and rows with several values of one state cannot be predicted; draw all values again with predict()`,
    );
  if (observed.length === 0)
    throw refusal(
      names === ""
        ? "the model observes nothing, so there is nothing to predict: write the likelihood with observe()"
        : `the terms of ${names} do not say which value they are of; give marginalise() distributions and { value: y }`,
    );
  if (asked !== undefined) return asked;
  const firsts = new Set(fieldsBelow(observed.map(({ value }) => value)).map((field) => fields.get(field)!.extents[0]));
  const [first] = firsts;
  if (firsts.size === 1 && typeof first === "string") return first;
  if (firsts.size > 1)
    throw new OptionError(
      WHERE,
      `the observations have several sizes (${[...firsts].join(", ")}); name the one that counts rows, as in rows: "${String(first)}"`,
      "OPTION_MEANING",
    );
  throw refusal(
    `the observations (${names}) are not a list of data with a named size, so there are no rows; write y: vector("N") for data with a value per row`,
  );
}

/** Returns `count` evenly spaced numbers from 0 … all − 1. */
const evenly = (all: number, count: number): number[] => Array.from({ length: count }, (_, i) => Math.floor((i * all) / count));

const valueKey = (parameter: string): string => `value ${parameter}`;

/**
 * Inputs of a draw: parameter values and their unconstrained counterparts, which simplified expressions can refer to.
 */
function drawInputs({ traced, points, values }: DrawnModel, chosen: readonly number[]): Map<string, Float64Array> {
  const inputs = new Map<string, Float64Array>();
  for (const { name, shape, offset, unconstrained } of traced.parameters) {
    const pick = (from: Float64Array, stride: number, size: number, at = 0): Float64Array => {
      const some = new Float64Array(chosen.length * size);
      chosen.forEach((k, s) => {
        some.set(from.subarray(k * stride + at, k * stride + at + size), s * size);
      });
      return some;
    };
    inputs.set(valueKey(name), pick(values[name], sizeOf(shape), sizeOf(shape)));
    inputs.set(`u ${name}`, pick(points, traced.dimension, unconstrained.size, offset));
  }
  return inputs;
}

/**
 * Draws the parameters that exist only for new rows from their priors. Each draw has one value, which is the same for
 * every row.
 */
function freshInputs(
  { parameters }: TracedModel,
  whole: TracedModel,
  seed: number,
  chosen: readonly number[],
): Map<string, Float64Array> {
  const fresh = parameters.slice(whole.parameters.length).map(({ name, unconstrained, nonCentred }): [string, Float64Array] => {
    const draws = stream(seed, "fresh", name);
    const { size, shape } = unconstrained;
    const values = new Float64Array(chosen.length * size);
    for (const [s, k] of chosen.entries()) values.set(nonCentred!.standard.sample(draws.at(k), { batch: shape }), s * size);
    return [`u ${name}`, values];
  });
  return new Map(fresh);
}

function modelOf(fields: RowFields, whole: TracedModel, list: readonly number[]): RowModel {
  const { rows, keys } = fields;
  const traced = onRows(fields, whole, list);
  for (const [i, { name, shape }] of traced.parameters.entries()) {
    const own = whole.parameters[i];
    if (!own && whole.newRows) continue;
    if (own?.name === name && String(own.shape) === String(shape)) continue;
    throw refusal(
      `the parameter "${name}" has shape ${own ? shapeText(own.shape) : "none"} on all rows, but ${shapeText(shape)} on ${list.length} of them: it has a value for each row, and new rows have none; draw it in the model, or group rows by an index, as in take(effects, group)`,
    );
  }
  const ofRows = (roots: readonly SymbolicArray[]): boolean => fieldsBelow(roots).some((field) => keys.has(inputOf(field)));
  const outputs = traced.observed
    .filter(({ value, distribution, batch }) => ofRows([value, ...distribution.sampler(batch).arrays]))
    .map((observation) => outputOf(observation, list.length));
  if (outputs.length === 0)
    throw refusal(
      `no observation has rows of size "${rows}"; name the size of the values to predict by rows: "…", and observe their data`,
    );
  const indices = traced.taken.filter(({ indices }) => ofRows([indices]) && !isOfDraw(indices));
  return { traced, outputs, indices };
}

const isOfDraw = (array: SymbolicArray): boolean =>
  arraysBelow([array]).some(({ op, attributes }) => op === "input" && String(attributes).startsWith("u "));

function onRows(fields: RowFields, whole: TracedModel, list: readonly number[]): TracedModel {
  try {
    return (whole.newRows ?? whole).again(fields.dataOf(list));
  } catch (cause) {
    if (!(cause instanceof ErgodicError)) throw cause;
    const what = list.length === 1 ? "one row" : `${list.length} rows`;
    throw new CapabilityError(
      WHERE,
      `the model cannot be built for ${what} of "${fields.rows}": ${cause.where}: ${cause.said}. Rows that are predicted one by one must not read other rows, and their values must come from data()`,
      "MODEL_ROWS",
      { cause },
    );
  }
}

function outputOf({ name, value, shape, distribution, batch, chained }: TracedObservation, count: number): Output {
  if (chained || !(distribution instanceof Distribution)) throw dependent(name, "it is a hidden Markov chain");
  if (isOfDraw(value))
    throw refusal(
      `the value of the observation "${name}" depends on parameters, so draws of it are not data; observe the data, with the parameters in their distribution`,
    );
  if (batch[0] !== count || shape[0] !== count)
    throw refusal(
      `"${name}" has shape ${shapeText(shape)} for ${count} rows, or is a single value for all of them; observe values with the rows as their first axis`,
    );
  const reader = distribution.reader(batch);
  return { name, shape: shape.slice(1), distribution, reader, elements: sizeOf(batch) / count };
}

const dependent = (name: string, why: string): CapabilityError =>
  new CapabilityError(
    WHERE,
    `the distribution of "${name}" in a row depends on other rows: ${why}, but a new row comes alone; give what it needs from other rows as data (such as the previous value as a field), or draw it as a generated quantity of the model`,
    "DRAWS_DEPENDENT",
  );

/** Arrays of all outputs as functions of the parameters' values. */
function arraysOf({ traced, outputs }: RowModel, whole: TracedModel): SymbolicArray[] {
  const drawn = traced.parameters.slice(0, whole.parameters.length);
  const values = new Map(drawn.map(({ name, value, shape }) => [value, input(valueKey(name), shape)]));
  return substituteArrays(
    outputs.flatMap(({ reader }) => reader.arrays),
    values,
  );
}

/**
 * Tests, at some draws, that the distributions of observed values are the same whether rows are traced together or one
 * by one.
 */
function tryOut(
  whole: TracedModel,
  one: RowModel,
  fields: RowFields,
  inputs: ReadonlyMap<string, Float64Array>,
  drawCount: number,
): void {
  // If there is only one row, the test uses two copies of it.
  const count = Math.max(2, Math.min(TRIAL_ROWS, fields.rowCount));
  const list = evenly(fields.rowCount, count);
  const some = modelOf(fields, whole, list);
  const [together, alone] = [arraysOf(some, whole), arraysOf(one, whole)];
  const owners = one.outputs.flatMap(({ name, reader }) => reader.arrays.map(() => name));
  const dataOf = (model: TracedModel, rows: readonly number[]): Record<string, Float64Array> => ({
    ...Object.fromEntries(model.data),
    ...Object.fromEntries([...fields.widths.keys()].map((field) => [inputOf(field), fields.valuesOf(field, rows)])),
  });
  for (const s of evenly(drawCount, Math.min(TRIAL_DRAWS, drawCount))) {
    const draw = Object.fromEntries(
      [...inputs].map(([key, values]) => {
        const size = values.length / drawCount;
        return [key, values.subarray(s * size, (s + 1) * size)];
      }),
    );
    const expected = interpret(together, { ...dataOf(some.traced, list), ...draw });
    list.forEach((row, i) => {
      interpret(alone, { ...dataOf(one.traced, [row]), ...draw }).forEach((numbers, k) => {
        const among = expected[k].subarray(i * numbers.length, (i + 1) * numbers.length);
        if (!numbers.every((x, j) => alike(x, among[j])))
          throw dependent(
            owners[k],
            "its distribution changes if the row is alone (it uses an earlier value, a mean over rows, or their number)",
          );
      });
    });
  }
}

const alike = (a: number, b: number): boolean => Object.is(a, b) || Math.abs(a - b) <= TOLERANCE * (Math.abs(a) + Math.abs(b));
