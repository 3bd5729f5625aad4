/**
 * Rows on which a foreign model is tested before its requests are joined. The rows contain numbers of every magnitude
 * and both signs, whole numbers, and special values such as NaN. Some batches have equal rows. The rows are the same at
 * every load.
 */
import type { OnnxTensor } from "../onnx/index.ts";
import { fromHalf } from "../v2/datatypes.ts";
import { toHalf } from "../v2/half.ts";

/** An input to test. `shape` is the shape of one row. */
export interface ProbeInput {
  readonly name: string;
  readonly type: "float16" | "float32" | "float64";
  readonly shape: readonly number[];
}

type Values = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;

/** Rows of all inputs. */
export interface Batch {
  readonly rows: number;
  /** Values by input, row-major. */
  readonly data: readonly Values[];
}

/** Array type by element type. float16 is stored as bits. */
const arrays = { float16: Uint16Array, float32: Float32Array, float64: Float64Array };

type Draw = () => number;

/** A kind of rows. */
export interface Kind {
  /** Name that can be used in a sentence, such as "values of about 1000". */
  readonly name: string;
  /** Whether all rows of a batch are equal. */
  readonly equal?: boolean;
  /**
   * Whether kernels for one row and kernels for many rows can give different results for these values, as in max(NaN,
   * 0). If so, only batches of the same size are compared.
   */
  readonly odd?: boolean;
  /** Returns a function that draws the values of one row. */
  row(draw: Draw): () => number;
}

const powers = [-3, -2, -1, 0, 1, 2, 3, 4, 5, 6];

/** Rows whose values differ in magnitude: large values next to small values, and zeros. */
export const mixed: Kind = {
  name: "values of 1e-6 to 1e9 next to each other",
  row(draw) {
    const magnitude = 10 ** (Math.floor(16 * draw()) - 6);
    return () => (draw() < 0.1 ? 0 : magnitude * (2 * draw() - 1));
  },
};

/**
 * Special values. Some of the rows contain only special values. The largest finite numbers among them are the largest
 * numbers of float32.
 */
const odd: Kind = {
  name: "NaN, infinities and the largest numbers",
  odd: true,
  row(draw) {
    const values = [Number.NaN, Infinity, -Infinity, 3.4e38, -3.4e38, 0, -0, 1e-40, 1e20, -1e20];
    const share = [0, 0.2, 1][Math.floor(3 * draw())];
    const one = values[Math.floor(values.length * draw())];
    return () => {
      if (draw() >= share) return 2 * draw() - 1;
      return share === 1 ? one : values[Math.floor(values.length * draw())];
    };
  },
};

const ofMagnitude = (power: number, sign: -1 | 0 | 1): Kind => ({
  name: `${["negative values", "values", "positive values"][sign + 1]} of about ${10 ** power}`,
  row: (draw) => () => 10 ** power * (sign === 0 ? 2 * draw() - 1 : sign * (0.1 + 0.9 * draw())),
});

/** All kinds except `mixed`. */
export const kinds: readonly Kind[] = [
  ...powers.map((power) => ofMagnitude(power, 0)),
  ...[-3, 0, 3, 6].flatMap((power) => [ofMagnitude(power, 1), ofMagnitude(power, -1)]),
  { ...mixed, name: "equal rows", equal: true },
  { name: "whole numbers from 0 to 3", row: (draw) => () => Math.floor(4 * draw()) },
  { name: "one value throughout a row", row: (draw) => constant(10 * draw() - 5) },
  odd,
];

const constant = (value: number) => () => value;

/** Draws rows of a kind. Another `seed` gives other rows. */
export function drawn(kind: Kind, rows: number, inputs: readonly ProbeInput[], seed: number): Batch {
  const data = inputs.map(({ type, shape }, k) => {
    const size = sizeOf(shape);
    const values = new arrays[type](rows * size);
    const draw = generator(seed * 1000 + k);
    for (let i = 0; i < rows; i++) {
      if (kind.equal && i > 0) {
        values.copyWithin(i * size, 0, size);
        continue;
      }
      const value = kind.row(draw);
      for (let at = i * size; at < (i + 1) * size; at++) values[at] = type === "float16" ? half(value(), kind) : value();
    }
    return values;
  });
  return { rows, data };
}

/** Makes a batch from rows of other batches. Each row is given by a batch and its position in this batch. */
export function picked(from: readonly (readonly [Batch, number])[]): Batch {
  const [[{ data: sample }]] = from;
  const data = sample.map((values, k) => {
    const size = values.length / from[0][0].rows;
    const all = new (values.constructor as Float64ArrayConstructor)(size * from.length);
    for (const [i, [batch, row]] of from.entries()) {
      const own = batch.data[k] as Float64Array;
      all.set(own.subarray(row * size, (row + 1) * size), i * size);
    }
    return all;
  });
  return { rows: from.length, data };
}

/**
 * Returns one row of a batch, in which each number is randomly changed by a few rounding errors of float32 or float16.
 */
export function nudged(batch: Batch, row: number, inputs: readonly ProbeInput[], seed: number): Batch {
  const one = picked([[batch, row]]);
  const draw = generator(seed);
  for (const [k, { type }] of inputs.entries()) {
    const values = one.data[k];
    for (let i = 0; i < values.length; i++) {
      const change = 2 * draw() - 1;
      if (type === "float16") values[i] = toHalf(fromHalf(values[i]) * (1 + change * 2 ** -7));
      else values[i] *= 1 + change * 2 ** -18;
    }
  }
  return one;
}

/** Converts a batch to the model's tensors. */
export function tensorsOf({ rows, data }: Batch, inputs: readonly ProbeInput[]): Record<string, OnnxTensor> {
  const tensors = inputs.map(({ name, type, shape }, k) => [name, { type, shape: [rows, ...shape], data: data[k] }] as const);
  return Object.fromEntries(tensors);
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);

/** Limits numbers so that they are finite in float16, unless they are meant to be infinite. */
const half = (value: number, { odd: isOdd }: Kind): number => toHalf(isOdd ? value : Math.max(-6e4, Math.min(6e4, value)));

/** Uniform numbers in [0, 1). Source: mulberry32, by Tommy Ettinger. */
function generator(seed: number): Draw {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
