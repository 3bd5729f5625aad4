/** The ledger of operations and bytes agrees with counts by hand, and its energy with the published figures. */
import { describe, expect, it } from "vitest";
import { planAt } from "../../../src/engine/memory/array-plan.ts";
import {
  activation,
  averagePool,
  batchNorm,
  convolution,
  countNetwork,
  Dataset,
  dense,
  depthwise,
  factorisation,
  fit,
  flatten,
  gru,
  type Layer,
  linear,
  type Measurement,
  maxPool,
  measure,
  network,
  Ratings,
  relu,
  rff,
  sequential,
  sorf,
} from "../../../src/entries/everything.ts";
import { ledgerOf, networkWork } from "../../../src/predict/measure/ledger.ts";
import { readPlan } from "../../../src/predict/plan/format.ts";
import { batchMemory, placesOf } from "../../../src/predict/plan/value-places.ts";

type Data = Parameters<typeof Dataset.fromArrays>[0];

const numbers = (rows: number, columns: number): number[][] =>
  Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => ((i * 7 + j * 3) % 11) / 11));
const quick = { seconds: 1e-9, queries: 1, warmup: 0, powercap: "/nowhere" };
const one = { epochs: 1, workers: 1 };

/** Counts by name. */
function counts({ ledger }: Measurement): Record<string, number> {
  return Object.fromEntries(ledger!.map(({ what, count }) => [what, count]));
}
const levels = ({ ledger }: Measurement) =>
  Object.fromEntries(ledger!.flatMap(({ what, level }) => (level ? [[what, level]] : [])));

async function ofNetwork(
  layers: Layer[],
  columns: number,
  { batch = 1, rowShape }: { batch?: number; rowShape?: number[] } = {},
) {
  const data = Dataset.fromArrays({
    x: numbers(40, columns),
    y: numbers(40, 1).map(([v]) => v),
    ...(rowShape ? { rowShape } : {}),
  } as Data);
  const model = await fit(network(layers, { loss: "squared", standardise: false }), data, one);
  return measure(model, numbers(40, columns), { ...quick, batch });
}

describe("ledger of linear models", () => {
  it("counts dense rows: 3 outputs of 4 columns, in float64", async () => {
    const y = Array.from({ length: 30 }, (_, i) => "abc"[i % 3]);
    const model = await fit(linear({ standardise: false }), Dataset.fromArrays({ x: numbers(30, 4), y } as Data), one);
    const found = await measure(model, numbers(9, 4), quick);
    expect(counts(found)).toEqual({
      "multiply-adds": 12,
      "element-wise operations": 3,
      parameters: 8 * 3 * 5,
      activations: 8 * 3,
      rows: 8 * 4,
    });
    expect(levels(found)).toEqual({ parameters: "cache of 8 kB", activations: "cache of 8 kB", rows: "DRAM" });
    expect(found.ledger!.map(({ width }) => width)).toEqual([64, 64, 64, 64, 64]);
    expect(found.bytes!.resident).toBe(8 * 3 * 5 + 8 * 3);
    // 12 of (2.025 + 12.445…), 3 of 2.025, 144 bytes at 10 pJ for 8 of them, 32 bytes at 1300 to 2600.
    const rest = 12 * (2.025 + (3.7 * 3.7) / 1.1) + 3 * 2.025 + (144 / 8) * 10;
    const { energy } = found;
    if (energy.source !== "modelled") throw new Error(energy.source);
    expect(energy.range[0]).toBeCloseTo((rest + 4 * 1300) * 1e-12, 20);
    expect(energy.range[1]).toBeCloseTo((rest + 4 * 2600) * 1e-12, 20);
    expect(energy.perRow).toBeCloseTo((rest + 4 * 1950) * 1e-12, 20);
    expect(energy.why).toContain("/nowhere cannot be read: no such file or folder");
  });

  it("counts sparse rows: the stored numbers with their columns", async () => {
    const table = {
      rowCount: 4,
      columnCount: 1000,
      rowStart: Uint32Array.of(0, 2, 2, 5, 8),
      columnIndex: Uint32Array.of(1, 900, 3, 4, 5, 0, 10, 999),
      values: new Float32Array(8).fill(1),
      target: Float64Array.of(0, 1, 0, 1),
      source: "sparse",
    };
    const data = Dataset.fromSparse(table);
    const model = await fit(linear({ loss: "logistic" }), data.asClasses(), one);
    for (const inputs of [table, data]) {
      const found = await measure(model, inputs, quick);
      expect(counts(found)).toEqual({
        "multiply-adds": 2,
        "element-wise operations": 1,
        parameters: 8 * 3,
        activations: 8,
        rows: 12 * 2,
      });
      expect(levels(found).parameters).toBe("cache of 8 kB");
    }
    expect(data.disposed).toBe(false);
  });

  it("counts random features, which are most of the work", async () => {
    const data = (features: typeof rff) => fit(linear({ loss: "squared", features: features({ count: 32 }) }), set, one);
    const set = Dataset.fromArrays({ x: numbers(30, 6), y: numbers(30, 1).map(([v]) => v) });
    const dense = counts(await measure(await data(rff), numbers(9, 6), quick));
    expect(dense).toMatchObject({ "multiply-adds": 16 * 6 + 32, functions: 32, parameters: 8 * 16 * 6 + 8 * 33, rows: 8 * 6 });
    // Two blocks of 8 frequencies: three transforms of 8 log₂ 8 additions, and 4 products per number.
    const fast = counts(await measure(await data(sorf), numbers(9, 6), quick));
    expect(fast).toMatchObject({ "multiply-adds": 32, functions: 32, "element-wise operations": 16 * (3 * 3 + 4) + 1 });
  });
});

