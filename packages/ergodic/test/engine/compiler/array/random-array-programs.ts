/**
 * Generates random array programs. Each step of a program applies an operation to earlier arrays, so that parts are
 * shared. Squashed products keep values between −4 and 4 and derivatives moderate, so that float32 and float64
 * differences are comparable.
 */
import fc from "fast-check";
import {
  averagePool,
  broadcastTo,
  circulant,
  concatenate,
  conv2d,
  cumsum,
  flip,
  gather,
  input,
  logSumExp,
  matmul,
  maxPool,
  mean,
  minimum,
  normal,
  oneHot,
  pad,
  range,
  reshape,
  type Shape,
  type SymbolicArray,
  scan,
  slice,
  softmax,
  stack,
  transpose,
  triangularSolve,
} from "../../../../src/engine/compiler/array/index.ts";
import {
  add,
  cos,
  div,
  exp,
  less,
  max,
  maximum,
  min,
  mul,
  neg,
  sigmoid,
  sin,
  sqrt,
  square,
  sub,
  sum,
  tanh,
  where,
} from "../../../../src/engine/compiler/index.ts";
import { numbers } from "../../../reference/arrays.ts";

export interface RandomProgram {
  readonly inputs: readonly { readonly name: string; readonly shape: Shape; readonly values: Float64Array }[];
  readonly output: SymbolicArray;
  /** Names of the operations, for messages. */
  readonly steps: readonly string[];
}

export interface ProgramOptions {
  readonly steps?: number;
  /** Whether to use only operations whose second derivative exists everywhere. Default: all operations. */
  readonly smooth?: boolean;
  /**
   * Whether arrays can have up to 30,000 numbers, which need large loops and unrolled vectors. Default: up to 96
   * numbers.
   */
  readonly large?: boolean;
}

/**
 * Applies an operation to earlier arrays, with a number that picks among variants. Undefined if the arrays do not fit.
 */
type Operation = (a: SymbolicArray, b: SymbolicArray, pick: number) => SymbolicArray | undefined;

const axisFor = (a: SymbolicArray, pick: number): number => pick % a.rank;
/** Squashes unbounded results back to size 1. */
const tamed = (x: SymbolicArray): SymbolicArray => tanh(x);

const broadcasts = (a: Shape, b: Shape): boolean =>
  Array.from({ length: Math.min(a.length, b.length) }, (_, i) => [a[a.length - 1 - i], b[b.length - 1 - i]]).every(
    ([m, n]) => m === n || m === 1 || n === 1,
  );

const elementwise =
  (f: (a: SymbolicArray, b: SymbolicArray) => SymbolicArray): Operation =>
  (a, b) =>
    broadcasts(a.shape, b.shape) ? f(a, b) : undefined;

