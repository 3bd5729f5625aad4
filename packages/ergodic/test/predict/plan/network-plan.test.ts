/**
 * Array programs, saved as plans and run without the compiler, agree with the interpreter for any number of rows and
 * both precisions.
 */
import { afterAll, describe, expect, it } from "vitest";
import * as array from "../../../src/engine/compiler/array/index.ts";
import { encodePlan } from "../../../src/engine/compiler/array/serialise.ts";
import type { Shape, SymbolicArray } from "../../../src/engine/compiler/array/symbolic.ts";
import { add, div, less, max, maximum, mul, sigmoid, square, sub, sum, tanh, where } from "../../../src/engine/compiler/index.ts";
import { DataError, OptionError } from "../../../src/engine/errors/errors.ts";
import { type ArrayPlan, planAt } from "../../../src/engine/memory/array-plan.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { NetworkPlan } from "../../../src/predict/plan/network-plan.ts";
import { placesOf } from "../../../src/predict/plan/value-places.ts";

type Parameters = Record<string, SymbolicArray>;
/** A network on rows x [batch, …] with named parameters. */
interface Network {
  readonly x: Shape;
  readonly parameters: Record<string, Shape>;
  build(x: SymbolicArray, parameters: Parameters): SymbolicArray;
  /** Values of x. Default: normal numbers. */
  readonly draw?: (normal: () => number) => number;
}

const { constantArray, conv2d, averagePool, input, matmul, maxPool, mean, reshape, scan, softmax, take, transpose } = array;
const relu = (x: SymbolicArray): SymbolicArray => max(x, 0);
const engine = await openEngine();
const draws = stream(8, "network plan").at(0);
const normals = (count: number): Float64Array => Float64Array.from({ length: count }, () => Math.fround(draws.normal()));
const sizeOf = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);
const fixed = normals(12 * 5);

const networks: Record<string, Network> = {
  "dense, relu, dense, softmax": {
    x: [12],
    parameters: { w: [12, 20], b: [20], v: [20, 10], c: [10] },
    build: (x, { w, b, v, c }) => softmax(add(matmul(relu(add(matmul(x, w), b)), v), c)),
  },
  "weights as constants": { x: [12], parameters: {}, build: (x) => tanh(matmul(x, constantArray(fixed, [12, 5]))) },
  "rows standardised, products of columns": {
    x: [3, 7],
    parameters: { scale: [7] },
    build(x, { scale }) {
      const centred = sub(x, mean(x, { axis: -1, keep: true }));
      const spread = add(mean(square(centred), { axis: -1, keep: true }), 1e-5);
      return sum(mul(div(centred, spread), scale), { axis: 1 });
    },
  },
  "convolutions, pools, global maximum": {
    x: [9, 8, 3],
    parameters: { w: [3, 3, 3, 6], depthwise: [3, 3, 1, 6], pointwise: [1, 1, 6, 5], shift: [5] },
    build(x, { w, depthwise, pointwise, shift }) {
      const first = relu(conv2d(x, w, { strides: 2, padding: "same" }));
      const second = conv2d(relu(conv2d(first, depthwise, { padding: "same", groups: 6 })), pointwise);
      const pooled = maxPool(sigmoid(add(second, shift)), { size: 2 });
      return maximum(averagePool(pooled, { size: 2, strides: 1 }), { axis: [1, 2] });
    },
  },
  "products of many matrices: attention": {
    x: [6, 8],
    parameters: { q: [8, 8], k: [8, 8], v: [8, 8] },
    build(x, { q, k, v }) {
      const heads = (w: SymbolicArray): SymbolicArray => transpose(reshape(matmul(x, w), [x.shape[0], 6, 2, 4]), [0, 2, 1, 3]);
      const scores = matmul(heads(q), transpose(heads(k), [0, 1, 3, 2]));
      return reshape(transpose(matmul(softmax(scores), heads(v)), [0, 2, 1, 3]), [x.shape[0], 48]);
    },
  },
  "a recurrent network, and all of its states": {
    x: [5, 4],
    parameters: { w: [4, 6], u: [6, 6], start: [6] },
    build(x, { w, u, start }) {
      const rows = x.shape[0];
      const first = array.broadcastTo(start, [rows, 6]);
      const { carries, outputs } = scan([first], [transpose(x, [1, 0, 2])], ([h], [now]) => {
        const next = tanh(add(matmul(now, w), matmul(h, u)));
        return [[next], [sum(next, { axis: 1 })]];
      });
      return array.concatenate([carries[0], transpose(outputs[0])], 1);
    },
  },
  "an embedding, read backwards": {
    x: [3],
    parameters: { table: [11, 4] },
    draw: (normal) => Math.floor(Math.abs(4 * normal())) % 11,
    build(x, { table }) {
      const rows = take(table, x);
      const { carries } = scan(
        [array.full(0, [x.shape[0], 4])],
        [transpose(rows, [1, 0, 2])],
        ([c], [e]) => [[add(mul(0.5, c), e)], []],
        {
          reverse: true,
        },
      );
      return carries[0];
    },
  },
};

