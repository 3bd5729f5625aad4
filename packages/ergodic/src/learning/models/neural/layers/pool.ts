/**
 * Pooling: the maximum or the mean over windows, channel by channel, and the mean over all positions.
 *
 * x: [n, height, width, channels], or a sequence [n, length, channels]. y has the same axes, with one cell per window.
 * `size`: cells of the window; `stride`: default the size, so that windows do not overlap. `padding`: maxima ignore
 * padded cells. Means also ignore padded cells, unless `countPadding` is set. `globalAveragePool`: [n, …, channels] →
 * [n, channels].
 *
 * @throws OptionError for options out of range
 */

import {
  averagePool as average,
  maxPool as largest,
  mean,
  reshape,
  type SymbolicArray,
} from "../../../../engine/compiler/array/index.ts";
import { plain } from "../../../../engine/errors/checks.ts";
import type { Layer } from "../scope.ts";
import { checkExtent, checkPadding, type Extent, expectRank, type Padding } from "./expected.ts";
import { layer, type Named } from "./layer.ts";
import { spatial } from "./spatial.ts";

/** Options of `maxPool`. */
export interface PoolOptions extends Named {
  /** Cells of the window: a number or [height, width]. Default 2. */
  readonly size?: Extent;
  /** Distance between windows, in cells. Default: the size. */
  readonly stride?: Extent;
  /** Padding: "same", "valid", or cells on each side. Default "valid". */
  readonly padding?: Padding;
}

/** Options of `averagePool`. */
export interface AveragePoolOptions extends PoolOptions {
  /** Whether cells of padding count as zeros. Default false: they are ignored. */
  readonly countPadding?: boolean;
}

function check(kind: string, { size, stride, padding }: PoolOptions): void {
  checkExtent(kind, "size", size);
  checkExtent(kind, "stride", stride);
  checkPadding(kind, padding);
}

type Window = Omit<ReturnType<typeof spatial>, "image">;

function pooled(
  x: SymbolicArray,
  { size = 2, stride = size, padding = "valid" }: PoolOptions,
  pool: (image: SymbolicArray, window: Window) => SymbolicArray,
): SymbolicArray {
  const { image, ...window } = spatial(x, { kernel: size, stride, padding });
  const y = pool(image, window);
  return x.rank === 3 ? reshape(y, [y.shape[0], y.shape[2], y.shape[3]]) : y;
}

const FORM = "[height, width, channels] or [length, channels]";

const makeMax = layer<PoolOptions>(
  "maxPool",
  (x, scope, options) => {
    expectRank("maxPool", scope, x, [3, 4], FORM);
    return pooled(x, options, (image, { kernel, stride, padding }) => largest(image, { size: kernel, strides: stride, padding }));
  },
  {
    options: { size: "own", stride: "own", padding: "own" },
    example: { options: { size: [2, 1], stride: 1, padding: "same" }, input: [1, 4, 4, 2] },
    check: (options) => check("maxPool", options),
  },
);

const makeAverage = layer<AveragePoolOptions>(
  "averagePool",
  (x, scope, { countPadding = false, ...options }) => {
    expectRank("averagePool", scope, x, [3, 4], FORM);
    return pooled(x, options, (image, { kernel, stride, padding }) =>
      average(image, { size: kernel, strides: stride, padding, countPadding }),
    );
  },
  {
    options: { size: "own", stride: "own", padding: "own", countPadding: "boolean" },
    example: { options: { size: 2, countPadding: true, padding: 1 }, input: [1, 4, 4, 2] },
    check: (options) => check("averagePool", options),
  },
);

const makeGlobal = layer<Named>(
  "globalAveragePool",
  (x, scope) => {
    if (x.rank < 3) expectRank("globalAveragePool", scope, x, [3, 4], FORM);
    return mean(x, { axis: x.shape.slice(1, -1).map((_, i) => i + 1) });
  },
  { options: {}, example: { options: {}, input: [1, 4, 4, 2] } },
);

/**
 * Maximum over windows of `size` cells, channel by channel. x: [n, height, width, channels] or [n, length, channels].
 *
 * @param size cells of the window: a number or [height, width]. Default 2
 * @param options stride (default: the size), padding, name
 * @throws OptionError
 */
export const maxPool = (size: Extent = 2, options: Omit<PoolOptions, "size"> = {}): Layer =>
  makeMax({ size, ...plain("maxPool", options, ["size"]) });
/**
 * Mean over windows of `size` cells, channel by channel. x: [n, height, width, channels] or [n, length, channels].
 * @throws OptionError
 */
export const averagePool = (size: Extent = 2, options: Omit<AveragePoolOptions, "size"> = {}): Layer =>
  makeAverage({ size, ...plain("averagePool", options, ["size"]) });
/** Mean over all positions: [n, …, channels] → [n, channels]. */
export const globalAveragePool = (options: Named = {}): Layer => makeGlobal(options);
