/**
 * kernels/engine/images/convolution.ts, depthwise.ts, depthwise-weight.ts and patches.ts agree with plain twins in both
 * instruction sets and precisions.
 */
import { describe, expect, it } from "vitest";
import {
  bandScratchBytes,
  type ConvolutionShape,
  checkConvolution,
  convolutionScratchBytes,
  isDepthwise,
  outputSize,
  writeConvolutionSpec,
} from "../../../src/engine/memory/convolution.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { CONV_BAND_BYTES, CONV_BYTES } from "../../../src/engine/memory/fields.ts";
import { loadFamily } from "../../../src/engine/memory/load.ts";
import { createThread } from "../../../src/engine/memory/worker.js";
import { stream } from "../../../src/engine/random/stream.ts";
import { isSlow, power } from "../../power.ts";
import * as reference from "../../reference/convolution.ts";
import { drawShape, shapeOf } from "./convolution-shapes.ts";
import { elementBytes, type FloatType, floatTypes, Guarded, rounded, roundoff, worst } from "./guarded.ts";

const engine = await openEngine();

type Name = "convolution" | "convolutionInput" | "convolutionWeight" | "depthwise" | "depthwiseInput" | "depthwiseWeight";
/** Compares arrays of numbers as bytes, because expect().toEqual is slow for many numbers. */
const bytesOf = (type: FloatType, values: number[]): Buffer =>
  Buffer.from((type === "f32" ? Float32Array : Float64Array).from(values).buffer);

function spec(memory: Guarded, shape: ConvolutionShape): number {
  const block = new Uint32Array(CONV_BYTES / 4);
  writeConvolutionSpec(block, shape);
  return memory.put("u32", block);
}

/** Returns the result of kernel(spec, a, b, result, scratch). */
function called(
  name: Name,
  type: FloatType,
  deterministic: boolean,
  shape: ConvolutionShape,
  a: number[],
  b: number[],
  size: number,
): number[] {
  using memory = new Guarded(engine);
  const bytes = (name.startsWith("depth") ? convolutionScratchBytes : bandScratchBytes)(shape, elementBytes[type]);
  const result = memory.room(type, size);
  const scratch = memory.put("u32", new Array<number>(bytes / 4).fill(0x7fc00000));
  const [first, second] = [memory.put(type, a), memory.put(type, b)];
  engine.kernel(`${name}${type.toUpperCase()}`, deterministic)(spec(memory, shape), first, second, result, scratch);
  memory.read("u32", scratch, bytes / 4);
  expect(bytesOf(type, memory.read(type, first, a.length)).equals(bytesOf(type, a))).toBe(true);
  expect(bytesOf(type, memory.read(type, second, b.length)).equals(bytesOf(type, b))).toBe(true);
  return memory.read(type, result, size);
}

/** Checks the kernel and both adjoints in both instruction sets. Bounds are given as the number of terms of a sum. */
function check(
  type: FloatType,
  shape: ConvolutionShape,
  draws: ReturnType<ReturnType<typeof stream>["at"]>,
  family: "convolution" | "depthwise",
) {
  const { x: xSize, w: wSize, y: ySize } = reference.sizes(shape);
  const values = (count: number) =>
    rounded(
      type,
      Array.from({ length: count }, () => draws.normal()),
    );
  const [x, w, dy] = [values(xSize), values(wSize), values(ySize)];
  const taps = shape.kernelHeight * shape.kernelWidth;
  const compare = (name: "" | "Input" | "Weight", a: number[], b: number[], wanted: reference.Sums, terms: number) => {
    const value = [...wanted.value];
    const bounds = Array.from(wanted.magnitude, (size) => 2 * (terms + 1) * roundoff[type] * size);
    for (const deterministic of [true, false]) {
      const found = called(`${family}${name}`, type, deterministic, shape, a, b, value.length);
      expect(worst(found, value, bounds), `${family}${name} ${deterministic} ${JSON.stringify(shape)}`).toBeLessThanOrEqual(1);
    }
  };
  compare("", x, w, reference.convolution(shape, x, w), (taps * shape.inChannels) / shape.groups);
  compare("Input", dy, w, reference.convolutionInput(shape, dy, w), (taps * shape.outChannels) / shape.groups);
  compare("Weight", x, dy, reference.convolutionWeight(shape, x, dy), shape.batch * shape.outHeight * shape.outWidth);
}

const whole = (draws: { integer(n: number): number }, count: number) => Array.from({ length: count }, () => draws.integer(9) - 4);