function saved(network: Network, precision: "f32" | "f64") {
  const plan = encodePlan((batch) => {
    const parameters = Object.fromEntries(Object.entries(network.parameters).map(([name, shape]) => [name, input(name, shape)]));
    const value = network.build(input("x", [batch, ...network.x]), parameters);
    return { name: "network", precision, outputs: [{ value, buffer: "y", offset: 0 }] };
  });
  const parameters = Object.fromEntries(
    Object.entries(network.parameters).map(([name, shape]) => [name, normals(sizeOf(shape))]),
  );
  return { plan: JSON.parse(JSON.stringify(plan.plan)) as ArrayPlan, constants: plan.constants, parameters };
}

function interpreted(network: Network, x: Float64Array, parameters: Record<string, Float64Array>, rows: number): Float64Array {
  const inputs = Object.fromEntries(Object.entries(network.parameters).map(([name, shape]) => [name, input(name, shape)]));
  return array.interpret([network.build(input("x", [rows, ...network.x]), inputs)], { x, ...parameters })[0];
}

const used = engine.memory.usedBytes;
afterAll(() => expect(engine.memory.usedBytes).toBeLessThanOrEqual(used));

describe.each(Object.keys(networks))("%s", (name) => {
  const network = networks[name];

  it.each([
    { precision: "f32", deterministic: false, tolerance: 1e-5 },
    { precision: "f64", deterministic: true, tolerance: 1e-12 },
  ] as const)("predicts like the interpreter: $precision", ({ precision, deterministic, tolerance }) => {
    const { plan, constants, parameters } = saved(network, precision);
    using predictor = new NetworkPlan(engine, plan, { ...constants, ...parameters }, { deterministic });
    expect(predictor.inputs).toEqual(["x"]);
    expect(predictor.outputs).toEqual(["y"]);
    expect(predictor.rowSize("x")).toBe(sizeOf(network.x));
    for (const rows of [1, 7, 64, 150, 2, 1]) {
      const draw = network.draw ?? ((normal) => normal());
      const x = Float64Array.from({ length: rows * sizeOf(network.x) }, () => Math.fround(draw(() => draws.normal())));
      const { y } = predictor.run({ x }, rows);
      const wanted = interpreted(network, x, parameters, rows);
      expect(y.length).toBe(wanted.length);
      const worst = Math.max(...y.map((value, i) => Math.abs(value - wanted[i]) / Math.max(1, Math.abs(wanted[i]))));
      expect(worst, `${rows} rows`).toBeLessThan(tolerance);
    }
    expect([...predictor.run({ x: [] }, 0).y]).toEqual([]);
  });
});

