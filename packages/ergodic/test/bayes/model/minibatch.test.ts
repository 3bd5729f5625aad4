/**
 * Estimates of log densities on batches of rows are exactly unbiased for every kind of data field. Models that are not
 * sums over rows are refused.
 */
import { afterAll, describe, expect, it } from "vitest";
import {
  bernoulliLogitGlm,
  type ConditionedModel,
  halfNormal,
  integer,
  type ModelContext,
  type ModelData,
  matrix,
  model,
  normal,
  normalIdGlm,
  poisson,
  poissonLog,
  vector,
} from "../../../src/bayes/model/index.ts";
import { add, div, exp, full, mean, mul, neg, slice, sub, sum } from "../../../src/engine/compiler/index.ts";
import type { LogDensity } from "../../../src/engine/contract/index.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { Guarded } from "../../engine/memory/guarded.ts";

const engine = await openEngine();
const opened: ConditionedModel[] = [];
afterAll(() => {
  for (const one of opened) one.dispose();
});

async function onRows(body: (context: ModelContext) => void, data: ModelData, rows = "N") {
  const made = await model(body, { name: "test" }).condition(data, { rows, deterministic: true });
  opened.push(made);
  return made;
}

/** Evaluates the estimate and its gradient on given rows. */
function estimates({ minibatches, dimension }: LogDensity, batch: number) {
  const binding = minibatches!.bind({ lane: 0, purpose: "test", batch });
  const gather = engine.atSlot(binding.gatherSlot);
  const evaluate = engine.atSlot(binding.slot);
  const memory = new Guarded(engine);
  const [x, g] = [memory.room("f64", dimension), memory.room("f64", dimension)];
  return {
    at(u: ArrayLike<number>, rows: number[]) {
      engine.memory.u32(binding.rows, batch).set(rows);
      engine.memory.f64(x, dimension).set(u);
      gather(binding.gatherBlock);
      const value = evaluate(binding.model, x, g);
      return { value, gradient: memory.read("f64", g, dimension) };
    },
    dispose() {
      binding.dispose();
      memory[Symbol.dispose]();
    },
  };
}

/** All lists of `size` rows, in order and with repetition. Every batch is equally likely. */
const batches = (rowCount: number, size: number): number[][] =>
  size === 0 ? [[]] : batches(rowCount, size - 1).flatMap((rows) => Array.from({ length: rowCount }, (_, row) => [...rows, row]));

const X = [
  [1, 0.5, -1],
  [0.2, -0.3, 2],
  [-1.5, 0.1, 0.4],
  [0.3, 0.9, -0.8],
  [2, -1, 0.6],
];
const N = X.length;

const logistic = ({ data, param, observe }: ModelContext) => {
  const { x, y } = data({ x: matrix("N", "K"), y: vector("N") });
  const alpha = param("alpha", normal(0, 2));
  const beta = param("beta", normal(0, 1), { shape: "K" });
  observe(y, bernoulliLogitGlm(x, alpha, beta));
};

/** Offsets without rows, two observations with rows and one without. */
const mixed = ({ data, param, observe }: ModelContext) => {
  const {
    y,
    counts,
    offset,
    N: rowCount,
    other,
  } = data({
    y: matrix("N", 2),
    counts: vector("N"),
    offset: vector(2),
    N: integer(),
    other: vector("J"),
  });
  const mu = param("mu", normal(offset, 1));
  const sigma = param("sigma", halfNormal(2));
  observe(y, normal(add(mu, full(0, [rowCount, 2])), sigma));
  observe(counts, poisson(sigma), "counts");
  observe(other, normal(mean(mu), sigma));
};

const cases: { name: string; body: (context: ModelContext) => void; data: ModelData }[] = [
  { name: "logistic regression", body: logistic, data: { x: X, y: [0, 1, 1, 0, 1] } },
  { name: "a flat table", body: logistic, data: { y: [0, 1, 1, 0, 1], x: X.flat() } },
  {
    name: "arrays of numbers",
    body: logistic,
    data: { x: X.map((row) => Float64Array.from(row)), y: Int32Array.of(0, 1, 1, 0, 1) },
  },
  {
    name: "several observations",
    body: mixed,
    data: { N, y: X.map((row) => row.slice(0, 2)), counts: [0, 3, 1, 2, 5], offset: [0.5, -0.5], other: [1, 2] },
  },
];

