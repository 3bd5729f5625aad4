/** Random networks over all layers, drawn from a seed. Shapes are tracked, so that every layer fits. */
import * as ergodic from "../../../ergodic/src/entries/everything.ts";

type Draws = ergodic.RandomDraws;
type Layer = ergodic.Layer;

export interface Architecture {
  readonly rowShape: readonly number[];
  readonly layers: Layer[];
  /** Kinds of the layers, for the test's count. */
  readonly kinds: Set<string>;
}

const BIASES = { initialBias: ergodic.normalInitial({ deviation: 0.5 }) };

interface Making {
  readonly d: Draws;
  readonly kinds: Set<string>;
}

type Made = readonly [layer: Layer, shape: number[]];

const pick = <T>(d: Draws, list: readonly T[]): T => list[d.integer(list.length)];
const between = (d: Draws, low: number, high: number): number => low + d.integer(high - low + 1);
const divisors = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1).filter((g) => n % g === 0);

/** A window that fits along each axis, [kernel, stride, padding, dilation], and the number of output cells. */
function windowOver(d: Draws, sizes: readonly number[], isPool: boolean) {
  const dilation = isPool ? 1 : pick(d, [1, 1, 1, 2]);
  const padding = pick(d, ["same", "valid", 1] as const);
  const kernels = sizes.map((size) => {
    const most = padding === "valid" ? Math.floor((size - 1) / dilation) + 1 : 3;
    return between(d, padding === 1 && isPool ? 2 : 1, Math.max(padding === 1 && isPool ? 2 : 1, Math.min(3, most)));
  });
  const strides = sizes.map(() => pick(d, [1, 1, 2, 3]));
  const out = sizes.map((size, i) => {
    const covered = dilation * (kernels[i] - 1) + 1;
    if (padding === "same") return Math.ceil(size / strides[i]);
    const whole = size + (padding === 1 ? 2 : 0);
    return Math.floor((whole - covered) / strides[i]) + 1;
  });
  return out.every((n) => n >= 1) ? { kernels, strides, padding, dilation, out } : undefined;
}

const pairOf = (list: readonly number[]): number | [number, number] => (list.length === 1 ? list[0] : [list[0], list[1]]);

function convolved({ d, kinds }: Making, shape: readonly number[], same = 0): Made | undefined {
  const sizes = shape.slice(0, -1);
  const inside = shape.at(-1)!;
  if (same > 0) {
    kinds.add("convolution");
    return [ergodic.convolution(same, { kernel: pick(d, [1, 3]), bias: d.integer(2) === 0, ...BIASES }), [...sizes, same]];
  }
  const w = windowOver(d, sizes, false);
  if (!w) return undefined;
  const { padding, dilation, out } = w;
  const options = {
    kernel: pairOf(w.kernels),
    stride: pairOf(w.strides),
    padding,
    dilation,
    bias: d.integer(2) === 0,
    ...BIASES,
  };
  const kind = pick(d, ["convolution", "convolution", "depthwise", "circulantConvolution"]);
  kinds.add(kind);
  if (kind === "depthwise") {
    const multiplier = between(d, 1, 2);
    return [ergodic.depthwise({ ...options, multiplier }), [...out, inside * multiplier]];
  }
  if (kind === "circulantConvolution") {
    const channels = between(d, 1, 9);
    return [ergodic.circulantConvolution(channels, { ...options, block: pick(d, [2, 3, 4]) }), [...out, channels]];
  }
  const groups = pick(d, divisors(inside));
  const channels = groups * between(d, 1, 4);
  return [ergodic.convolution(channels, { ...options, groups }), [...out, channels]];
}

function pooled({ d, kinds }: Making, shape: readonly number[]): Made | undefined {
  const w = windowOver(d, shape.slice(0, -1), true);
  if (!w) return undefined;
  const options = { stride: pairOf(w.strides), padding: w.padding };
  const kind = pick(d, ["maxPool", "averagePool"]);
  kinds.add(kind);
  const size = pairOf(w.kernels);
  const layer =
    kind === "maxPool"
      ? ergodic.maxPool(size, options)
      : ergodic.averagePool(size, { ...options, countPadding: d.integer(2) === 0 });
  return [layer, [...w.out, shape.at(-1)!]];
}

function halved(d: Draws, shape: readonly number[]): Made | undefined {
  const channels = shape.at(-1)!;
  const which = pick(d, ["first", "second"] as const);
  const half = channels >> 1;
  return channels < 2
    ? undefined
    : [ergodic.halfOfChannels(which), [...shape.slice(0, -1), which === "first" ? half : channels - half]];
}