it.each(["f32", "f64"] as const)("an open batch of %s records whether each number is finite", (precision) => {
  const { plan, parameters } = saved({ x: [5], parameters: { w: [5, 2] }, build: (x, { w }) => matmul(x, w) }, precision);
  using predictor = new NetworkPlan(engine, plan, parameters);
  for (const rows of [1, 3]) {
    const batch = predictor.open(rows, "x", "y");
    const { input } = batch;
    expect(input).toBeInstanceOf(precision === "f64" ? Float64Array : Float32Array);
    expect(input.length).toBe(5 * rows);
    // The low half of this double would be infinity if it were read as float32.
    input.fill(precision === "f64" ? new Float64Array(new Uint32Array([0x7f800000, 0x3ff00000]).buffer)[0] : 1);
    expect(batch.isFinite()).toBe(true);
    for (const bad of [NaN, Infinity]) {
      for (let at = 0; at < input.length; at++) {
        input[at] = bad;
        expect(batch.isFinite(), `${bad} at ${at}`).toBe(false);
        input[at] = 1;
      }
    }
  }
});

it("multiplies two matrices stored consecutively in one buffer", () => {
  const { plan } = encodePlan((batch) => {
    const [w, v] = [input("w", [4, 5]), input("v", [5, 3])];
    const inputs = { w: { buffer: "weights", offset: 0 }, v: { buffer: "weights", offset: 20 } };
    const value = matmul(tanh(matmul(input("x", [batch, 4]), w)), v);
    return { name: "network", precision: "f64", inputs, outputs: [{ value, buffer: "y", offset: 0 }] };
  });
  const [x, weights] = [normals(4 * 6), normals(20 + 15)];
  using predictor = new NetworkPlan(engine, plan, { weights });
  const network: Network = {
    x: [4],
    parameters: { w: [4, 5], v: [5, 3] },
    build: (rows, { w, v }) => matmul(tanh(matmul(rows, w)), v),
  };
  const wanted = interpreted(network, x, { w: weights.subarray(0, 20), v: weights.subarray(20) }, 6);
  for (const [i, value] of predictor.run({ x }, 6).y.entries()) expect(value).toBeCloseTo(wanted[i], 12);
});

it.each(["f32", "f64"] as const)("keeps constants without JSON notation, and the sign of 0: %s", (precision) => {
  const odd = [Number.NaN, Infinity, -Infinity, -0, 0];
  const network: Network = {
    x: [1],
    parameters: {},
    build: (x) => array.concatenate(odd.map((constant) => where(less(x, 0), constant, x)), 1), // biome-ignore format: one line
  };
  const { plan, constants } = saved(network, precision);
  using predictor = new NetworkPlan(engine, plan, constants);
  const { y } = predictor.run({ x: [-1, 2] }, 2);
  expect([...y]).toEqual([...odd, 2, 2, 2, 2, 2]);
});

describe("memory between the layers", () => {
  const layers = (count: number, width: number) =>
    encodePlan((batch) => {
      let x = input("x", [batch, width]);
      for (let i = 0; i < count; i++) x = matmul(x, input(`w ${i}`, [width, width]));
      return { name: "deep", precision: "f32", outputs: [{ value: x, buffer: "y", offset: 0 }] };
    }).plan;

  it("is shared, with two live layers of a chain and disjoint places for live values", () => {
    const plan = planAt(layers(9, 64), 10);
    const { at, bytes } = placesOf(plan, 4);
    expect(at.size).toBe(8);
    expect(bytes).toBe(2 * 64 * 10 * 4);
    const places = [...at.values()];
    for (let i = 1; i < places.length; i++) expect(places[i]).not.toBe(places[i - 1]);
  });

  it("limits the rows per batch: values of 2^20 numbers per row", () => {
    const wide = encodePlan((batch) => {
      const x = input("x", [batch, 1]);
      const spread = mul(x, constantArray(Float64Array.from({ length: 2 ** 20 }, (_, i) => Number(i === 0))));
      const value = sum(array.cumsum(spread, { axis: 1 }), { axis: 1 });
      return { name: "wide", precision: "f64", outputs: [{ value, buffer: "y", offset: 0 }] };
    });
    using predictor = new NetworkPlan(engine, wide.plan, wide.constants);
    const before = engine.memory.usedBytes;
    const { y } = predictor.run({ x: new Array(20).fill(1).map((_, i) => i) }, 20);
    // Two values of 8 MiB per row allow batches of 4 rows.
    expect(predictor.chunk).toBe(4);
    expect(engine.memory.usedBytes - before).toBeLessThan(2 ** 26 + 2 ** 20);
    expect([...y]).toEqual(Array.from({ length: 20 }, (_, i) => i * 2 ** 20));
  });
});

