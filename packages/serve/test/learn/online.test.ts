/**
 * Learning row by row: the updates equal those of `fit`, the state survives checkpoints completely, and refusals leave
 * no trace.
 */
import {
  adagrad,
  adam,
  batchNorm,
  CapabilityError,
  chain,
  coordinateDescent,
  DataError,
  Dataset,
  dense,
  dropout,
  factorisation,
  fit,
  lbfgs,
  linear,
  mlp,
  momentum,
  network,
  OptionError,
  predictor,
  Ratings,
  relu,
  sgd,
} from "ergodic";
import { rff } from "ergodic/data";
import type { OnlineFrom, OnlineOptions, OnlineRun } from "ergodic/extend";
import { frozen } from "ergodic/layers";
import { algorithmFromJson } from "ergodic/learning";
import { averaging, type Rule, stochasticLineSearch } from "ergodic/rules";
import { describe, expect, test } from "vitest";
import { LearningRun, type LearntSums } from "../../src/learn/run.ts";

/** A run that reads rows as the journal stores them. */
interface Rows {
  read(...given: Parameters<LearningRun["read"]>): Uint8Array;
  learn(prepared: Uint8Array): Promise<LearntSums>;
}
async function online(from: OnlineFrom, options: OnlineOptions = {}): Promise<Omit<OnlineRun, "learn"> & Rows> {
  const learning = await LearningRun.begin(from, options);
  const { run } = learning;
  return Object.create(run, {
    ...Object.fromEntries(
      (["predictor", "checkpoint", "restore", "dispose"] as const).map((name) => [name, { value: run[name].bind(run) }]),
    ),
    updates: { get: () => run.updates },
    read: { value: learning.read.bind(learning) },
    learn: { value: learning.learn.bind(learning) },
  }) as Omit<OnlineRun, "learn"> & Rows;
}

const ROWS = 300;
const COLUMNS = 7;
/** Arbitrary rows: digits of a sequence. */
const number = (i: number): number => ((Math.imul(i + 1, 2654435761) >>> 0) / 2 ** 32) * 2 - 1;
const x = Array.from({ length: ROWS }, (_, i) => Array.from({ length: COLUMNS }, (_, j) => number(i * COLUMNS + j)));
const score = (row: number[]): number => row[0] - 2 * row[1] + row[2] * row[3];
const two = x.map((row) => (score(row) > 0 ? "yes" : "no"));
const three = x.map((row) => (score(row) > 0.7 ? "high" : score(row) < -0.7 ? "low" : "mid"));
const numbers = x.map((row) => 3 * score(row) + 1);
const counts = x.map((row) => Math.floor(Math.exp(score(row) / 2) * 2));
const signs = x.map((row) => (score(row) > 0 ? 1 : -1));
/** A few values in 40 columns, as hashed text would have. */
const sparseOf = (target: number[]): Dataset => {
  const entries = x.map((_, i) => [...new Set([0, 1, 2, 3, 4].map((k) => (i * 31 + k * k * 17) % 40))].sort((a, b) => a - b));
  const rowStart = Uint32Array.from([
    0,
    ...entries.map(
      (
        (sum) => (row: number[]) =>
          (sum += row.length)
      )(0),
    ),
  ]);
  return Dataset.fromSparse({
    ...{ rowCount: ROWS, columnCount: 40, rowStart, columnIndex: Uint32Array.from(entries.flat()), source: "sparse" },
    ...{ values: Float32Array.from(entries.flat(), (_, e) => number(e)), target: Float64Array.from(target) },
  });
};

type Model = ReturnType<typeof linear>;
const net = (...args: Parameters<typeof network>): Model => network(...args) as unknown as Model;

