/**
 * kernels/engine/images/pooling.ts agrees with plain twins bit for bit: both precisions, random windows, 0 … 9
 * channels, ties and special values.
 */
import { describe, expect, it } from "vitest";
import { type ConvolutionShape, writeConvolutionSpec } from "../../../src/engine/memory/convolution.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { CONV_BYTES } from "../../../src/engine/memory/fields.ts";
import { type Draws, stream } from "../../../src/engine/random/stream.ts";
import { power } from "../../power.ts";
import { averagePool, averagePoolInput, maxPool, maxPoolInput } from "../../reference/pooling.ts";
import { drawShape, shapeOf } from "./convolution-shapes.ts";
import { type FloatType, floatTypes, Guarded, rounded } from "./guarded.ts";

const engine = await openEngine();
const cases = floatTypes.flatMap((type) => [true, false].map((deterministic) => ({ type, deterministic })));
const specials = [NaN, Infinity, -Infinity, -0, 0, 1e-45, -1e-40];

interface Setting {
  readonly type: FloatType;
  readonly deterministic: boolean;
}

const sizeOf = (s: ConvolutionShape) => ({
  x: s.batch * s.inHeight * s.inWidth * s.inChannels,
  y: s.batch * s.outHeight * s.outWidth * s.inChannels,
});

/** Returns the result of kernel(spec, …arrays, result, …numbers). */
function called(
  name: string,
  { type, deterministic }: Setting,
  shape: ConvolutionShape,
  arrays: number[][],
  size: number,
  numbers: number[] = [],
) {
  using memory = new Guarded(engine);
  const block = new Uint32Array(CONV_BYTES / 4);
  writeConvolutionSpec(block, shape);
  const result = memory.room(type, size);
  const addresses = arrays.map((values) => memory.put(type, values));
  const kernel = engine.kernel(`${name}${type.toUpperCase()}`, deterministic);
  kernel(memory.put("u32", block), ...addresses, result, ...numbers);
  return memory.read(type, result, size);
}

function check(setting: Setting, shape: ConvolutionShape, x: number[], dy: number[]): void {
  const round = setting.type === "f32" ? Math.fround : (value: number) => value;
  const { x: xSize, y: ySize } = sizeOf(shape);
  const where = JSON.stringify(shape);
  const y = called("maxPool", setting, shape, [x], ySize);
  expect(y, where).toEqual(maxPool(shape, x));
  expect(called("maxPoolInput", setting, shape, [x, y, dy], xSize), where).toEqual(maxPoolInput(shape, x, dy, round));
  for (const countPadding of [false, true]) {
    const found = called("averagePool", setting, shape, [x], ySize, [+countPadding]);
    expect(found, where).toEqual(averagePool(shape, x, countPadding, round));
    const adjoint = called("averagePoolInput", setting, shape, [dy], xSize, [+countPadding]);
    expect(adjoint, where).toEqual(averagePoolInput(shape, dy, countPadding, round));
  }
}

const shapeWith = (draws: Draws, channels: number) =>
  drawShape(draws, { inChannels: channels, outChannels: channels, groups: 1 });

describe.each(cases)("$type, deterministic: $deterministic", (setting) => {
  const { type } = setting;

  it("agrees over random windows with ties, 0 … 9 channels", () => {
    const draws = stream(1, "pooling", type).at(0);
    for (let channels = 0; channels <= 9; channels++) {
      for (let drawn = 0; drawn < power(5, 12); drawn++) {
        const shape = shapeWith(draws, channels);
        const { x, y } = sizeOf(shape);
        const dy = rounded(
          type,
          Array.from({ length: y }, () => draws.normal()),
        );
        check(
          setting,
          shape,
          Array.from({ length: x }, () => draws.integer(4) - 2),
          dy,
        );
      }
    }
  });

  it("agrees on NaN, ±Inf, ±0 and subnormal numbers", () => {
    const draws = stream(2, "pooling", type).at(0);
    for (let drawn = 0; drawn < power(12, 30); drawn++) {
      const shape = shapeWith(draws, 5);
      const values = (count: number) =>
        rounded(
          type,
          Array.from({ length: count }, () => specials[draws.integer(specials.length)]),
        );
      const { x, y } = sizeOf(shape);
      check(setting, shape, values(x), values(y));
    }
  });

  it("returns −∞ and 0 for windows without cells", () => {
    const shape = shapeOf({ inHeight: 1, inWidth: 2, inChannels: 3, padLeft: 1 });
    const x = [1, 2, 3, 4, 5, 6];
    const outside = [-Infinity, -Infinity, -Infinity];
    expect(called("maxPool", setting, shape, [x], 12)).toEqual([...outside, ...x, ...outside]);
    for (const count of [0, 1]) expect(called("averagePool", setting, shape, [x], 12, [count])).toEqual([0, 0, 0, ...x, 0, 0, 0]);
  });
});

it("agrees with PyTorch golden values", () => {
  // python3: x = torch.arange(16.).reshape(1, 1, 4, 4).remainder(5).requires_grad_()
  // torch.nn.functional.max_pool2d(x, 3, 2, 1), and x.grad after .sum().backward(); then avg_pool2d(x, 3, 2, 1, count_include_pad=False)
  const shape = shapeOf({
    inHeight: 4,
    inWidth: 4,
    kernelHeight: 3,
    kernelWidth: 3,
    strideHeight: 2,
    strideWidth: 2,
    padTop: 1,
    padLeft: 1,
  });
  const x = Array.from({ length: 16 }, (_, i) => i % 5);
  const setting = { type: "f64", deterministic: true } as const;
  const y = called("maxPool", setting, shape, [x], 4);
  expect(y).toEqual([4, 3, 4, 4]);
  expect(called("maxPoolInput", setting, shape, [x, y, [1, 1, 1, 1]], 16)).toEqual([
    0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0,
  ]);
  const average = called("averagePool", setting, shape, [x], 4, [0]);
  for (const [i, value] of [1.25, 1.5, 8 / 3, 5 / 3].entries()) expect(average[i]).toBeCloseTo(value, 12);
});