describe("refused network plans", () => {
  const network = networks["dense, relu, dense, softmax"];
  const { plan, parameters } = saved(network, "f32");
  const opened = (changed: object, numbers: Record<string, ArrayLike<number>> = parameters): (() => void) => {
    return () => {
      using predictor = new NetworkPlan(engine, { ...plan, ...changed }, numbers, { where: "net.safetensors" });
      predictor.run({ x: new Array(12).fill(1) }, 1);
    };
  };
  const program = (build: (x: SymbolicArray) => SymbolicArray) => () =>
    encodePlan((batch) => ({
      name: "network",
      precision: "f64",
      outputs: [{ value: build(input("x", [batch, 3])), buffer: "y", offset: 0 }],
    }));

  it("refuses to save means over the batch, batch-dependent numbers, and draws", () => {
    expect(program((x) => sub(x, mean(x, { axis: 0 })))).toThrow("depends on the number of rows");
    expect(program((x) => sub(x, maximum(x, { axis: 0 })))).toThrow("an extreme depends on the number of rows");
    expect(program((x) => array.scan([array.full(0, [3])], [x], ([c], [now]) => [[add(c, now)], [c]]).outputs[0])).toThrow(
      "a scan depends",
    );
    expect(program((x) => mul(x, reshape(array.range(x.shape[0]), [-1, 1])))).toThrow("depends on the number of rows");
    expect(program((x) => add(x, array.uniform(x.shape, 1)))).toThrow("random numbers");
    expect(program((x) => mul(x, 2))).not.toThrow();
  });

  it("refuses to open later versions, missing parts, unknown kernels, and values out of range", () => {
    expect(opened({})).not.toThrow();
    expect(opened({ version: 99 })).toThrow("net.safetensors: has a plan of version 99");
    for (const version of [0, -1, 0.5, "1", null] as never[])
      expect(opened({ version }), String(version)).toThrow("net.safetensors: holds a plan of version");
    for (const precision of ["f16", "F32", null] as never[])
      expect(opened({ precision }), String(precision)).toThrow("net.safetensors: holds a plan of version 1 and precision");
    expect(opened({ precision: "f16" })).toThrow(DataError);
    const { w, ...rest } = parameters;
    expect(opened({}, rest)).toThrow('"w" is missing, but 240 are wanted');
    expect(opened({}, { ...rest, w: w.subarray(1) })).toThrow('"w" has 239 numbers');
    const text = JSON.stringify(plan);
    expect(opened(JSON.parse(text.replaceAll('"gemm"', '"gem"')))).toThrow('uses the kernel "gem"');
    expect(opened(JSON.parse(text.replaceAll('"exp"', '"toString"')))).toThrow('uses the operation "toString"');
    expect(opened({ values: plan.values.slice(0, 2) })).toThrow("the file is damaged");
    expect(opened({ values: plan.values.map((v) => ({ ...v, size: 1 })) }, { x: [1], w: [1], b: [1], v: [1], c: [1] })).toThrow(
      "damaged",
    );
  });

  it("refuses to run with missing inputs or inputs of another length", () => {
    using predictor = new NetworkPlan(engine, plan, parameters);
    expect(() => predictor.run({}, 1)).toThrow(OptionError);
    expect(() => predictor.run({ x: normals(24) }, 3)).toThrow('the input "x" has 24 numbers, but 3 rows of 12 are wanted');
  });
});
