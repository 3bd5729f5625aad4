/**
 * Initial values of parameters. Each parameter draws from `stream(seed, "initial", path)`, so its values depend only on
 * the seed and its path, not on the rest of the network.
 *
 * With fan-in n_in and fan-out n_out (`Fans`), the variances are: he 2/n_in; glorot 2/(n_in + n_out); lecun 1/n_in. The
 * uniform forms are uniform on ±√(3·variance). orthogonal: the weight is a matrix. The rows of this matrix run over all
 * axes except the last, and its columns run over the last axis. The matrix has orthonormal columns or, if that is
 * impossible, orthonormal rows. All such matrices are equally likely. Normal distributions are not truncated. Sources:
 * He et al. 2015; Glorot & Bengio 2010; LeCun et al. 1998; Saxe et al. 2014. Once an initialiser is defined, it can be
 * referred to by its name.
 *
 * @throws OptionError for an option that is unknown or out of range, or an unknown name
 */

import { type Shape, sizeOf } from "../../../engine/compiler/array/symbolic.ts";
import type { Json, JsonObject } from "../../../engine/contract/index.ts";
import { Registry } from "../../../engine/contract/registry.ts";
import { checkNamedJson } from "../../../engine/errors/checks.ts";
import { checkKeys, checkNumber, OptionError } from "../../../engine/errors/errors.ts";
import { type Draws, stream } from "../../../engine/random/stream.ts";
import { orthogonalRows } from "./orthogonal-rows.ts";

/** Fan-in and fan-out of a weight, from which initialisers compute the variance. */
export interface Fans {
  /** Fan-in: number of inputs per output. */
  readonly fanIn: number;
  /** Fan-out: number of outputs per input. */
  readonly fanOut: number;
}

/** Generator of the initial values of a parameter, e.g. heNormal(). */
export interface Initialiser {
  /** Name of the initialiser. */
  readonly name: string;
  /** Options, with defaults filled in. */
  readonly options: JsonObject;
  /** Returns row-major initial values. */
  values(shape: Shape, fans: Fans, draws: Draws): Float64Array;
  /** JSON from which `initialiserFromJson` rebuilds the initialiser. */
  toJSON(): JsonObject;
}

/**
 * Returns the fans of a dense weight [in, out] or a convolution's weight [height, width, in, out]. The fans are the
 * extents of the last two axes, each multiplied by the product of all earlier extents.
 */
export function fansOf(shape: Shape): Fans {
  if (shape.length < 2) return { fanIn: sizeOf(shape), fanOut: sizeOf(shape) };
  const [fanIn, fanOut] = shape.slice(-2);
  const field = sizeOf(shape.slice(0, -2));
  return { fanIn: fanIn * field, fanOut: fanOut * field };
}

/** Returns the initial values of a parameter. They depend on its path. */
export function initialValues(
  seed: number,
  parameter: { readonly path: string; readonly shape: Shape; readonly initial: Initialiser; readonly fans?: Fans },
): Float64Array {
  const { path, shape, initial, fans = fansOf(shape) } = parameter;
  return initial.values(shape, fans, stream(seed, "initial", path).at(0));
}

type Draw<O> = (given: { shape: Shape; fans: Fans; draws: Draws; options: O }) => Float64Array;
const defined = new Registry<(options?: JsonObject) => Initialiser>("initialiser");

/**
 * Defines your own initialiser, which files refer to by name:
 * `initialiser(name, defaults, ({ shape, fans, draws, options }) => values)`.
 *
 * `check` throws for invalid options. @throws OptionError for a name that is taken
 */
export function initialiser<O extends JsonObject>(
  name: string,
  defaults: O,
  draw: Draw<O>,
  check?: (options: O) => void,
): (options?: Partial<O>) => Initialiser {
  const factory = (given: Partial<O> = {}): Initialiser => {
    checkKeys(name, given, Object.keys(defaults));
    const options: O = { ...defaults, ...given };
    check?.(options);
    return {
      name,
      options,
      values: (shape, fans, draws) => draw({ shape, fans, draws, options }),
      toJSON: () => ({ initialiser: name, ...options }),
    };
  };
  defined.define(name, (options) => factory(options as Partial<O>));
  return factory;
}

/** Returns an initialiser from its name or its JSON. */
export function initialiserFromJson(json: Json): Initialiser {
  const described = typeof json === "string" ? { initialiser: json } : json;
  checkNamedJson("initialiserFromJson", described, "initialiser", "an initialiser");
  const { initialiser: name, ...options } = described as JsonObject;
  const factory = library.length > 0 ? defined.get(String(name)) : undefined;
  if (factory) return factory(options);
  throw new OptionError(
    "initialiser",
    `"${String(name)}" is not known (known: ${defined.names().join(", ")}); define it before it is read`,
    "OPTION_UNKNOWN",
  );
}

export const isInitialiser = (value: unknown): value is Initialiser =>
  typeof value === "object" && value !== null && "values" in value && "toJSON" in value && typeof value.values === "function";

const filled = (shape: Shape, next: () => number): Float64Array => Float64Array.from({ length: sizeOf(shape) }, next);
const everywhere = (value: number) => (given: { shape: Shape }) => filled(given.shape, () => value);

function scaled(name: string, variance: (fans: Fans) => number, form: "normal" | "uniform") {
  return initialiser<{
    /** Factor of the standard deviation, >= 0. Default 1. */
    gain: number;
  }>(
    name,
    { gain: 1 },
    ({ shape, fans, draws, options }) => {
      const deviation = options.gain * Math.sqrt(variance(fans));
      if (form === "normal") return filled(shape, () => deviation * draws.normal());
      const limit = Math.sqrt(3) * deviation;
      return filled(shape, () => limit * (2 * draws.uniform() - 1));
    },
    ({ gain }) => checkNumber(name, "gain", gain, { low: 0 }),
  );
}