/** Layers that accept any array. */
function common(making: Making, shape: readonly number[], depth: number): Made | undefined {
  const { d, kinds } = making;
  const kind = pick(d, [
    "activation",
    "activation",
    "batchNorm",
    "layerNorm",
    "dense",
    "residual",
    "concatenating",
    "dropout",
    "channelShuffle",
    "halfOfChannels",
  ]);
  const channels = shape.at(-1)!;
  const outside = shape.slice(0, -1);
  kinds.add(kind);
  if (kind === "activation") {
    const name = pick(d, ergodic.activationNames);
    kinds.add(`activation ${name}`);
    return [ergodic.activation(name), [...shape]];
  }
  if (kind === "batchNorm") return [ergodic.batchNorm({ affine: d.integer(2) === 0 }), [...shape]];
  if (kind === "layerNorm") return [ergodic.layerNorm(), [...shape]];
  if (kind === "dropout") return [ergodic.dropout(0.3), [...shape]];
  if (kind === "channelShuffle") return [ergodic.channelShuffle(pick(d, divisors(channels))), [...shape]];
  if (kind === "dense") {
    const units = between(d, 1, 8);
    return [ergodic.dense(units, { bias: d.integer(2) === 0, ...BIASES }), [...outside, units]];
  }
  if (kind === "halfOfChannels") return halved(d, shape);
  if (depth > 2) return undefined;
  if (kind === "residual") {
    const body = outside.length > 0 ? convolved(making, shape, channels)![0] : ergodic.dense(channels, BIASES);
    const inner = ergodic.sequential([body, ergodic.batchNorm(), ergodic.activation(pick(d, ["relu6", "silu"]))]);
    return [ergodic.residual(inner), [...shape]];
  }
  const widths = Array.from({ length: between(d, 2, 3) }, () => between(d, 1, 5));
  const branches = widths.map((width) =>
    outside.length > 0 ? convolved(making, shape, width)![0] : ergodic.dense(width, BIASES),
  );
  return [ergodic.concatenating(branches), [...outside, widths.reduce((a, b) => a + b, 0)]];
}

function layerFor(making: Making, shape: readonly number[], depth: number): Made | undefined {
  const { d, kinds } = making;
  const choice = d.integer(10);
  const size = shape.reduce((a, b) => a * b, 1);
  if (shape.length === 3) {
    if (choice < 4) return convolved(making, shape);
    if (choice === 4) return pooled(making, shape);
    if (choice === 5 && depth > 1) {
      const kind = pick(d, ["globalAveragePool", "flatten", "reshaped"]);
      kinds.add(kind);
      if (kind === "globalAveragePool") return [ergodic.globalAveragePool(), [shape[2]]];
      if (kind === "flatten") return [ergodic.flatten(), [size]];
      return [ergodic.reshaped([-1, shape[2]]), [shape[0] * shape[1], shape[2]]];
    }
    return common(making, shape, depth);
  }
  if (shape.length === 2) {
    if (choice < 2) return convolved(making, shape);
    if (choice === 2) return pooled(making, shape);
    if (choice < 6) {
      const kind = pick(d, ["gru", "lstm"] as const);
      const [units, sequence] = [between(d, 1, 5), d.integer(2) === 0];
      kinds.add(kind);
      return [(kind === "gru" ? ergodic.gru : ergodic.lstm)(units, { sequence }), sequence ? [shape[0], units] : [units]];
    }
    if (choice === 6) {
      kinds.add("flatten");
      return [ergodic.flatten(), [size]];
    }
    return common(making, shape, depth);
  }
  if (choice < 2) {
    const units = between(d, 1, 9);
    kinds.add("circulantDense");
    return [ergodic.circulantDense(units, { block: pick(d, [1, 2, 3, 4, 8]), ...BIASES }), [units]];
  }
  if (choice === 2 && size > 1) {
    kinds.add("reshaped");
    const rows = pick(d, divisors(size));
    return [ergodic.reshaped([rows, size / rows]), [rows, size / rows]];
  }
  return common(making, shape, depth);
}

export function architecture(seed: number, outputs: number): Architecture {
  const d = ergodic.stream(seed, "architecture").at(0);
  const kinds = new Set<string>();
  const rowShape = pick(d, [
    [between(d, 3, 7), between(d, 3, 7), between(d, 1, 4)],
    [between(d, 4, 6), between(d, 4, 6), 1],
    [between(d, 2, 6), between(d, 1, 4)],
    [between(d, 1, 8)],
  ]);
  const layers: Layer[] = [];
  let shape: number[] = [...rowShape];
  const count = between(d, 2, 7);
  for (let depth = 0; layers.length < count; depth++) {
    const made = depth < 100 ? layerFor({ d, kinds }, shape, layers.length) : undefined;
    if (depth >= 100) break;
    if (!made) continue;
    layers.push(made[0]);
    shape = made[1];
  }
  if (shape.length > 1) layers.push(ergodic.flatten());
  return { rowShape, layers: [...layers, ergodic.dense(outputs, BIASES)], kinds };
}