interface Case {
  name: string;
  model: Model;
  targets: (string | number)[];
  rule?: Rule;
  batch?: number;
  weights?: number[];
  sparse?: boolean;
}
const weights = x.map((_, i) => (i % 3) / 2 + 0.25);
const cases: Case[] = [
  { name: "logistic, its own rule", model: linear({ loss: "logistic" }), targets: two },
  {
    name: "logistic, weights and L2",
    model: linear({ loss: "logistic", l2: 0.01 }),
    targets: two,
    rule: sgd({ rate: 0.1 }),
    weights,
  },
  { name: "logistic, class weights", model: linear({ loss: "logistic", classWeights: { yes: 3 } }), targets: two, weights },
  { name: "hinge on numbers", model: linear({ loss: "hinge" }), targets: signs, batch: 4 },
  { name: "multinomial", model: linear({ loss: "multinomial" }), targets: three, rule: adam({ rate: 0.01 }) },
  { name: "multinomial in batches", model: linear({ loss: "multinomial", l1: 0.001 }), targets: three, batch: 7 },
  {
    name: "one against the rest",
    model: linear({ loss: "logistic", classWeights: { mid: 0.5 } }),
    targets: three,
    rule: sgd({ rate: 0.1 }),
  },
  {
    name: "squared in batches",
    model: linear({ loss: "squared" }),
    targets: numbers,
    rule: momentum({ rate: 0.01 }),
    batch: 32,
    weights,
  },
  { name: "squared without intercept", model: linear({ intercept: false }), targets: numbers, rule: sgd({ rate: 0.01 }) },
  { name: "counts", model: linear({ loss: "poisson" }), targets: counts, rule: sgd({ rate: 0.01 }) },
  {
    name: "an average of iterates",
    model: linear(),
    targets: numbers,
    rule: chain(sgd({ rate: 0.01 }), averaging({ start: 2 })),
  },
  { name: "random features", model: linear({ features: rff({ count: 60, seed: 1 }) }), targets: two },
  {
    name: "groups",
    model: linear({ group: { strength: 0.001, groups: [["x0", "x1"]] } }),
    targets: numbers,
    rule: sgd({ rate: 0.01 }),
  },
  { name: "sparse", model: linear({ loss: "logistic" }), targets: signs, sparse: true },
  {
    name: "sparse in batches",
    model: linear({ loss: "squared" }),
    targets: numbers,
    sparse: true,
    batch: 5,
    rule: adagrad({ rate: 0.1 }),
  },
  { name: "network", model: net(mlp([8], { outputs: 1 })), targets: two },
  { name: "network of three classes in batches", model: net(mlp([8, 5], { outputs: 3 })), targets: three, batch: 16, weights },
  {
    name: "network of numbers in other units",
    model: net(mlp([8], { outputs: 1 })),
    targets: numbers.map((y) => 1000 * y),
    batch: 8,
  },
  { name: "network with dropout", model: net([dense(8), relu(), dropout(0.3), dense(1)]), targets: numbers, batch: 8 },
  { name: "network, a layer frozen", model: net([frozen(dense(8)), relu(), dense(1)]), targets: numbers, batch: 8 },
];

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.from(a).equals(b);
const tensors = (model: unknown): unknown => {
  const { weights: w, intercept: b } = model as { weights: Float64Array; intercept: Float64Array };
  return w ? [w, b] : (model as { predict(rows: number[][]): unknown }).predict(x);
};
const sparseTable = (from: number, to: number): never => {
  // Rows of a sparse table by position.
  const data = sparseOf(signs);
  return Array.from({ length: to - from }, (_, i) => data.row(from + i)) as never;
};