/** Normal with variance gain² · 2/fanIn, for weights before ReLU. `gain` >= 0, default 1. He et al. 2015. */
export const heNormal = scaled("heNormal", ({ fanIn }) => 2 / fanIn, "normal");
/** Uniform with variance gain² · 2/fanIn. `gain` >= 0, default 1. He et al. 2015. */
export const heUniform = scaled("heUniform", ({ fanIn }) => 2 / fanIn, "uniform");
/** Normal with variance gain² · 2/(fanIn + fanOut). `gain` >= 0, default 1. Glorot, Bengio 2010. */
export const glorotNormal = scaled("glorotNormal", ({ fanIn, fanOut }) => 2 / (fanIn + fanOut), "normal");
/** Uniform with variance gain² · 2/(fanIn + fanOut). `gain` >= 0, default 1. Glorot, Bengio 2010. */
export const glorotUniform = scaled("glorotUniform", ({ fanIn, fanOut }) => 2 / (fanIn + fanOut), "uniform");
/** Normal with variance gain²/fanIn. `gain` >= 0, default 1. LeCun et al. 1998. */
export const lecunNormal = scaled("lecunNormal", ({ fanIn }) => 1 / fanIn, "normal");
/** Uniform with variance gain²/fanIn. `gain` >= 0, default 1. LeCun et al. 1998. */
export const lecunUniform = scaled("lecunUniform", ({ fanIn }) => 1 / fanIn, "uniform");

/**
 * A random matrix with orthonormal rows or columns, times `gain` >= 0 (1). The matrix has a row for each index of all
 * axes except the last, and a column for each index of the last axis. Saxe et al. 2014.
 */
export const orthogonal = initialiser<{
  /** Factor of the matrix, >= 0. Default 1. */
  gain: number;
}>(
  "orthogonal",
  { gain: 1 },
  ({ shape, draws, options: { gain } }) => {
    const columns = shape.at(-1) ?? 1;
    const rows = sizeOf(shape) / columns;
    const tall = rows > columns;
    const [count, length] = tall ? [columns, rows] : [rows, columns];
    const made = orthogonalRows(count, length, draws);
    return Float64Array.from({ length: rows * columns }, (_, at) => {
      const [row, column] = [Math.floor(at / columns), at % columns];
      return gain * (tall ? made[column * length + row] : made[row * length + column]);
    });
  },
  ({ gain }) => checkNumber("orthogonal", "gain", gain, { low: 0 }),
);

/** Sets all values to 0. */
export const zeros = initialiser("zeros", {}, everywhere(0));
/** Sets all values to 1. */
export const ones = initialiser("ones", {}, everywhere(1));
/** Sets all values to `value` (0). */
export const constantInitial = initialiser<{
  /** Value of all parameters. Default 0. */
  value: number;
}>(
  "constantInitial",
  { value: 0 },
  ({ shape, options }) => filled(shape, () => options.value),
  ({ value }) => checkNumber("constantInitial", "value", value),
);

/** Splits the last axis into equal blocks and fills each block with one value. Used for biases of gates. */
export const blockConstants = initialiser<{ values: number[] }>(
  "blockConstants",
  { values: [0] },
  ({ shape, options: { values } }) => {
    const extent = shape.at(-1) ?? 1;
    return Float64Array.from({ length: sizeOf(shape) }, (_, at) => values[Math.floor(((at % extent) * values.length) / extent)]);
  },
  ({ values }) => values.forEach((value) => void checkNumber("blockConstants", "values", value)),
);

/** Normal with the given `mean` (0) and `deviation` >= 0 (0.01). */
export const normalInitial = initialiser<{
  /** Mean of the values. Default 0. */
  mean: number;
  /** Standard deviation of the values, >= 0. Default 0.01. */
  deviation: number;
}>(
  "normalInitial",
  { mean: 0, deviation: 0.01 },
  ({ shape, draws, options: { mean, deviation } }) => filled(shape, () => mean + deviation * draws.normal()),
  ({ mean, deviation }) => {
    checkNumber("normalInitial", "mean", mean);
    checkNumber("normalInitial", "deviation", deviation, { low: 0 });
  },
);

/** Uniform between `low` (−0.05) and `high` (0.05). */
export const uniformInitial = initialiser<{
  /** Smallest value. Default −0.05. */
  low: number;
  /** Largest value. Default 0.05. */
  high: number;
}>(
  "uniformInitial",
  { low: -0.05, high: 0.05 },
  ({ shape, draws, options: { low, high } }) => filled(shape, () => low + (high - low) * draws.uniform()),
  ({ low, high }) => {
    checkNumber("uniformInitial", "low", low);
    checkNumber("uniformInitial", "high", high, { low });
  },
);

/**
 * List of the built-in initialisers. The list is read before an initialiser is looked up by name, so that bundlers keep
 * all initialisers.
 */
const library = [
  heNormal,
  heUniform,
  glorotNormal,
  glorotUniform,
  lecunNormal,
  lecunUniform,
  orthogonal,
  zeros,
  ones,
  constantInitial,
  blockConstants,
  normalInitial,
  uniformInitial,
];

/** Reserves the names of all built-in initialisers. */
export function reserveInitialisers(): void {
  if (library.length > 0) defined.reserve();
}
