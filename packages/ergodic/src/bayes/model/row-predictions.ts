/**
 * Predicts one row after another. For each draw, the prediction finds the distribution of the observed values in the
 * row, computes its moments, and draws a value.
 */

import { firstWrongIndex, indexRange } from "../../engine/compiler/array/indices.ts";
import { interpret, type Shape, sizeOf } from "../../engine/compiler/index.ts";
import { DataError, OptionError } from "../../engine/errors/errors.ts";
import type { RepeatedDraws } from "../../engine/random/repeated-draws.ts";
import type { Values } from "../distributions/constraint.ts";
import type { Distribution, Reader } from "../distributions/value.ts";
import type { TracedIndices, TracedModel, TracedNewRows } from "./context.ts";
import { elementName } from "./element.ts";
import { broken, type DataBounds } from "./fields.ts";
import type { RowPrograms } from "./row-programs.ts";
import { fieldsBelow, inputOf } from "./rows.ts";

/** Quantity that is observed per row, with the parameters of its distribution as arrays. */
export interface Output {
  readonly name: string;
  /** Shape of one row's values. */
  readonly shape: Shape;
  readonly distribution: Distribution;
  readonly reader: Reader;
  /** Number of values (numbers, vectors or matrices) in one row. */
  readonly elements: number;
}

/** The model on some rows. */
export interface RowModel {
  readonly traced: TracedModel;
  readonly outputs: readonly Output[];
  /** Indices that a row supplies. */
  readonly indices: readonly TracedIndices[];
}

/**
 * Predictions for each number of the outputs: predictive mean and standard deviation, one simulated value per draw, and
 * expected values and level probabilities under each draw.
 */
interface Predicted {
  readonly mean: Float64Array;
  readonly sd: Float64Array;
  readonly drawn: readonly Float64Array[];
  /** Conditional means; NaN if the family has no mean. */
  readonly expected: readonly Float64Array[];
  /** Probabilities of levels. */
  readonly levels: readonly (readonly Float64Array[] | undefined)[];
}

/** Destinations for the predictions of one value: simulated values, expected values and level probabilities. */
interface Places {
  readonly drawn: readonly Float64Array[];
  readonly expected: readonly Float64Array[];
  readonly levels: readonly Float64Array[] | undefined;
}

/**
 * Accumulates the conditional moments of one number over draws. If a family has no moments, the simulated value is used
 * as the mean.
 */
class Moments {
  #mean = 0;
  /** Sum of the conditional variances. */
  #within = 0;
  /**
   * First conditional mean. `#between` and `#squares` sum the differences from this mean and the squared differences.
   */
  #first = 0;
  #between = 0;
  #squares = 0;
  #count = 0;