describe.each(cases)("$name", ({ model, targets, rule, batch = 1, weights: given, sparse }) => {
  const data = sparse
    ? sparseOf(targets as number[])
    : Dataset.fromArrays({ x, y: targets as string[], ...(given ? { weights: given } : {}) });
  const first = data.select(Array.from({ length: 100 }, (_, i) => i));
  const rest = data.select(Array.from({ length: 200 }, (_, i) => 100 + i));
  const plan = { schedule: "ordered", deterministic: true, batch, epochs: 1, seed: 3 } as const;
  const fitted = () => fit(model, first, { ...plan, ...(rule ? { rule } : {}) });
  let begun: ReturnType<typeof fitted> | undefined;
  const begin = () => (begun ??= fitted());
  const rows = (from: number, to: number): never => (sparse ? sparseTable(from, to) : (x.slice(from, to) as never));

  test("applies the updates of fit on the same rows in order", async () => {
    const trained = await begin();
    const run = await online(trained, { batch, seed: 3 });
    const own = trained.description.algorithm as { rule: unknown };
    expect(run.rule).toEqual(own.rule);
    const wanted = await fit(model, rest, {
      ...plan,
      from: trained.toBytes(),
      algorithm: algorithmFromJson(trained.description.algorithm as never),
    });
    // Cuts the rows at unusual places, but never within a batch.
    for (const [from, to] of [
      [0, batch],
      [batch, 6 * batch],
      [6 * batch, 200],
    ])
      await run.learn(
        run.read(rows(100 + from, 100 + to), targets.slice(100 + from, 100 + to), {
          ...(given ? { weights: given.slice(100 + from, 100 + to) } : {}),
        }),
      );
    expect(tensors(run.predictor())).toEqual(tensors(wanted));
    expect(run.updates).toBe(Math.ceil(200 / batch));
    run.dispose();
  });

  test("resumes bit for bit from its checkpoint, and returns to it", async () => {
    const run = await online(await begin(), { batch, seed: 3 });
    const learn = async (one: typeof run, from: number, to: number): Promise<unknown> =>
      one.learn(one.read(rows(from, to), targets.slice(from, to)));
    await learn(run, 100, 170);
    const kept = run.checkpoint();
    const at = run.predictor().toBytes();
    const [a, b] = [await learn(run, 170, 200), await learn(run, 200, 290)];
    const after = run.checkpoint();
    const other = await online(kept);
    expect(other.rule).toEqual(run.rule);
    expect(same(other.predictor().toBytes(), at)).toBe(true);
    expect([await learn(other, 170, 200), await learn(other, 200, 290)]).toEqual([a, b]);
    expect(same(other.checkpoint(), after)).toBe(true);
    await run.restore(kept);
    expect(same(run.checkpoint(), kept)).toBe(true);
    expect([await learn(run, 170, 200), await learn(run, 200, 290)]).toEqual([a, b]);
    expect(same(run.checkpoint(), after)).toBe(true);
    run.dispose();
    other.dispose();
  });

  test("reports the prediction before the update", async () => {
    const run = await online(await begin(), { batch, seed: 3 });
    // Dropout also acts before an update, and an averaged model differs from the point at which gradients are computed.
    const isNoisy = /dropout|averaging/.test(JSON.stringify([model, rule]));
    for (let from = 100; from < 100 + 6 * batch; from += batch) {
      const before = await predictor(run.predictor().toBytes());
      const [some, right] = [rows(from, from + batch), targets.slice(from, from + batch)];
      const learnt = await run.learn(run.read(some, right));
      const predicted = (
        (before as Awaited<ReturnType<typeof begin>>).predict(some as number[][]) as { value: string | number }[]
      ).map(({ value }) => value);
      expect(learnt.rows).toBe(batch);
      expect(learnt.weight).toBe(batch);
      if (isNoisy) continue;
      if (learnt.right !== undefined)
        expect(learnt.right).toBe(right.filter((y, i) => String(y) === String(predicted[i])).length);
      else {
        const errors = right.map((y, i) => (y as number) - (predicted[i] as number));
        const size = Math.max(...targets.map((y) => Math.abs(y as number)));
        expect(Math.abs(learnt.squares! - errors.reduce((sum, e) => sum + e * e, 0))).toBeLessThan(1e-4 * size * size * batch);
        expect(Math.abs(learnt.absolute! - errors.reduce((sum, e) => sum + Math.abs(e), 0))).toBeLessThan(1e-4 * size * batch);
      }
    }
    run.dispose();
  });
});

