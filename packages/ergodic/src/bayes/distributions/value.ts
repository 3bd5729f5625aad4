/** A distribution with its parameters, as used in models. */

import {
  type ArrayLikeOperand,
  broadcastShapes,
  broadcastTo,
  interpret,
  type Shape,
  type SymbolicArray,
  sizeOf,
  toArray,
} from "../../engine/compiler/index.ts";
import { CapabilityError, CompileError } from "../../engine/errors/errors.ts";
import type { Draws } from "../../engine/random/stream.ts";
import {
  batchOf,
  checkConstraint,
  checkNumbers,
  type NumberConstraint,
  rankOf,
  type Support,
  type Values,
} from "./constraint.ts";
import type { Family, SymbolicParameters } from "./family.ts";

/** Inputs that the parameters depend on, by name. */
export type Inputs = Readonly<Record<string, ArrayLike<number> | number>>;

export interface SampleOptions {
  /** Batch axes, which precede the axes of a single value. Default: the shape to which the parameters broadcast. */
  readonly batch?: Shape;
  readonly inputs?: Inputs;
}

export interface Sampler {
  readonly arrays: readonly SymbolicArray[];
  /**
   * Draws a whole batch. `numbers`: values of each array. @throws OptionError if parameters violate their constraints
   */
  draw(draws: Draws, numbers: readonly Float64Array[]): Float64Array;
  /** Draws single elements of the batch. Their index is row-major. */
  elements(numbers: readonly Float64Array[]): (draws: Draws, i: number) => number | Float64Array;
}

export interface Reader {
  readonly arrays: readonly SymbolicArray[];
  /**
   * Returns a reader of each element's parameters. `numbers`: values of each array. The reader returns the same object
   * each time. @throws OptionError if parameters violate their constraints
   */
  read(numbers: readonly Float64Array[]): (i: number) => Values;
}

/** A distribution with its parameters, as made by normal(0, 1): for `param`, `observe` and `generated` in a model. */
export class Distribution {
  protected static readonly typeName: string = "Distribution";
  /** Family of the distribution. */
  readonly family: Family;
  /** Parameters by name. */
  readonly parameters: SymbolicParameters;
  /** Cached numbers of the parameters, if the parameters depend on no input. */
  #own: Values | undefined;

  constructor(family: Family, parameters: SymbolicParameters) {
    this.family = family;
    this.parameters = parameters;
  }

  /** Name of the family. */
  get name(): string {
    return this.family.name;
  }

  /** Whether values are real or whole numbers. */
  get kind(): "continuous" | "discrete" {
    return this.family.kind;
  }

  /** Number of axes of a single value. */
  get eventRank(): 0 | 1 | 2 {
    return this.family.eventRank ?? 0;
  }

  /** Set on which the density is not 0. */
  get support(): Support {
    return this.family.support(this.parameters);
  }

  /**
   * Shape to which the parameters broadcast, without the axes of a single value. @throws CompileError unless they
   * broadcast
   */
  get batch(): Shape {
    const shapes = Object.entries(this.parameters).map(([name, { shape }]) =>
      batchOf(shape, rankOf(this.family.constraints[name])),
    );
    return broadcastShapes(this.name, shapes);
  }

  /** Elementwise log density, with broadcasting. The axes of a single value are summed out. −∞ outside the support. */
  logDensity(x: ArrayLikeOperand | ArrayLike<number>): SymbolicArray {
    const at = toArray(x);
    if (at.rank < this.eventRank)
      throw new CompileError(this.name, `x has ${at.rank} axes, but a value has ${this.eventRank}`, "COMPILE_SHAPE");
    this.#checkEvent(at);
    return this.family.logDensity(at, this.parameters);
  }

