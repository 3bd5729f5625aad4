import type { JsonObject, SavedModel } from "../../engine/contract/index.ts";
import type { Dataset, Pipeline } from "../../engine/data/dataset.ts";
import { datasetMark, isMarked } from "../../engine/data/marks.ts";
import { StepPipeline } from "../../engine/data/pipeline.ts";
import type { RawRows } from "../../engine/data/raw.ts";
import { forEachRow } from "../../engine/data/rows.ts";
import { checkChoice } from "../../engine/errors/checks.ts";
import { checkKeys, checkNumber, DataError, OptionError } from "../../engine/errors/errors.ts";
import { type FileTarget, writeWhole } from "../../engine/files/files.ts";
import type { Tensor } from "../../engine/files/safetensors.ts";
import { stream } from "../../engine/random/stream.ts";
import { checkedCount, checkedTensor, checkFinite, checkModel, savedModel } from "../check-model.ts";
import { encodeModel } from "../model-file.ts";
import { annealedLogPartition } from "./annealed.ts";
import {
  checkUnit,
  exactLogPartition,
  exchanged,
  freeEnergyOf,
  hiddenInputs,
  isEnumerable,
  logistic,
  type Machine,
  softplus,
} from "./machine.ts";

/** ln Z of a machine. */
export interface LogPartition {
  /** ln Z, or its estimate. */
  readonly value: number;
  /** Whether all states of the smaller layer were enumerated, so that only rounding errors remain. */
  readonly exact: boolean;
  /** Interval of an estimate; both ends are `value` if it is exact. */
  readonly interval: readonly [low: number, high: number];
}

/** Options of `logPartition`. */
export interface LogPartitionOptions {
  /**
   * "exact" enumerates the smaller layer. "annealed" is annealed importance sampling. Default "auto": exact if the
   * smaller layer has at most 20 units and its states take at most a few seconds.
   */
  method?: "auto" | "exact" | "annealed";
  /** Number of independent chains of annealed importance sampling, a whole number >= 2. Default 100. */
  chains?: number;
  /** Number of steps of each chain, a whole number >= 1. Default 1000. */
  steps?: number;
  /** Probability that the interval contains ln Z, in (0, 1). Default 0.95. */
  level?: number;
  /** Seed of the chains. Default 0. */
  seed?: number;
}

/** Options of `sample` and `complete`. */
export interface BoltzmannSampling {
  /** Sweeps of Gibbs sampling, a whole number >= 1. Default 1000. */
  sweeps?: number;
  /** Seed of the draws. Default 0. */
  seed?: number;
}

/** Rows of a dataset, raw rows by column name, or rows of numbers. */
type Rows = Dataset | RawRows;

/**
 * A trained restricted Boltzmann machine with binary units: p(v, h) = e^{−E(v, h)} / Z, E(v, h) = −a·v − b·h − vᵀWh.
 *
 * Logarithms are natural. Values of a row lie in [0, 1]; values between 0 and 1 are treated as probabilities of 1.
 * @throws DataError for rows that lack columns, and for values outside [0, 1]
 */
export class BoltzmannMachine {
  protected static readonly typeName: string = "BoltzmannMachine";
  /** Kind of predictor. */
  readonly kind = "boltzmannMachine";
  /** Steps from raw rows to the visible units. */
  readonly pipeline: Pipeline;
  /** Description without parameters: the options of the model and of the run that trained it. */
  readonly description: JsonObject;
  /** Parameters: W by rows of visible units, a and b. */
  readonly machine: Machine;
  readonly #base: Float64Array;
  #exact: number | undefined;

  /** `where` names the file in errors. */
  constructor(saved: SavedModel, where = "boltzmannMachine") {
    const { description, tensors } = savedModel(saved);
    this.description = description;
    const visible = checkedCount(where, description, "visible", 1);
    const hidden = checkedCount(where, description, "hidden", 1);
    this.pipeline = StepPipeline.fromJson(description.pipeline) as Pipeline;
    const { columnCount } = this.pipeline;
    checkModel(where, columnCount === visible, `has ${columnCount} columns, but ${visible} visible units`);
    this.machine = {
      ...{ visible, hidden },
      weight: checkedTensor(where, tensors, "weight", visible * hidden),
      visibleBias: checkedTensor(where, tensors, "visibleBias", visible),
      hiddenBias: checkedTensor(where, tensors, "hiddenBias", hidden),
    };
    this.#base = checkedTensor(where, tensors, "base", visible);
  }

  /** Names of the columns, which are the visible units. */
  get columns(): readonly string[] {
    return this.pipeline.names;
  }