test.each([
  ["logistic", two],
  ["logistic", three],
  ["multinomial", three],
  ["hinge", three],
] as const)("predicts the first of equally likely classes with %s", async (loss, targets) => {
  const data = Dataset.fromArrays({ x: x.slice(0, 100), y: targets.slice(0, 100) });
  const model = await fit(linear({ loss }), data, { epochs: 1, seed: 1 });
  model.weights.fill(0);
  model.intercept.fill(0);
  const some = [100, 101, 102, 103, 104, 105, 106, 107];
  for (const name of model.classes!) {
    const run = await online(await predictor(model.toBytes()), { batch: some.length });
    const wanted = model.predict(some.map((i) => x[i]!)).filter(({ value }) => value === name).length;
    const learnt = await run.learn(
      run.read(
        some.map((i) => x[i]),
        some.map(() => name),
      ),
    );
    expect([name, learnt.right]).toEqual([name, wanted]);
    run.dispose();
  }
});

test("weights the mean loss by rows and classes", async () => {
  const model = linear({ loss: "logistic", classWeights: { yes: 3 }, standardise: false });
  const data = Dataset.fromArrays({ x: x.slice(0, 100), y: two.slice(0, 100) });
  const fitted = await fit(model, data, { epochs: 1, seed: 1 });
  const [rows, classes, w] = [x.slice(100, 108), two.slice(100, 108), weights.slice(100, 108)];
  expect(new Set(classes).size).toBe(2);
  const run = await online(fitted, { batch: rows.length });
  const { loss, weight } = await run.learn(run.read(rows, classes, { weights: w }));
  const of = fitted.predict(rows).map(({ probabilities }, i) => -Math.log(probabilities![classes[i]!]!));
  const v = w.map((one, i) => one * (classes[i] === "yes" ? 3 : 1));
  const sum = (list: number[]): number => list.reduce((a, b) => a + b, 0);
  expect(loss).toBeCloseTo(sum(of.map((one, i) => one * v[i]!)) / sum(v), 6);
  expect(weight).toBeCloseTo(sum(w), 12);
  run.dispose();
});