const SMOOTH: Record<string, Operation> = {
  add: elementwise((a, b) => mul(0.5, add(a, b))),
  sub: elementwise((a, b) => mul(0.5, sub(a, b))),
  mul: elementwise((a, b) => mul(a, b)),
  div: elementwise((a, b) => div(a, add(1, square(b)))),
  neg: (a) => neg(a),
  tanh: (a) => tanh(a),
  sigmoid: (a) => sigmoid(a),
  exp: (a) => exp(neg(square(a))),
  sin: (a) => add(sin(a), mul(0.25, cos(a))),
  sqrt: (a) => sqrt(add(1, square(a))),
  sum: (a, _, pick) => (a.rank > 0 ? tamed(sum(a, { axis: axisFor(a, pick) })) : undefined),
  mean: (a, _, pick) => mean(a, { axis: a.shape.map((_, i) => i).filter((i) => (pick >> i) & 1), keep: pick % 2 === 0 }),
  logSumExp: (a, _, pick) => (a.rank > 0 ? tamed(logSumExp(a, { axis: axisFor(a, pick) })) : undefined),
  softmax: (a, _, pick) => (a.rank > 0 ? softmax(a, { axis: axisFor(a, pick) }) : undefined),
  reshape: (a) => reshape(a, [a.size]),
  split: (a) => (a.size % 2 === 0 ? reshape(a, [2, a.size / 2]) : undefined),
  transpose: (a, _, pick) => (a.rank > 1 ? transpose(a, pick % 2 ? [...a.shape.keys()].reverse() : rotated(a.rank)) : undefined),
  slice: (a, _, pick) => {
    if (a.rank === 0) return undefined;
    const axis = axisFor(a, pick);
    return a.shape[axis] > 1 ? slice(a, { axis, from: 1, step: 1 + (pick % 2) }) : undefined;
  },
  flip: (a, _, pick) => (a.rank > 0 ? flip(a, axisFor(a, pick)) : undefined),
  pad: (a, _, pick) =>
    pad(
      a,
      a.shape.map((_, i) => [(pick >> i) & 1, pick % 2] as const),
    ),
  concatenate: (a, b, pick) =>
    a.rank > 0 && String(a.shape) === String(b.shape) ? concatenate([a, b], axisFor(a, pick)) : undefined,
  stack: (a, b) => (String(a.shape) === String(b.shape) ? stack([a, b]) : undefined),
  broadcast: (a) => broadcastTo(a, [2, ...a.shape]),
  matmul: (a, b) => {
    const inner = a.shape[a.rank - 1];
    const fits = a.rank > 0 && b.rank > 0 && inner === b.shape[Math.max(0, b.rank - 2)];
    return fits && broadcasts(a.shape.slice(0, -2), b.shape.slice(0, -2)) ? tamed(matmul(a, b)) : undefined;
  },
  gram: (a) => (a.rank > 1 ? tamed(matmul(a, transpose(a, swapped(a.rank)))) : undefined),
  gather: (a, _, pick) => (a.rank > 0 ? gather(a, mul(range(3), pick % 2 ? 0 : Math.floor((a.shape[0] - 1) / 2))) : undefined),
  cumsum: (a, _, pick) => (a.rank > 0 ? tamed(cumsum(a, { axis: axisFor(a, pick), reverse: pick % 2 === 0 })) : undefined),
  convolution: (a, b) => {
    const image = imageOf(a);
    const weights = flatten(b, 4);
    return image && weights ? tamed(conv2d(image, reshape(weights, [2, 2, 1, 1]), { padding: "same" })) : undefined;
  },
  depthwise: (a, b) => {
    if (a.size % 2 !== 0) return undefined;
    const weights = flatten(b, 6);
    return (
      weights && tamed(conv2d(reshape(a, [1, 1, a.size / 2, 2]), reshape(weights, [1, 3, 1, 2]), { padding: "same", groups: 2 }))
    );
  },
  averagePool: (a) => {
    const image = imageOf(a);
    return image && averagePool(image, { size: [1, 2], strides: 1, padding: "same" });
  },
  circulant: (a, b) => {
    const blocks = flatten(b, 2);
    return a.rank > 0 && a.shape[a.rank - 1] === 2 && blocks ? tamed(circulant(a, reshape(blocks, [1, 1, 2]))) : undefined;
  },
  triangularSolve: (a, b) => {
    const matrix = flatten(a, 4);
    const side = flatten(b, 2);
    const steady = add(mul(reshape(oneHot(range(2), 2), [2, 2]), 2), matrix ? tanh(reshape(matrix, [2, 2])) : 0);
    return matrix && side ? tamed(triangularSolve(steady, side)) : undefined;
  },
  normal: (a) => mul(a, tanh(normal(a.shape, a.rank + 1))),
  scan: (a, b) => {
    const step = a.shape.slice(1);
    const fits = b.rank < a.rank && b.shape.every((n, i) => n === 1 || n === step[i + step.length - b.rank]);
    if (a.rank === 0 || !fits) return undefined;
    const start = broadcastTo(b, step);
    const { outputs } = scan([start], [a], ([h], [x]) => [[tanh(add(h, x))], [mul(h, x)]]);
    return outputs[0];
  },
};