describe.each(cases)("$name", ({ body, data }) => {
  it.each([1, 2, 3])("estimates of %i rows average to the density and its gradient over all batches", async (size) => {
    const given = await onRows(body, data);
    expect(given.minibatches!.rowCount).toBe(N);
    const estimate = estimates(given, size);
    for (let point = 0; point < 3; point++) {
      const draws = stream(2, "point").at(point);
      const u = Float64Array.from({ length: given.dimension }, () => draws.normal());
      const all = batches(N, size).map((rows) => estimate.at(u, rows));
      expect(all).toHaveLength(N ** size);
      const average = (of: (one: (typeof all)[number]) => number) => all.reduce((total, one) => total + of(one), 0) / all.length;
      const spread = (of: (one: (typeof all)[number]) => number) => new Set(all.map(of)).size;
      const wanted = given.evaluate(u);
      const scale = Math.max(...all.map(({ value }) => Math.abs(value)));
      expect(Math.abs(average(({ value }) => value) - wanted.value)).toBeLessThan(1e-12 * scale);
      for (const [i, slope] of wanted.gradient.entries()) {
        const size = Math.max(...all.map(({ gradient }) => Math.abs(gradient[i])));
        expect(Math.abs(average(({ gradient }) => gradient[i]) - slope)).toBeLessThan(1e-12 * size);
        // If all estimates were equal, a correct mean would prove nothing.
        expect(spread(({ gradient }) => gradient[i])).toBeGreaterThan(1);
      }
    }
    estimate.dispose();
  });

  it("all rows give the density itself", async () => {
    const given = await onRows(body, data);
    const estimate = estimates(given, N);
    const u = Float64Array.from({ length: given.dimension }, (_, i) => 0.3 - 0.1 * i);
    const { value, gradient } = estimate.at(u, [0, 1, 2, 3, 4]);
    const wanted = given.evaluate(u);
    expect(Math.abs(value - wanted.value)).toBeLessThan(1e-13 * (1 + Math.abs(wanted.value)));
    for (const [i, g] of gradient.entries()) expect(Math.abs(g - wanted.gradient[i])).toBeLessThan(1e-13 * (10 + Math.abs(g)));
    estimate.dispose();
  });
});

it("gathering is exact for rows of 1 to 5 numbers and touches nothing else", () => {
  for (const width of [1, 2, 3, 4, 5]) {
    using memory = new Guarded(engine);
    const tables = [width, 1].map((columns) => Array.from({ length: 7 * columns }, (_, i) => i + columns / 8));
    tables[0][0] = Number.NaN;
    tables[0][width] = -0;
    const rows = [3, 0, 6, 3, 1];
    const places = tables.map((table, t) => ({
      columns: t === 0 ? width : 1,
      from: memory.put("f64", table),
      to: memory.room("f64", rows.length * (t === 0 ? width : 1)),
    }));
    const block = memory.put("u32", [
      memory.put("u32", rows),
      rows.length,
      2,
      0,
      ...places.flatMap(({ columns, from, to }) => [from, 8 * columns, to]),
    ]);
    engine.kernel("gatherBatch", true)(block);
    for (const [t, { columns, to }] of places.entries())
      expect(memory.read("f64", to, rows.length * columns)).toEqual(
        rows.flatMap((row) => tables[t].slice(row * columns, (row + 1) * columns)),
      );
  }
});