describe("refusals", () => {
  const trained = () => fit(linear({ loss: "logistic" }), Dataset.fromArrays({ x: x.slice(0, 100), y: two.slice(0, 100) }));
  const rejection = async (promise: Promise<unknown>): Promise<Error & { code: string }> =>
    promise.then(
      () => Object.assign(new Error("nothing was thrown"), { code: "" }),
      (error: Error & { code: string }) => error,
    );

  test("leave no trace at any position in a request, regardless of earlier learning", async () => {
    for (const [model, rule, sparse] of [
      [linear({ loss: "squared", l2: 0.001 }), sgd({ rate: 0.01 }), true],
      [linear({ loss: "squared" }), adagrad({ rate: 0.1 }), true],
      [linear({ loss: "squared", l1: 0.001 }), adam({ rate: 0.01 }), true],
      [linear({ loss: "squared" }), chain(momentum({ rate: 0.01 }), averaging({ start: 2 })), false],
      [net([dense(50), relu(), dropout(0.2), dense(1)]), adam({ rate: 0.01 }), false],
    ] as const) {
      const data = sparse ? sparseOf(numbers) : Dataset.fromArrays({ x, y: numbers });
      const begin = await fit(model as Model, data, { rule, epochs: 1, deterministic: true });
      const [run, twin] = [await online(begin), await online(begin)];
      const learn = (one: typeof run, from: number, to: number) =>
        one.learn(one.read(sparse ? sparseTable(from, to) : (x.slice(from, to) as never), numbers.slice(from, to)));
      for (let i = 0; i < 10; i++) {
        await learn(run, 5 * i, 5 * i + 5);
        await learn(twin, 5 * i, 5 * i + 5);
        const good = sparse ? (sparseTable(0, 2) as number[][]) : x.slice(0, 2);
        const width = good[0].length;
        // The bad row is at the end, in the middle, or in a later chunk than the first.
        const bad = [good[0].map(() => 3e38), good[1].map(() => -3e38)];
        const many = Array.from({ length: i % 10 === 9 ? 300 : 1 }, () => good[0]);
        const request = i % 2 === 0 ? [...many, ...bad] : [...bad, ...good];
        expect(width).toBe(run.pipeline.columnCount);
        const error = await rejection(
          run.learn(
            run.read(
              request,
              request.map((_, k) => k),
            ),
          ),
        );
        expect(error).toBeInstanceOf(DataError);
        expect(error.code).toBe("DATA_OVERFLOW");
        expect(same(run.checkpoint(), twin.checkpoint())).toBe(true);
      }
      expect(await learn(run, 200, 210)).toEqual(await learn(twin, 200, 210));
      expect(same(run.checkpoint(), twin.checkpoint())).toBe(true);
      run.dispose();
      twin.dispose();
    }
  });

  test("include a state that would not be finite although the loss is", async () => {
    const run = await online(await trained(), { rule: adagrad({ rate: 0.1 }) });
    const before = run.checkpoint();
    // The squared gradient overflows float32, but the row's loss does not.
    const error = await rejection(run.learn(run.read([[1e25, 0, 0, 0, 0, 0, 0]], [x[0][0] > 0 ? "no" : "yes"])));
    const other = await rejection(run.learn(run.read([[1e25, 0, 0, 0, 0, 0, 0]], [x[0][0] > 0 ? "yes" : "no"])));
    expect([error, other].some(({ code }) => code === "DATA_OVERFLOW")).toBe(true);
    expect([error, other].filter(({ code }) => code === "DATA_OVERFLOW").every(({ message }) => message.includes("row 1"))).toBe(
      true,
    );
    expect(same(run.checkpoint(), before)).toBe([error, other].every(({ code }) => code === "DATA_OVERFLOW"));
    run.dispose();
  });

  test("include rows and targets that do not fit the model", async () => {
    const run = await online(await trained());
    const wrong: [unknown, unknown, object?][] = [
      [[[1, 2]], ["yes"]],
      [[[1, 2, 3, 4, 5, 6, Number.NaN]], ["yes"]],
      [[{ x0: 1 }], ["yes"]],
      [
        [x[0], { x0: 1 }],
        ["yes", "no"],
      ],
      [
        [x[0], [1]],
        ["yes", "no"],
      ],
      [[], []],
      [[x[0]], ["maybe"]],
      [[x[0]], [undefined]],
      [[x[0]], [["yes"]]],
      [[x[0]], ["yes", "no"]],
      [[x[0]], ["yes"], { weights: [Number.NaN] }],
      [[x[0]], ["yes"], { weights: [-1] }],
      [[x[0]], ["yes"], { weights: [0] }],
      [[x[0]], ["yes"], { weights: ["1"] }],
      [[x[0]], ["yes"], { weights: [] }],
      ["x", ["yes"]],
      [null, ["yes"]],
      [{ length: 1, 0: x[0] }, ["yes"]],
      [[x[0]], "yes"],
      [[x[0]], undefined],
      [[x[0]], ["yes"], { weights: 1 }],
    ];
    for (const [rows, targets, options] of wrong)
      expect(() => run.read(rows as never, targets as never, options as never), JSON.stringify([rows, targets])).toThrow(
        DataError,
      );
    const counted = await online(await fit(linear({ loss: "poisson" }), Dataset.fromArrays({ x, y: counts })));
    for (const target of [-1, Number.NaN, Infinity, "3", null])
      expect(() => counted.read([x[0]], [target as never])).toThrow(DataError);
  });

  test("include prepared rows that are damaged, cut or from another model", async () => {
    const run = await online(await trained());
    const bytes = run.read(x.slice(0, 3), two.slice(0, 3));
    const other = await online(await fit(linear(), sparseOf(numbers)));
    for (const wrong of [
      bytes.slice(0, -1),
      bytes.slice(0, 10),
      new Uint8Array(0),
      new Uint8Array(200),
      Uint8Array.from([...bytes, 0]),
      other.read(sparseTable(0, 2), [1, 2]),
    ])
      expect((await rejection(run.learn(wrong))).code).toBe("DATA_FORMAT");
    const sparse = other.read(sparseTable(0, 2), [1, 2]);
    for (let at = 0; at < sparse.length; at += 4) {
      const damaged = sparse.slice();
      new Uint32Array(damaged.buffer)[at / 4] = 0xfffffff0;
      const before = other.checkpoint();
      const result = await rejection(other.learn(damaged));
      if (result.code !== "") expect(same(other.checkpoint(), before)).toBe(true);
      await other.restore(before);
    }
    // The offset is not a multiple of eight.
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    const twin = await online(await trained());
    expect(await run.learn(shifted.subarray(3))).toEqual(await twin.learn(bytes));
  });

  test("include models, rules and options that do not support learning row by row", async () => {
    const ratings = Ratings.fromTriples({ users: ["a", "b"], items: ["c", "d"], values: [1, 2] });
    expect((await rejection(online(await fit(factorisation({ rank: 2 }), ratings)))).message).toContain(
      "only linear models, networks and their checkpoints",
    );
    const model = await trained();
    for (const rule of [lbfgs(), stochasticLineSearch()])
      expect(await rejection(online(model, { rule }))).toBeInstanceOf(CapabilityError);
    expect((await rejection(online(new Uint8Array(10)))).code).not.toBe("");
    expect(await rejection(online(model, { batch: 0 }))).toBeInstanceOf(OptionError);
    expect(await rejection(online(model, { seed: -1 }))).toBeInstanceOf(OptionError);
    expect(await rejection(online(model, { rate: 1 } as never))).toBeInstanceOf(OptionError);
    const balanced = await fit(linear({ loss: "logistic", classWeights: "balanced" }), Dataset.fromArrays({ x, y: two }));
    expect((await rejection(online(balanced))).message).toContain("weights by class name");
    const one = await online(model);
    const other = await online(model, { batch: 2 });
    expect((await rejection(one.restore(other.checkpoint()))).code).toBe("CHECKPOINT_KIND");
    const first = one.learn(one.read(x, two));
    await expect(one.learn(one.read(x, two))).rejects.toThrow("before those that came before");
    await first;
  });
});