  /** Returns a line about the model: the sizes of its layers. */
  toString(): string {
    return `Boltzmann machine: ${this.machine.visible} visible and ${this.machine.hidden} hidden units`;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** Returns F(v) = −a·v − Σ_j ln(1 + e^{b_j + W_jᵀv}) of each row, so that p(v) = e^{−F(v)} / Z. */
  freeEnergy(rows: Rows): Float64Array {
    return this.#each(rows, (v, inputs) => freeEnergyOf(this.machine, v, inputs));
  }

  /** Returns p(h_j = 1 | v) of each row, an array of one number per hidden unit. */
  features(rows: Rows): Float64Array[] {
    const made: Float64Array[] = [];
    this.#each(rows, (_, inputs) => {
      made.push(inputs.map(logistic));
      return 0;
    });
    return made;
  }

  /**
   * Returns ln Z. It is exact if one of the layers is small. Otherwise, it is estimated by annealed importance sampling
   * (Salakhutdinov, Murray 2008). If chains miss a part of the distribution, the interval can be too narrow.
   *
   * @throws OptionError, also for method "exact" if both layers have more than 20 units
   */
  logPartition(options: LogPartitionOptions = {}): LogPartition {
    checkKeys("logPartition", options, ["method", "chains", "steps", "level", "seed"]);
    const { method = "auto", chains = 100, steps = 1000, level = 0.95, seed = 0 } = options;
    checkChoice("logPartition", "method", method, ["auto", "exact", "annealed"]);
    checkNumber("logPartition", "chains", chains, { low: 2, integer: true });
    checkNumber("logPartition", "steps", steps, { low: 1, integer: true });
    checkNumber("logPartition", "level", level, { low: 0, high: 1 - Number.EPSILON / 2, open: true });
    checkNumber("logPartition", "seed", seed, { low: 0, integer: true });
    const can = isEnumerable(this.machine);
    if (method === "exact" && !can)
      throw new OptionError(
        "logPartition",
        `method is "exact", but the layers have ${this.machine.visible} and ${this.machine.hidden} units, and the smaller one must have at most 20; use "annealed"`,
        "OPTION_RANGE",
      );
    if (method === "annealed" || !can) {
      const { value, interval } = annealedLogPartition(this.machine, this.#base, { chains, steps, level, seed });
      return { value, exact: false, interval };
    }
    this.#exact ??= exactLogPartition(this.machine);
    return { value: this.#exact, exact: true, interval: [this.#exact, this.#exact] };
  }

  /**
   * Returns ln p(v) = −F(v) − ln Z of each row. `logPartition`: ln Z, for instance an estimate. Default: exact.
   * @throws OptionError if ln Z is not given and both layers have more than 20 units
   */
  logLikelihood(rows: Rows, logPartition = this.logPartition({ method: "exact" }).value): Float64Array {
    return this.freeEnergy(rows).map((energy) => -energy - logPartition);
  }

  /** Returns Σ_i ln p(v_i | other v) of each row, which needs no Z. */
  pseudoLogLikelihood(rows: Rows): Float64Array {
    const { visible, hidden, weight } = this.machine;
    const moved = new Float64Array(hidden);
    return this.#each(rows, (v, inputs) => {
      const energy = freeEnergyOf(this.machine, v, inputs);
      let total = 0;
      for (let i = 0; i < visible; i++) {
        const change = 1 - 2 * v[i];
        for (let j = 0; j < hidden; j++) moved[j] = inputs[j] + change * weight[i * hidden + j];
        v[i] += change;
        const flipped = freeEnergyOf(this.machine, v, moved);
        v[i] -= change;
        total -= softplus(energy - flipped);
      }
      return total;
    });
  }

  /**
   * Returns means over the rows: `pseudoLogLikelihood`, and `logLikelihood` if ln Z can be computed exactly. Rows count
   * by their weights.
   */
  evaluate(data: Dataset): { pseudoLogLikelihood: number; logLikelihood?: number } {
    const { weights } = data;
    const mean = (values: Float64Array): number => {
      const total = weights ? weights.reduce((sum, w) => sum + w, 0) : values.length;
      return values.reduce((sum, x, i) => sum + (weights ? weights[i] : 1) * x, 0) / total;
    };
    return {
      pseudoLogLikelihood: mean(this.pseudoLogLikelihood(data)),
      ...(isEnumerable(this.machine) ? { logLikelihood: mean(this.logLikelihood(data)) } : {}),
    };
  }

  /**
   * Returns `count` states of the visible units, each from its own chain of Gibbs sampling, in the order of `columns`.
   * After too few sweeps, the draws still depend on the start of the chain.
   */
  sample(count: number, options: BoltzmannSampling = {}): Float64Array[] {
    checkNumber("sample", "count", count, { low: 1, integer: true });
    const { sweeps, seed } = checkedSampling("sample", options);
    const draws = stream(seed, "sample");
    const turned = exchanged(this.machine);
    return Array.from({ length: count }, (_, chain) => {
      const random = draws.at(chain);
      const v = this.#base.map((x) => (random.uniform() < logistic(x) ? 1 : 0));
      const gibbs = this.#gibbs(turned, v, () => random.uniform());
      for (let sweep = 0; sweep < sweeps; sweep++) gibbs();
      return v;
    });
  }

  /**
   * Returns p(v_i = 1 | known values) for the unknown units (NaN) of a row in the order of `columns`, by Gibbs sampling
   * with the known values held. The first tenth of the sweeps does not count. Known values are returned unchanged.
   */
  complete(values: ArrayLike<number>, options: BoltzmannSampling = {}): Float64Array {
    const { sweeps, seed } = checkedSampling("complete", options);
    const { visible } = this.machine;
    if (values.length !== visible)
      throw new DataError("complete", `the row has ${values.length} values, but the model has ${visible} columns`, "DATA_SHAPE");
    const wrong = Array.from(values).findIndex((x) => x < 0 || x > 1);
    if (wrong >= 0)
      throw new DataError(
        "complete",
        `value ${wrong + 1} is ${values[wrong]}, but must be 0 to 1, or NaN if it is unknown`,
        "DATA_RANGE",
      );
    const unknown = Array.from({ length: visible }, (_, i) => i).filter((i) => Number.isNaN(values[i]));
    const random = stream(seed, "complete").at(0);
    const v = Float64Array.from(values);
    for (const i of unknown) v[i] = random.uniform() < logistic(this.#base[i]) ? 1 : 0;
    const sums = new Float64Array(visible);
    const gibbs = this.#gibbs(exchanged(this.machine), v, () => random.uniform(), unknown);
    const skipped = Math.floor(sweeps / 10);
    for (let sweep = 0; sweep < sweeps; sweep++) {
      const probabilities = gibbs();
      if (sweep >= skipped) for (const i of unknown) sums[i] += probabilities[i];
    }
    for (const i of unknown) v[i] = sums[i] / (sweeps - skipped);
    return v;
  }

  /** Writes the model as safetensors, with a versioned JSON description. The file appears whole or not at all. */
  save(path: FileTarget): Promise<void> {
    return writeWhole(path, this.toBytes(), { keep: true });
  }

  /** Returns the bytes of the model's file. */
  toBytes(): Uint8Array {
    const { weight, visibleBias, hiddenBias } = this.machine;
    const values: Record<string, Float64Array> = { weight, visibleBias, hiddenBias, base: this.#base };
    const tensors: Record<string, Tensor> = {};
    for (const [name, shape] of Object.entries(this.shapes())) {
      checkFinite(this.kind, name, values[name]);
      tensors[name] = { shape, values: values[name] };
    }
    return encodeModel(this.kind, this.description, tensors);
  }

  /** Shapes of the tensors in the file. @internal */
  shapes(): Record<string, number[]> {
    const { visible, hidden } = this.machine;
    return { weight: [visible, hidden], visibleBias: [visible], hiddenBias: [hidden], base: [visible] };
  }

  /** Does nothing, because the model has nothing to free. It is present so that `using` works. */
  dispose(): void {}

  [Symbol.dispose](): void {}

  /**
   * Returns a function that makes one sweep: hidden units given v, then the visible units in `free` given the hidden
   * ones. It returns the probabilities from which the visible units were drawn.
   */
  #gibbs(turned: Machine, v: Float64Array, uniform: () => number, free?: readonly number[]): () => Float64Array {
    const { visible, hidden } = this.machine;
    const units = free ?? Array.from({ length: visible }, (_, i) => i);
    const inputs = new Float64Array(hidden);
    const back = new Float64Array(visible);
    return () => {
      hiddenInputs(this.machine, v, inputs);
      for (let j = 0; j < hidden; j++) inputs[j] = uniform() < logistic(inputs[j]) ? 1 : 0;
      hiddenInputs(turned, inputs, back);
      for (const i of units) {
        back[i] = logistic(back[i]);
        v[i] = uniform() < back[i] ? 1 : 0;
      }
      return back;
    };
  }

  /** Calls `of` for each row with its values and b + Wᵀv, both of which are overwritten for the next row. */
  #each(rows: Rows, of: (v: Float64Array, inputs: Float64Array) => number): Float64Array {
    const { visible, hidden } = this.machine;
    const followed = isMarked(rows, datasetMark) ? (rows as Dataset).follow(this.pipeline) : undefined;
    const source = followed?.rows() ?? this.pipeline.rowsOf(rows as RawRows);
    const answers = new Float64Array(source.rowCount);
    const v = new Float64Array(visible);
    const inputs = new Float64Array(hidden);
    try {
      forEachRow(source, ({ values, columns, count }, row) => {
        v.fill(0);
        for (let k = 0; k < count; k++) {
          const column = columns ? columns[k] : k;
          checkUnit(values[k], this.kind, row, this.columns[column]);
          v[column] = values[k];
        }
        hiddenInputs(this.machine, v, inputs);
        answers[row] = of(v, inputs);
      });
    } finally {
      // Frees rows that were made for this call.
      if (followed && followed !== rows) followed.dispose();
    }
    return answers;
  }
}

function checkedSampling(where: string, options: BoltzmannSampling): Required<BoltzmannSampling> {
  checkKeys(where, options, ["sweeps", "seed"]);
  const { sweeps = 1000, seed = 0 } = options;
  checkNumber(where, "sweeps", sweeps, { low: 1, integer: true });
  checkNumber(where, "seed", seed, { low: 0, integer: true });
  return { sweeps, seed };
}