  /**
   * Checks the size of vectors and matrices. A value of a different size than the parameters would broadcast silently.
   */
  #checkEvent({ shape, rank }: SymbolicArray): void {
    const { eventRank, name, parameters } = this;
    if (eventRank === 0) return;
    for (const [key, array] of Object.entries(parameters)) {
      // The size of a mixture's weights is the number of components, not the extent of a value.
      if (key === "weights" || rankOf(this.family.constraints[key]) === 0) continue;
      const wanted = array.shape[array.rank - 1];
      if (wanted === 1 || shape[rank - 1] === wanted) continue;
      throw new CompileError(
        name,
        `x has ${shape[rank - 1]} numbers along its last axis, but its ${key} has ${wanted}; make them agree`,
        "COMPILE_SHAPE",
      );
    }
  }

  /** log P(X ≤ x). @throws CapabilityError if it is not elementary */
  logCdf(x: ArrayLikeOperand): SymbolicArray {
    if (!this.family.logCdf) throw this.#lacks("log distribution function of symbolic arrays");
    return this.family.logCdf(toArray(x), this.parameters);
  }

  /** log P(X > x). @throws CapabilityError if it is not elementary */
  logSurvival(x: ArrayLikeOperand): SymbolicArray {
    if (!this.family.logSurvival) throw this.#lacks("log survival function of symbolic arrays");
    return this.family.logSurvival(toArray(x), this.parameters);
  }

  /** P(X ≤ x). @throws CapabilityError if there is no closed form */
  cdf(x: number, inputs?: Inputs): number {
    if (!this.family.cdf) throw this.#lacks("distribution function");
    const values = this.#single(inputs);
    return Math.abs(x) === Infinity ? Number(x > 0) : this.family.cdf(x, values);
  }

  /** Smallest x with P(X ≤ x) ≥ p, for p in [0, 1]. @throws CapabilityError if there is no closed form */
  quantile(p: number, inputs?: Inputs): number {
    if (!this.family.quantile) throw this.#lacks("quantile");
    return p >= 0 && p <= 1 ? this.family.quantile(p, this.#single(inputs)) : Number.NaN;
  }

  /** Mean; NaN if it does not exist. @throws CapabilityError if it is not known */
  mean(inputs?: Inputs): number | Float64Array {
    if (!this.family.mean) throw this.#lacks("mean");
    return this.family.mean(this.#single(inputs));
  }

  /** Variance; NaN or ∞ if it does not exist. @throws CapabilityError if it is not known */
  variance(inputs?: Inputs): number | Float64Array {
    if (!this.family.variance) throw this.#lacks("variance");
    return this.family.variance(this.#single(inputs));
  }

  /**
   * Makes independent exact draws, row-major: [...batch, ...axes of a single value]. @throws OptionError if parameters
   * violate their constraints
   */
  sample(draws: Draws, { batch = this.batch, inputs = {} }: SampleOptions = {}): Float64Array {
    const { arrays, draw } = this.sampler(batch);
    return draw(draws, interpret(arrays, inputs));
  }

  /**
   * Returns the two parts of `sample`: symbolic arrays of the parameters, and a function that draws values when given
   * the numbers of these arrays.
   */
  sampler(batch: Shape = this.batch): Sampler {
    const { arrays, read } = this.#reader(batch);
    const count = sizeOf(batch);
    const elements = (numbers: readonly Float64Array[]) => {
      const values = read(numbers);
      return (draws: Draws, i: number) => this.family.sample(draws, values(i));
    };
    const draw = (draws: Draws, numbers: readonly Float64Array[]): Float64Array => {
      const drawn = elements(numbers);
      return collected(count, (i) => drawn(draws, i));
    };
    return { arrays, draw, elements };
  }

  /**
   * Returns arrays of the parameters, broadcast to the batch, and a reader of the parameters. The reader receives the
   * numbers of these arrays, for one batch or for several successive batches. The reader checks and returns each
   * element's parameters.
   */
  reader(batch: Shape): Reader {
    return this.#reader(batch, false);
  }

  #lacks(what: string): CapabilityError {
    return new CapabilityError(
      this.name,
      `its ${what} was requested, but has no formula here; draw samples instead`,
      "DISTRIBUTION_LACKS",
    );
  }

  #single(inputs: Inputs | undefined): Values {
    if (!inputs && this.#own) return this.#own;
    const { batch } = this;
    if (sizeOf(batch) !== 1)
      throw new CompileError(
        this.name,
        `its parameters broadcast to [${batch.join(", ")}], but this function needs one value for each parameter; build one distribution per element`,
        "COMPILE_SHAPE",
      );
    const { arrays, read } = this.#reader(batch);
    const values = read(interpret(arrays, inputs ?? {}))(0);
    if (!inputs) this.#own = values;
    return values;
  }

  /** The parameters, broadcast to the batch, with a reader that checks and returns each element's parameters. */
  #reader(batch: Shape, one = sizeOf(this.batch) === 1): Reader {
    const entries = Object.entries(this.parameters).map(([name, array]) => {
      const constraint = this.family.constraints[name];
      const rank = rankOf(constraint);
      const own = array.shape.slice(array.rank - rank);
      return { name, constraint, rank, size: sizeOf(own), array: broadcastTo(array, [...(one ? this.batch : batch), ...own]) };
    });
    const read = (numbers: readonly Float64Array[]): ((i: number) => Values) => {
      // All elements share one object, because a sampler has finished with one element when it reads the next.
      const values: Record<string, number | Float64Array> = {};
      entries.forEach(({ name, constraint, rank }, k) => {
        if (rank === 0) checkNumbers(this.name, name, constraint as NumberConstraint, numbers[k]);
      });
      const valuesAt = (i: number): Values => {
        for (let k = 0; k < entries.length; k++) {
          const { name, constraint, rank, size } = entries[k];
          if (rank === 0) values[name] = numbers[k][i];
          else {
            const value = numbers[k].subarray(i * size, (i + 1) * size);
            checkConstraint(this.name, name, constraint, value);
            values[name] = value;
          }
        }
        return values;
      };
      if (!one) return valuesAt;
      const only = valuesAt(0);
      return () => only;
    };
    return { arrays: entries.map(({ array }) => array), read };
  }
}

/** Collects values of the same shape into one array. */
export function collected(count: number, of: (i: number) => number | Float64Array): Float64Array {
  let out: Float64Array | undefined;
  for (let i = 0; i < count; i++) {
    const value = of(i);
    const size = typeof value === "number" ? 1 : value.length;
    out ??= new Float64Array(count * size);
    if (typeof value === "number") out[i] = value;
    else out.set(value, i * size);
  }
  return out ?? new Float64Array(0);
}