test("adopts the optimiser of a checkpoint if the rule is the same", async () => {
  const run = fit(linear({ loss: "logistic" }), Dataset.fromArrays({ x: x.slice(0, 100), y: two.slice(0, 100) }), {
    ...{ rule: adagrad({ rate: 0.1 }), schedule: "ordered", epochs: 1, deterministic: true },
  });
  const trained = await run;
  const checkpoint = (await run.checkpoint()) as Uint8Array;
  const wanted = await fit(linear({ loss: "logistic" }), Dataset.fromArrays({ x: x.slice(100), y: two.slice(100) }), {
    ...{ from: checkpoint, optimiser: "kept", rule: adagrad({ rate: 0.1 }), schedule: "ordered", epochs: 1, deterministic: true },
  });
  const kept = await online(checkpoint);
  await kept.learn(kept.read(x.slice(100), two.slice(100)));
  expect(tensors(kept.predictor())).toEqual(tensors(wanted));
  const fresh = await online(trained.toBytes());
  await fresh.learn(fresh.read(x.slice(100), two.slice(100)));
  expect(tensors(fresh.predictor())).not.toEqual(tensors(wanted));
  const other = await online(checkpoint, { rule: sgd({ rate: 0.1 }) });
  expect(other.rule).toEqual(sgd({ rate: 0.1 }).toJSON());
  // A fit begins at the learnt model with its optimiser.
  const resumed = await fit(linear({ loss: "logistic" }), Dataset.fromArrays({ x, y: two }), {
    ...{ from: kept.checkpoint(), optimiser: "kept", rule: adagrad({ rate: 0.1 }), epochs: 1 },
  });
  expect(resumed.evaluate(Dataset.fromArrays({ x, y: two })).accuracy).toBeGreaterThan(0.8);
});