/** Operations with kinks. Differences agree except at ties, which bounded random numbers avoid. */
const WITH_CORNERS: Record<string, Operation> = {
  ...SMOOTH,
  where: elementwise((a, b) => where(less(a, b), a, mul(2, b))),
  min: elementwise((a, b) => min(a, b)),
  max: elementwise((a, b) => max(a, b)),
  maximum: (a, _, pick) => (a.rank > 0 ? maximum(a, { axis: axisFor(a, pick) }) : undefined),
  minimum: (a, _, pick) => (a.rank > 0 ? minimum(a, { axis: axisFor(a, pick) }) : undefined),
  maxPool: (a) => {
    const image = imageOf(a);
    return image && maxPool(image, { size: [1, 2], strides: 1, padding: "same" });
  },
};

const rotated = (rank: number): number[] => Array.from({ length: rank }, (_, i) => (i + 1) % rank);
const swapped = (rank: number): number[] =>
  Array.from({ length: rank }, (_, i) => (i === rank - 1 ? i - 1 : i === rank - 2 ? i + 1 : i));
const imageOf = (a: SymbolicArray): SymbolicArray | undefined => (a.rank === 2 ? reshape(a, [1, ...a.shape, 1]) : undefined);
const flatten = (a: SymbolicArray, count: number): SymbolicArray | undefined =>
  a.size >= count ? slice(reshape(a, [a.size]), { to: count }) : undefined;

export const operationNames: readonly string[] = Object.keys(WITH_CORNERS);

const LARGEST = 96;
const SHAPES: readonly Shape[] = [
  [],
  [1],
  [2],
  [3],
  [4],
  [5],
  [2, 3],
  [3, 2],
  [4, 4],
  [1, 3],
  [3, 1],
  [2, 2, 3],
  [2, 1, 3],
  [1, 8],
  [17],
];

const MOST_OF_LARGE = 30_000;
const LARGE_SHAPES: readonly Shape[] = [[], [33], [1, 65], [2, 1100], [2049], [64, 33], [40, 1], [9, 8, 31], [5, 1, 130]];

interface Choice {
  readonly operation: number;
  readonly a: number;
  readonly b: number;
  readonly pick: number;
}

function built(
  shapes: readonly Shape[],
  choices: readonly Choice[],
  seed: number,
  { smooth = false, large = false }: ProgramOptions,
): RandomProgram {
  const most = large ? MOST_OF_LARGE : LARGEST;
  const operations = Object.entries(smooth ? SMOOTH : WITH_CORNERS);
  const inputs = shapes.map((shape, i) => ({
    name: `x${i}`,
    shape,
    values: numbers(
      shape.reduce((a, b) => a * b, 1),
      seed + i,
    ),
  }));
  const made = inputs.map(({ name, shape }) => input(name, shape));
  const steps: string[] = [];
  for (const { operation, a, b, pick } of choices) {
    // Prefers recent arrays, so that programs grow deep.
    const from = (n: number): SymbolicArray => made[made.length - 1 - (n % made.length)];
    const [name, apply] = operations[operation % operations.length];
    const result = apply(from(a), from(b), pick);
    if (!result || result.size > most || result.rank > 4) continue;
    steps.push(name);
    made.push(result);
  }
  // Sums all arrays, so that no part is dead.
  const output = made.map((x) => mean(x)).reduce((x, y) => add(x, y));
  return { inputs, output, steps };
}

/** Generates programs of up to `steps` operations with a scalar output, and values of their inputs. */
export function arbitraryProgram(options: ProgramOptions = {}): fc.Arbitrary<RandomProgram> {
  const { steps = 12, large = false } = options;
  const choice = fc.record({ operation: fc.nat(997), a: fc.nat(5), b: fc.nat(5), pick: fc.nat(15) });
  return fc
    .record({
      shapes: fc.array(fc.constantFrom(...(large ? LARGE_SHAPES : SHAPES)), { minLength: 2, maxLength: 4 }),
      choices: fc.array(choice, { minLength: 1, maxLength: steps }),
      seed: fc.nat(1000),
    })
    .map(({ shapes, choices, seed }) => built(shapes, choices, seed, options));
}