describe.each(floatTypes)("%s", (type) => {
  it("convolves over random shapes, strides, pads, dilations and groups", () => {
    const draws = stream(1, "convolution", type).at(0);
    for (let drawn = 0; drawn < power(24, 120); drawn++) {
      const groups = 1 + draws.integer(3);
      const channels = { inChannels: groups * (1 + draws.integer(5)), outChannels: groups * (1 + draws.integer(5)), groups };
      check(type, drawShape(draws, channels), draws, "convolution");
    }
  });

  it.each(Array.from({ length: 18 }, (_, at) => at + 1))("convolves %i channels depthwise", (inChannels) => {
    const draws = stream(2, "depthwise", type, inChannels).at(0);
    const channels = { inChannels, outChannels: inChannels, groups: inChannels };
    for (let drawn = 0; drawn < power(2, 12); drawn++) check(type, drawShape(draws, channels), draws, "depthwise");
  });

  it.each(isSlow ? [16, 20, 33] : [16, 33])("convolves every width with three taps, %i channels", (inChannels) => {
    const draws = stream(3, "depthwise", type, inChannels).at(0);
    for (let inWidth = 1; inWidth <= 17; inWidth++) {
      const size = { batch: 2, inHeight: 3, inWidth, inChannels, groups: inChannels, kernelHeight: 3, kernelWidth: 3 };
      for (const stride of [1, 2]) {
        check(type, shapeOf({ ...size, padTop: 1, padLeft: 1, strideHeight: stride, strideWidth: stride }), draws, "depthwise");
      }
    }
  });

  it.each([1, 2, 3, 4, 5, 8, 16])("reads images directly if weights are small: %i channels", (inChannels) => {
    const draws = stream(7, "shallow", type, inChannels).at(0);
    for (let drawn = 0; drawn < power(3, 40); drawn++) {
      const shape = drawShape(draws, { inChannels, outChannels: 8 * (1 + draws.integer(3)), groups: 1 });
      check(type, shape, draws, "convolution");
      check(type, { ...shape, kernelWidth: 3, dilationWidth: 1 }, draws, "convolution");
    }
    const wide = { kernelHeight: 3, kernelWidth: 3, padTop: 1, padLeft: 1, strideWidth: 2, outChannels: 16, inChannels };
    for (let inWidth = 1; inWidth <= 17; inWidth++) check(type, shapeOf({ inHeight: 2, inWidth, ...wide }), draws, "convolution");
    const large = { batch: 2, inHeight: 45, inWidth: 45 };
    if (isSlow || inChannels === 3) check(type, shapeOf({ ...large, ...wide }), draws, "convolution");
  });

  it("convolves across the edges of its bands", () => {
    const draws = stream(4, "convolution", type).at(0);
    const kernel = { kernelHeight: 3, kernelWidth: 3, padTop: 1, padLeft: 1 };
    const long = shapeOf({ batch: 3, inHeight: 14, inWidth: 13, inChannels: 24, outChannels: 5, ...kernel });
    expect(long.batch * long.outHeight * long.outWidth * 9 * 24 * elementBytes[type]).toBeGreaterThan(CONV_BAND_BYTES);
    check(type, long, draws, "convolution");
    check(
      type,
      shapeOf({ batch: 6, inHeight: 50, inWidth: 50, ...kernel, inChannels: 2, outChannels: 4, groups: 2 }),
      draws,
      "convolution",
    );
    // One patch is larger than a band.
    check(
      type,
      shapeOf({
        inHeight: 7,
        inWidth: 6,
        kernelHeight: 6,
        kernelWidth: 6,
        inChannels: 8000 / elementBytes[type],
        outChannels: 2,
      }),
      draws,
      "convolution",
    );
    check(
      type,
      shapeOf({ batch: 5, inHeight: 40, inWidth: 40, inChannels: 12, outChannels: 6, groups: 2 }),
      draws,
      "convolution",
    );
  });

  it("propagates NaN and infinity to the outputs that read them", () => {
    const shape = shapeOf({
      inHeight: 5,
      inWidth: 6,
      inChannels: 9,
      groups: 9,
      kernelHeight: 3,
      kernelWidth: 3,
      padTop: 1,
      padLeft: 1,
    });
    const draws = stream(5, "convolution", type).at(0);
    for (const special of [NaN, Infinity, -Infinity]) {
      for (const at of [0, 9 * 13 + 4, 9 * 30 - 1]) {
        const x = whole(draws, 9 * 30).map((value, i) => (i === at ? special : value));
        const w = new Array<number>(81).fill(1);
        const wanted = [...reference.convolution(shape, x, w).value];
        for (const family of ["convolution", "depthwise"] as const)
          for (const deterministic of [true, false])
            expect(called(family, type, deterministic, shape, x, w, 9 * 30)).toEqual(wanted);
      }
    }
  });

  it("copies patches exactly and adds them back", () => {
    const draws = stream(6, "patches", type).at(0);
    for (let drawn = 0; drawn < power(20, 80); drawn++) {
      const shape = drawShape(draws, { inChannels: draws.integer(10), outChannels: 1, groups: 1 });
      const size = reference.sizes(shape).x;
      const length = reference.patches(shape, whole(draws, size)).length;
      const x = whole(draws, size).map((value) => (value === 2 ? NaN : value));
      const given = whole(draws, length);
      const wanted = { columns: [...reference.patches(shape, x)], dx: [...reference.patchesInput(shape, given).value] };
      for (const deterministic of [true, false]) {
        using memory = new Guarded(engine);
        const columns = memory.room(type, length);
        const suffix = type.toUpperCase();
        engine.kernel(`patches${suffix}`, deterministic)(spec(memory, shape), memory.put(type, x), columns);
        expect(memory.read(type, columns, length)).toEqual(wanted.columns);
        const dx = memory.room(type, size);
        engine.kernel(`patchesInput${suffix}`, deterministic)(spec(memory, shape), memory.put(type, given), dx);
        expect(memory.read(type, dx, size)).toEqual(wanted.dx);
      }
    }
  });
});