test("a network with batch statistics learns in batches from a checkpoint", async () => {
  const layers = [dense(8), batchNorm(), relu(), dense(1)];
  const run = fit(network(layers), Dataset.fromArrays({ x, y: two }), { epochs: 1, seed: 1, batch: 16 });
  await run;
  const learner = await online((await run.checkpoint()) as Uint8Array, { batch: 16 });
  const before = learner.predictor().toBytes();
  await learner.learn(learner.read(x, two));
  const saved = await predictor(learner.predictor().toBytes());
  expect(same(learner.predictor().toBytes(), before)).toBe(false);
  const twin = await online(learner.checkpoint());
  expect(same(twin.predictor().toBytes(), learner.predictor().toBytes())).toBe(true);
  expect((saved as Awaited<ReturnType<typeof begin>>).evaluate(Dataset.fromArrays({ x, y: two })).accuracy).toBeGreaterThan(0.4);
  async function begin() {
    return fit(linear(), Dataset.fromArrays({ x, y: two }));
  }
});

test("a model from a solver learns with its own rule", async () => {
  const solved = await fit(linear({ loss: "squared", l2: 0.01 }), Dataset.fromArrays({ x, y: numbers }), {
    algorithm: coordinateDescent(),
  });
  const run = await online(solved);
  expect(run.rule).toEqual(adagrad({ rate: 0.1 }).toJSON());
  expect((await run.learn(run.read(x.slice(0, 5), numbers.slice(0, 5)))).squares).toBeGreaterThan(0);
});

test("rows by name pass through the model's steps, with a missing value and a weight column", async () => {
  const table = {
    rowCount: 60,
    source: "table",
    columns: [
      {
        name: "age",
        kind: "number" as const,
        values: Float64Array.from({ length: 60 }, (_, i) => (i % 7 === 3 ? Number.NaN : 20 + i)),
      },
      {
        name: "job",
        kind: "category" as const,
        levels: ["cook", "smith"],
        codes: Int32Array.from({ length: 60 }, (_, i) => i % 2),
      },
      { name: "pay", kind: "number" as const, values: Float64Array.from({ length: 60 }, (_, i) => 3 * i + (i % 2)) },
      { name: "w", kind: "number" as const, values: Float64Array.from({ length: 60 }, (_, i) => 1 + (i % 2)) },
    ],
  };
  const data = Dataset.fromTable(table, { target: "pay", weights: "w", impute: "mean" });
  const model = await fit(linear({ loss: "squared" }), data, { epochs: 2, deterministic: true });
  const rows = [
    { age: 30, job: "cook", w: 2 },
    { age: null, job: "smith", w: 1 },
    { age: 41, job: null, w: 3 },
  ];
  const run = await online(model, { rule: sgd({ rate: 0.01 }) });
  const learnt = await run.learn(run.read(rows, [30, 50, 60]));
  expect(learnt.weight).toBe(6);
  const one = await online(model, { rule: sgd({ rate: 0.01 }) });
  for (const [i, row] of rows.entries()) await one.learn(one.read([row], [[30, 50, 60][i]], { weights: [row.w] }));
  expect(same(one.predictor().toBytes(), run.predictor().toBytes())).toBe(true);
});