describe("a model that is not a sum over rows is refused", () => {
  const y = [1, 2, 4, 3, 5, 2];
  const refused: [string, (context: ModelContext) => void, ModelData, RegExp][] = [
    [
      "parameters of rows",
      ({ data, param, observe }) => {
        const { y } = data({ y: vector("N") });
        observe(y, normal(param("theta", normal(0, 1), { shape: "N" }), 1));
      },
      { y },
      /the parameter "theta" has shape \[\d\] on a batch, but \[6\].*MODEL_ROWS/,
    ],
    [
      "centred data",
      ({ data, param, observe }) => {
        const { y } = data({ y: vector("N") });
        observe(sub(y, mean(y)), normal(param("mu", normal(0, 1)), 1));
      },
      { y },
      /not a sum over rows.*MODEL_ROWS/,
    ],
    [
      "centred data that begin with equal rows",
      ({ data, param, observe }) => {
        const { y } = data({ y: vector("N") });
        observe(sub(y, mean(y)), normal(param("mu", normal(0, 1)), 1));
      },
      { y: Array.from({ length: 40 }, (_, i) => (i < 10 ? 1 : i)) },
      /not a sum over rows.*MODEL_ROWS/,
    ],
    [
      "a density that is nowhere finite",
      ({ data, param, observe }) => {
        const { y } = data({ y: vector("N") });
        observe(y, poisson(exp(param("mu", normal(0, 1)))));
      },
      { y: y.map((value) => value + 0.5) },
      /none of 50 random points.*MODEL_ROWS/,
    ],
    [
      "target() of rows",
      ({ data, param, target }) => {
        const { y } = data({ y: vector("N") });
        const mu = param("mu", normal(0, 1));
        target(neg(mul(0.5, sum(mul(sub(y, mu), sub(y, mu))))));
      },
      { y },
      /not a sum over rows.*MODEL_ROWS/,
    ],
    [
      "the number of rows",
      ({ data, param, observe }) => {
        const { y, N } = data({ y: vector("N"), N: integer() });
        observe(y, normal(div(param("mu", normal(0, 1)), full(N, [])), 1));
      },
      { y, N: 6 },
      /not a sum over rows.*MODEL_ROWS/,
    ],
    [
      "neighbouring rows",
      ({ data, param, observe, size }) => {
        const { y } = data({ y: vector("N") });
        observe(slice(y, { from: 1 }), normal(mul(param("rho", normal(0, 1)), slice(y, { to: size("N") - 1 })), 1), "later");
      },
      { y },
      /observe "later" reads data of rows, but its values have shape.*MODEL_ROWS/,
    ],
    [
      "a sum that is observed",
      ({ data, param, observe }) => {
        const { y } = data({ y: vector("N") });
        observe(sum(y), normal(param("mu", normal(0, 1)), 1), "total");
      },
      { y },
      /observe "total" reads data of rows.*MODEL_ROWS/,
    ],
    [
      "rows on a second axis",
      ({ data, param, observe }) => {
        const { x, y } = data({ x: matrix("K", "N"), y: vector("N") });
        observe(y, normalIdGlm(x, 0, param("beta", normal(0, 1), { shape: "N" }), 1));
      },
      { y, x: [y, y, y, y, y, y] },
      /data "x" has the rows on axis 1.*MODEL_ROWS/,
    ],
  ];
  it.each(refused)("%s", async (_, body, data, message) => {
    await expect(onRows(body, data)).rejects.toThrow(message);
  });

  it("a name that is not a first extent and an oversized batch are refused", async () => {
    await expect(onRows(logistic, cases[0].data, "M")).rejects.toThrow(/rows is "M".*there are: N.*OPTION_UNKNOWN/);
    await expect(onRows(logistic, cases[0].data, "K")).rejects.toThrow(/data "x" has the rows on axis 1.*MODEL_ROWS/);
    const given = await onRows(logistic, cases[0].data);
    expect(() => given.minibatches!.bind({ lane: 0, purpose: "test", batch: 6 })).toThrow(/batch is 6.*OPTION_RANGE/);
  });
});

it("memory is freed, and a model without rows has no minibatches", async () => {
  const body = ({ data, param, observe }: ModelContext) => {
    const { y } = data({ y: vector("N") });
    observe(y, poissonLog(param("mu", normal(0, 1))));
  };
  const whole = await model(body).condition({ y: [1, 2] });
  expect("minibatches" in whole).toBe(false);
  whole.dispose();
  const before = engine.memory.usedBytes;
  const given = await model(body).condition({ y: [1, 2, 5] }, { rows: "N" });
  estimates(given, 2).dispose();
  given.dispose();
  expect(engine.memory.usedBytes).toBeLessThanOrEqual(before);
  await expect(model(body).condition({ y: [1, 2] }, { rows: "M" })).rejects.toThrow("OPTION_UNKNOWN");
  expect(engine.memory.usedBytes).toBeLessThanOrEqual(before);
});