it("counts two rows of factors for a factorisation", async () => {
  const ratings = Ratings.fromTriples({ users: [0, 0, 1, 1], items: [0, 1, 0, 1], values: [1, 2, 3, 4] });
  const model = await fit(factorisation({ rank: 5, biases: true }), ratings, one);
  const found = await measure(model, [{ user: 0, item: 1 }], quick);
  expect(counts(found)).toEqual({
    "multiply-adds": 5,
    "element-wise operations": 3,
    parameters: 2 * 6 * 8,
    activations: 8,
    rows: 16,
  });
});

describe("ledger of network plans", () => {
  it("counts an MLP: 6-8-3-1", async () => {
    const found = await ofNetwork([dense(8), relu(), dense(3), relu(), dense(1)], 6);
    const multiplyAdds = 6 * 8 + 8 * 3 + 3;
    const parameters = 4 * (multiplyAdds + 8 + 3 + 1);
    // A bias for each unit, and a maximum for each hidden unit.
    expect(counts(found)).toMatchObject({
      "multiply-adds": multiplyAdds,
      "element-wise operations": 8 + 3 + 1 + 8 + 3,
      parameters,
    });
    expect(found.ledger!.every(({ width }) => width === 32)).toBe(true);
    const [multiply] = found.ledger!;
    expect(multiply.picojoules[0]).toBeCloseTo(4.6, 12);
    const { file, gzip, resident } = found.bytes!;
    expect(resident).toBeGreaterThanOrEqual(parameters);
    expect(gzip).toBeLessThan(file);
  });

  it("reads parameters once per batch", async () => {
    const layers = [dense(8), relu(), dense(1)];
    const [alone, many] = [counts(await ofNetwork(layers, 6)), counts(await ofNetwork(layers, 6, { batch: 32 }))];
    expect(many.parameters * 32).toBeCloseTo(alone.parameters, 9);
    expect(many["multiply-adds"]).toBe(alone["multiply-adds"]);
  });

  it("counts functions separately", async () => {
    const found = counts(await ofNetwork([dense(8), activation("tanh"), dense(1)], 6));
    expect(found).toMatchObject({ functions: 8, "element-wise operations": 8 + 1 });
  });

  it("counts a CNN: 3 × 3 convolutions with padding, folded batch norm, and pools", async () => {
    const layers = [
      convolution(4, { bias: false }),
      batchNorm(),
      relu(),
      maxPool(2),
      convolution(5),
      relu(),
      flatten(),
      dense(1),
    ];
    const found = counts(await ofNetwork(layers, 64, { rowShape: [8, 8, 1] }));
    const multiplyAdds = 64 * 9 * 1 * 4 + 16 * 9 * 4 * 5 + 16 * 5 * 1;
    expect(found["multiply-adds"]).toBe(multiplyAdds);
    expect(countNetwork(sequential(layers), [8, 8, 1]).multiplyAdds).toBe(multiplyAdds);
    expect(found.parameters).toBe(4 * (9 * 4 + 4 + 9 * 4 * 5 + 5 + 16 * 5 + 1));
    // Biases and maxima, and the windows of the pool.
    expect(found["element-wise operations"]).toBe(2 * 64 * 4 + 64 * 4 + 2 * 16 * 5 + 1);
  });

  it("counts depthwise convolutions and average pools", async () => {
    const layers = [convolution(4), depthwise(), averagePool(4), flatten(), dense(1)];
    const found = counts(await ofNetwork(layers, 64, { rowShape: [8, 8, 1] }));
    expect(found["multiply-adds"]).toBe(64 * 9 * 4 + 64 * 9 * 4 + 16);
  });

  it("counts the steps of a recurrence", async () => {
    const found = await ofNetwork([gru(3), dense(1)], 20, { rowShape: [5, 4] });
    const { multiplyAdds } = countNetwork(sequential([gru(3), dense(1)]), [5, 4]);
    expect(multiplyAdds).toBe(5 * (4 * 9 + 3 * 9) + 3);
    expect(counts(found)["multiply-adds"]).toBe(multiplyAdds);
    // Each step reads its weights.
    expect(counts(found).parameters).toBeGreaterThanOrEqual(4 * (5 * 27 + 36 + 3));
  });

  it("names the memory level that each part fits", async () => {
    const found = await ofNetwork([dense(100), relu(), dense(100), relu(), dense(1)], 6);
    expect(levels(found)).toEqual({ parameters: "cache of 1 MB", activations: "cache of 8 kB", rows: "DRAM" });
    const wide = await ofNetwork([dense(100), relu(), dense(1)], 6, { batch: 32 });
    expect(levels(wide).activations).toBe("cache of 32 kB");
  });
});