  add(value: number, mean: number | undefined, variance: number | undefined): void {
    const isKnown = mean !== undefined && variance !== undefined;
    const centre = isKnown ? mean : value;
    if (this.#count === 0) this.#first = centre;
    const off = centre - this.#first;
    this.#mean += mean ?? value;
    if (isKnown) this.#within += variance;
    this.#between += off;
    this.#squares += off * off;
    this.#count++;
  }

  get mean(): number {
    return this.#mean / this.#count;
  }

  /** Var y = E Var(y | θ) + Var E(y | θ). */
  get sd(): number {
    const off = this.#between / this.#count;
    return Math.sqrt(this.#within / this.#count + Math.max(0, this.#squares / this.#count - off * off));
  }
}

/**
 * Advice for an index beyond the last element. The draws were made with indices that count from 0, so such a row does not
 * count from 1. It belongs to a group that the draws do not know.
 */
const newGroup =
  '. If it is a new group, the draws have no element for it: write the groups as a term of a formula, as in regression("y ~ x + (1 | group)"), which draws the effects of new groups from their population';

export class RowPredictions implements Disposable {
  /** Names and per-row shapes of the fields in a row. */
  readonly fields: readonly { readonly name: string; readonly shape: Shape }[];
  /** Names of data that do not have rows. */
  readonly others: readonly string[];
  readonly outputs: readonly { readonly name: string; readonly shape: Shape; readonly discrete: boolean }[];
  readonly drawCount: number;
  /** Level names by output. */
  readonly levels: Readonly<Record<string, readonly string[]>>;
  /** Row reader of a model that parses its own rows. */
  readonly reading: Pick<TracedNewRows, "columns" | "texts" | "numbers" | "newGroups"> | undefined;
  readonly #bounded: readonly { readonly name: string; readonly shape: Shape; readonly bounds: DataBounds | undefined }[];
  readonly #programs: RowPrograms;
  readonly #noise: readonly RepeatedDraws[];
  readonly #outputs: readonly Output[];
  readonly #indices: readonly TracedIndices[];
  readonly #data: ReadonlyMap<string, Float64Array>;
  readonly #prediction: Predicted;

  /**
   * `fields`: fields that a row supplies; `ofRows`: all inputs that have rows; `noise`: random numbers for each draw.
   */
  constructor(
    programs: RowPrograms,
    { traced, outputs, indices }: RowModel,
    given: {
      fields: readonly string[];
      ofRows: ReadonlySet<string>;
      noise: readonly RepeatedDraws[];
      reading: TracedNewRows | undefined;
    },
  ) {
    const { fields, ofRows, noise } = given;
    this.reading = given.reading;
    this.drawCount = noise.length;
    this.fields = fields.map((name) => ({ name, shape: traced.fields.get(name)!.shape.slice(1) }));
    this.#bounded = this.fields.map((field) => ({ ...field, bounds: traced.fields.get(field.name)!.bounds }));
    this.others = [...traced.fields.keys()].filter((name) => !ofRows.has(inputOf(name)));
    this.levels = given.reading?.levels ?? {};
    this.outputs = outputs.map(({ name, shape, distribution }) => ({ name, shape, discrete: distribution.kind === "discrete" }));
    this.#programs = programs;
    this.#noise = noise;
    this.#outputs = outputs;
    this.#indices = indices;
    this.#data = traced.data;
    const size = outputs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    const ofDraws = (count: number): Float64Array[] => Array.from({ length: count }, () => new Float64Array(noise.length));
    const levels = outputs.flatMap(({ name, shape }) =>
      Array.from({ length: sizeOf(shape) }, () =>
        Object.hasOwn(this.levels, name) ? ofDraws(this.levels[name].length) : undefined,
      ),
    );
    this.#prediction = {
      ...{ mean: new Float64Array(size), sd: new Float64Array(size) },
      ...{ drawn: ofDraws(size), expected: ofDraws(size), levels },
    };
  }

  /** Predicts a row. `where`: prefix of error messages. The result is valid until the next call. */
  of(row: Float64Array, where: string): Predicted {
    this.#checkBounds(row, where);
    this.#checkIndices(row, where);
    const arrays = this.#programs.run(row);
    for (const draws of this.#noise) draws.restart();
    const { mean, sd, drawn, expected, levels } = this.#prediction;
    let [array, number] = [0, 0];
    for (const { name, shape, distribution, reader, elements } of this.#outputs) {
      const own = arrays.slice(array, (array += reader.arrays.length));
      const read = readAt(where, name, () => reader.read(own));
      const width = sizeOf(shape) / elements;
      for (let e = 0; e < elements; e++) {
        const part = <A>(all: readonly A[]): A[] => all.slice(number, number + width);
        const to = { drawn: part(drawn), expected: part(expected), levels: levels[number] };
        for (const moments of this.#values(distribution, (s) => read(s * elements + e), to)) {
          mean[number] = moments.mean;
          sd[number] = moments.sd;
          number++;
        }
      }
    }
    return this.#prediction;
  }

  dispose(): void {
    this.#programs.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Checks new rows against the bounds of the model's fields. */
  #checkBounds(row: Float64Array, where: string): void {
    let from = 0;
    for (const { name, shape, bounds } of this.#bounded) {
      const size = sizeOf(shape);
      for (let i = 0; bounds && i < size; i++) {
        const wanted = broken(bounds, row[from + i]);
        if (wanted !== undefined)
          throw new DataError(
            where,
            `${elementName(`"${name}"`, shape, i)} is ${row[from + i]}, but must be ${wanted}, as its field requires; change it`,
            "DATA_RANGE",
          );
      }
      from += size;
    }
  }

  /** Simulates a value for each draw, writes its numbers to `to`, and returns the moments of each number. */
  #values({ family }: Distribution, parametersOf: (s: number) => Values, { drawn, expected, levels }: Places): Moments[] {
    const all = drawn.map(() => new Moments());
    const [first] = all;
    const [numbers] = drawn;
    const [means] = expected;
    for (let s = 0; s < this.drawCount; s++) {
      const parameters = parametersOf(s);
      const value = family.sample(this.#noise[s], parameters);
      const mean = family.mean?.(parameters);
      const variance = family.variance?.(parameters);
      if (typeof value === "number") {
        numbers[s] = value;
        means[s] = (mean as number | undefined) ?? Number.NaN;
        first.add(value, mean as number | undefined, variance as number | undefined);
        let below = 0;
        for (let k = 0; levels && k < levels.length; k++) {
          const upTo = family.cdf!(k, parameters);
          levels[k][s] = upTo - below;
          below = upTo;
        }
      } else
        for (const [k, moments] of all.entries()) {
          drawn[k][s] = value[k];
          expected[k][s] = numberAt(mean, k) ?? Number.NaN;
          moments.add(value[k], numberAt(mean, k), numberAt(variance, k));
        }
    }
    return all;
  }

  /** Checks indices, because kernels gather NaN for an index out of range. */
  #checkIndices(row: Float64Array, where: string): void {
    if (this.#indices.length === 0) return;
    const inputs: Record<string, Float64Array> = Object.fromEntries(this.#data);
    let at = 0;
    for (const { name, shape } of this.fields) inputs[inputOf(name)] = row.subarray(at, (at += sizeOf(shape)));
    for (const { where: taking, indices, extent } of this.#indices) {
      const numbers = indices.op === "input" ? inputs[String(indices.attributes)] : interpret([indices], inputs)[0];
      const wrong = firstWrongIndex(numbers, extent);
      if (wrong === undefined) continue;
      const isNew = Number.isInteger(numbers[wrong]) && numbers[wrong] >= extent;
      const names = fieldsBelow([indices]).map((name) => `"${name}"`);
      const name = indices.op === "input" ? names[0] : `the index made of ${names.join(" and ")}`;
      throw new DataError(
        where,
        `${elementName(name, indices.shape.slice(1), wrong)} is ${numbers[wrong]}, but ${taking}() has ${extent} to choose from, so that it ${indexRange(extent)}${isNew ? newGroup : ""}`,
        "DATA_INDEX",
      );
    }
  }
}

const numberAt = (given: number | Float64Array | undefined, k: number): number | undefined =>
  typeof given === "object" ? given[k] : given;

function readAt(where: string, name: string, read: () => (i: number) => Values): (i: number) => Values {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    throw new DataError(
      where,
      `it gives no valid distribution of "${name}" in one of the draws: ${error.where}: ${error.said.replace(/; change it$/, "")}; give a row like those of the model's data`,
      "DATA_RANGE",
      { cause: error },
    );
  }
}
