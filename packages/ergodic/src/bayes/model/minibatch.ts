/**
 * Minibatch estimates of the log density of a model whose data have rows.
 *
 *   const posterior = await regression.condition({ x, y }, { rows: "N" });
 *   const draws = await sample(posterior, {}, { algorithm: sgld({ stepSize: 1e-5, batch: 100 }) });
 *
 * ℓ_B(u) = log prior(u) + Σ over observations without rows + N/n Σ_{i in B} log likelihood of row i, n = |B|.
 *
 * If `rows` is the first extent of a field, only the rows of the batch are read. The model's function runs once more
 * for each batch size n, with n in place of the number of rows.
 *
 * An observation has rows if it depends on such a field; its values must have the rows as their first axis.
 *
 * A test with a few rows at random points checks that the density is a sum over rows. A model that, for example,
 * subtracts the mean over all rows from its data, or uses N as a number, is refused.
 *
 * @throws CapabilityError if the density is not a sum over rows, or a parameter has rows; OptionError for a name that
 *   is not a first extent
 */

import { add, arraysBelow, interpret, mul, type SymbolicArray, shapeText, sum, toArray } from "../../engine/compiler/index.ts";
import type { Minibatches } from "../../engine/contract/index.ts";
import { CapabilityError } from "../../engine/errors/errors.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { stream } from "../../engine/random/stream.ts";
import { ConditionedModel } from "./conditioned.ts";
import type { TracedModel } from "./context.ts";
import { RowBatches, type ScaledModel } from "./row-batches.ts";
import { RowFields } from "./rows.ts";

/**
 * Settings of the test whether the density is a sum over rows. They are the maximum number of rows in each half, the
 * number of points, the maximum number of attempts, and the tolerance for rounding.
 */
const TRIAL_ROWS = 4;
const TRIAL_POINTS = 3;
const MOST_TRIES = 50;
const TOLERANCE = 1e-8;

export interface RowOptions {
  readonly rows: string;
  readonly deterministic: boolean;
}

export class RowModel extends ConditionedModel {
  readonly minibatches: Minibatches;
  readonly #batches: RowBatches;

  constructor(name: string, traced: TracedModel, engine: Engine, { rows, deterministic }: RowOptions) {
    super(name, traced, engine, deterministic);
    try {
      const cutting = new RowCut(name, rows, traced);
      tryOut(cutting, (points) => this.explain(points));
      this.#batches = new RowBatches(engine, {
        name,
        deterministic,
        rowCount: cutting.fields.rowCount,
        fields: cutting.fields.keys,
        data: traced.data,
        scaled: (batch) => cutting.scaled(firstRows(batch), cutting.fields.rowCount),
      });
      this.minibatches = this.#batches;
    } catch (error) {
      super.dispose();
      throw error;
    }
  }

  override dispose(): void {
    this.#batches.dispose();
    super.dispose();
  }
}

/** Stores which data have rows, and builds the model on a subset of the rows. */
class RowCut {
  readonly fields: RowFields;
  private readonly name: string;
  private readonly whole: TracedModel;

  constructor(name: string, rows: string, whole: TracedModel) {
    this.name = name;
    this.whole = whole;
    this.fields = new RowFields(name, rows, whole, (message) => this.refusal(message, rows));
  }

  /** Traces the model on the listed rows and scales its likelihood to `total` rows. */
  scaled(list: readonly number[], total: number): ScaledModel {
    const count = list.length;
    const traced = this.whole.again(this.fields.dataOf(list));
    this.checkParameters(traced);
    const terms = traced.observed.filter(({ pointwise }) => this.readsRows(pointwise));
    for (const { name, shape, batch } of terms)
      if (batch[0] !== count || shape[0] !== count)
        throw this.refusal(
          `observe "${name}" reads data of rows, but its values have shape ${shapeText(shape)} where a batch has ${count} rows; observe values with the rows as their first axis`,
        );
    const likelihood = terms.reduce<SymbolicArray>((all, { pointwise }) => add(all, sum(pointwise)), toArray(0));
    return { ...traced, logDensity: add(traced.logDensity, mul(total / count - 1, likelihood)) };
  }

  refusal(message: string, rows = this.fields.rows): CapabilityError {
    return new CapabilityError(this.name, `${message}; without rows: "${rows}", all rows are used together`, "MODEL_ROWS");
  }

  private readsRows(value: SymbolicArray): boolean {
    return arraysBelow([value]).some(({ op, attributes }) => op === "input" && this.fields.keys.has(String(attributes)));
  }

  private checkParameters({ parameters }: TracedModel): void {
    for (const [i, { name, shape }] of parameters.entries()) {
      const own = this.whole.parameters[i];
      if (own?.name === name && String(own.shape) === String(shape)) continue;
      throw this.refusal(
        `the parameter "${name}" has shape ${shapeText(shape)} on a batch, but ${own ? shapeText(own.shape) : "is missing"} on all rows, and a batch cannot move parameters of other rows; sum them out`,
      );
    }
  }
}

const firstRows = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Tests that the density on 2m random rows equals the mean of its estimates from the two halves of these rows. */
function tryOut(cut: RowCut, explain: (points: Float64Array[]) => string | undefined): void {
  const half = Math.min(TRIAL_ROWS, Math.floor(cut.fields.rowCount / 2));
  if (half === 0) return;
  const picks = stream(0, "rows", "picks").at(0);
  const picked = new Set<number>();
  while (picked.size < 2 * half) picked.add(picks.integer(cut.fields.rowCount));
  const list = [...picked];
  const whole = cut.scaled(list, 2 * half);
  const halves = [list.slice(0, half), list.slice(half)].map((rows) => cut.scaled(rows, 2 * half));
  const starts = stream(0, "rows", "trial");
  const points: Float64Array[] = [];
  let tried = 0;
  for (let attempt = 0; attempt < MOST_TRIES && tried < TRIAL_POINTS; attempt++) {
    const draws = starts.at(attempt);
    const u = Float64Array.from({ length: whole.dimension }, () => 4 * draws.uniform() - 2);
    points.push(u);
    const all = valueAt(whole, u);
    const [first, second] = halves.map((model) => valueAt(model, u));
    if (![all, first, second].every(Number.isFinite)) continue;
    tried++;
    const off = Math.abs(all - (first + second) / 2);
    if (off <= TOLERANCE * (1 + Math.abs(all) + Math.abs(first) + Math.abs(second))) continue;
    throw cut.refusal(
      `its log density on ${2 * half} rows is ${all}, but ${first} and ${second} on the two halves, whose mean should be the same: it is not a sum over rows. Observe each row's values, given parameters and data of the same row, and do not use the number of rows or a mean over rows`,
    );
  }
  if (tried > 0) return;
  const reason = explain(points);
  throw cut.refusal(
    `none of ${MOST_TRIES} random points in (-2, 2) has a finite log density on ${2 * half} rows, so it cannot be checked that it is a sum over rows${reason ? `: ${reason}` : ""}; check the model's supports`,
  );
}

function valueAt({ logDensity, data, parameters }: ScaledModel, u: Float64Array): number {
  const moved = parameters.map(({ name, offset, unconstrained }) => [
    `u ${name}`,
    u.subarray(offset, offset + unconstrained.size),
  ]);
  return interpret([logDensity], { ...Object.fromEntries(data), ...Object.fromEntries(moved) })[0][0];
}