it("counts a network's parameters and batch memory once each", async () => {
  const data = Dataset.fromArrays({ x: numbers(40, 6), y: numbers(40, 1).map(([v]) => v) });
  const model = await fit(network([dense(100), relu(), dense(1)], { loss: "squared", standardise: false }), data, one);
  const found = await measure(model, numbers(40, 6), { ...quick, batch: 32 });
  const program = planAt(readPlan(model.description.program, "test"), 32);
  expect(placesOf(program, 4).bytes).toBeGreaterThan(4 * 32 * 100 - 1);
  const { workspace, code, scratch } = batchMemory(program, 4, "test");
  expect(found.bytes!.resident).toBe(4 * (6 * 100 + 100 + 100 + 1) + workspace + code + scratch);
});

it("counts a handwritten plan: a product of 3 of the 7 numbers per row", () => {
  const grows = (B: number) => ({ B, plus: 0 });
  const number = (value: unknown) => ({ kind: "number", value });
  const value = (at: number) => ({ kind: "value", value: at, offset: 0 });
  const sizes = [number(0), number(0), number(grows(1)), number(2), number(3)];
  const operands = [value(0), number(7), value(1), number(2), value(2), number(2), number(0), { kind: "scratch", bytes: 0 }];
  const program = {
    ...{ version: 1, precision: "f32" },
    values: [
      { size: grows(7), home: { kind: "buffer", name: "x", offset: 0 } },
      { size: 6, home: { kind: "constant", name: "w" } },
      { size: grows(2), home: { kind: "buffer", name: "z", offset: 0 } },
    ],
    steps: [{ kind: "kernel", calls: [{ kernel: "gemm", args: [...sizes, ...operands], repeat: [] }], result: 2 }],
  };
  const work = networkWork({ program } as never, 4, 24);
  // The part of the matrix x from its first to its last used number: 3 · 7 + 3.
  expect(work).toMatchObject({
    multiplyAdds: 6,
    operations: 0,
    functions: 0,
    parameters: 24 / 4,
    rows: (4 * 24) / 4,
    activations: 8,
  });
  expect(work.width).toBe(32);
});

it("uses the published sizes as boundaries of memory levels", () => {
  const none = { multiplyAdds: 0, operations: 0, functions: 0, parameters: 0, activations: 1, rows: 0 };
  const level = (between: number) => ledgerOf({ ...none, width: 32, model: 0, between })[0];
  const found = [8192, 8193, 32_768, 32_769, 2 ** 20, 2 ** 20 + 1].map((bytes) => level(bytes));
  expect(found.map((item) => item.level)).toEqual([
    "cache of 8 kB",
    "cache of 32 kB",
    "cache of 32 kB",
    "cache of 1 MB",
    "cache of 1 MB",
    "DRAM",
  ]);
  expect(found.map(({ picojoules: [low, high] }) => [8 * low, 8 * high])).toEqual([
    [10, 10],
    [20, 20],
    [20, 20],
    [100, 100],
    [100, 100],
    [1300, 2600],
  ]);
});