it.each(floatTypes)("reads nothing beyond an array, each in turn at the end of memory, %s", async (type) => {
  const own = new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true });
  const thread = createThread(own);
  thread.addBuild("relaxed", await loadFamily("images", "relaxed", true));
  const bytes = elementBytes[type];
  const end = own.buffer.byteLength;
  const start = 1 << 20;
  const kernel = (name: string) => thread.kernel("relaxed", `${name}${type.toUpperCase()}`);
  const block = new Uint32Array(own.buffer, start, CONV_BYTES / 4);
  const draws = stream(8, "memory", type).at(0);
  for (let drawn = 0; drawn < power(60, 300); drawn++) {
    const channels = 1 + draws.integer(20);
    const alone = draws.integer(2) === 1;
    const outChannels = alone ? channels : 4 * (1 + draws.integer(5));
    const shape = drawShape(draws, { inChannels: channels, outChannels, groups: alone ? channels : 1 });
    writeConvolutionSpec(block, shape);
    const { x, w, y } = reference.sizes(shape);
    const family = alone ? "depthwise" : "convolution";
    for (const [name, sizes] of [
      ["", [x, w, y]],
      ["Input", [y, w, x]],
      ["Weight", [x, y, w]],
    ] as const) {
      for (let atEnd = 0; atEnd < 3; atEnd++) {
        const at = sizes.map((size, i) => (i === atEnd ? end - size * bytes : start + (i + 1) * 2 ** 18));
        expect(() => kernel(family + name)(start, ...at, start + 2 ** 20), JSON.stringify(shape)).not.toThrow();
      }
    }
  }
  writeConvolutionSpec(block, shapeOf({ inHeight: 3, inWidth: 3, inChannels: 9, groups: 9 }));
  expect(() => kernel("depthwise")(start, end - 80 * bytes, start + 2 ** 18, start + 2 ** 19, start + 2 ** 20)).toThrow(
    "out of bounds",
  );
});

describe("convolution shapes", () => {
  const shape = shapeOf({ inHeight: 5, inWidth: 6, inChannels: 4, outChannels: 6, groups: 2, kernelHeight: 3, kernelWidth: 2 });

  it("computes the size of the output", () => {
    expect([outputSize(28, 3, 2, 1, 1), outputSize(7, 3), outputSize(9, 3, 2, 0, 0, 2), outputSize(1, 1)]).toEqual([14, 5, 3, 1]);
    expect(() => outputSize(4, 3, 1, 0, 0, 2)).toThrow("outputSize: the kernel covers 5 cells, but the padded image has 4");
    expect(() => outputSize(4, 0)).toThrow("kernel is 0");
  });

  it("explains an invalid shape", () => {
    expect(() => checkConvolution("conv", shape)).not.toThrow();
    expect(() => checkConvolution("conv", { ...shape, groups: 4 })).toThrow(
      "groups is 4, but must divide 4 input and 6 output channels",
    );
    expect(() => checkConvolution("conv", { ...shape, strideWidth: 0 })).toThrow("conv: strideWidth is 0");
    expect([isDepthwise(shape), isDepthwise({ ...shape, groups: 4, outChannels: 4 })]).toEqual([false, true]);
  });

  it("needs little more scratch than one band", () => {
    const large = shapeOf({
      batch: 64,
      inHeight: 28,
      inWidth: 28,
      inChannels: 64,
      outChannels: 64,
      kernelHeight: 3,
      kernelWidth: 3,
    });
    for (const bytes of [4, 8] as const)
      expect(convolutionScratchBytes(large, bytes)).toBeLessThanOrEqual(CONV_BAND_BYTES + 2 ** 20);
    expect(convolutionScratchBytes(shape, 4)).toBeLessThanOrEqual(8192);
    expect(
      convolutionScratchBytes({ ...shape, groups: 4, outChannels: 4, strideHeight: 2, strideWidth: 3 }, 8),
    ).toBeLessThanOrEqual(256);
  });
});
