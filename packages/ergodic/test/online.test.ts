/** Learning row by row: the updates are those of `fit`, the state goes there and back whole, and what is refused leaves no trace. */
import {
  adagrad,
  adam,
  averaging,
  batchNorm,
  chain,
  Dataset,
  dense,
  dropout,
  fit,
  frozen,
  lbfgs,
  linear,
  mlp,
  momentum,
  network,
  predictor,
  relu,
  rff,
  type Rule,
  sgd,
  stochasticLineSearch,
} from "ergodic";
import { online } from "ergodic/online";
import { describe, expect, test } from "vitest";

const ROWS = 300;
const COLUMNS = 7;
/** Rows that nobody chose: digits of a sequence. */
const number = (i: number): number => ((Math.imul(i + 1, 2654435761) >>> 0) / 2 ** 32) * 2 - 1;
const x = Array.from({ length: ROWS }, (_, i) => Array.from({ length: COLUMNS }, (_, j) => number(i * COLUMNS + j)));
const score = (row: number[]): number => row[0] - 2 * row[1] + row[2] * row[3];
const two = x.map((row) => (score(row) > 0 ? "yes" : "no"));
const three = x.map((row) => (score(row) > 0.7 ? "high" : score(row) < -0.7 ? "low" : "mid"));
const numbers = x.map((row) => 3 * score(row) + 1);
const counts = x.map((row) => Math.floor(Math.exp(score(row) / 2) * 2));
const signs = x.map((row) => (score(row) > 0 ? 1 : -1));
/** Few values of 40 columns, as text hashed would have. */
const sparseOf = (target: number[]): Dataset => {
  const entries = x.map((_, i) => [...new Set([0, 1, 2, 3, 4].map((k) => (i * 31 + k * k * 17) % 40))].sort((a, b) => a - b));
  const rowStart = Uint32Array.from([0, ...entries.map(((sum) => (row: number[]) => (sum += row.length))(0))]);
  return Dataset.fromSparse({
    ...{ rowCount: ROWS, columnCount: 40, rowStart, columnIndex: Uint32Array.from(entries.flat()), source: "sparse" },
    ...{ values: Float32Array.from(entries.flat(), (_, e) => number(e)), target: Float64Array.from(target) },
  });
};

interface Case {
  name: string;
  model: Parameters<typeof fit>[0];
  targets: (string | number)[];
  rule?: Rule;
  batch?: number;
  weights?: number[];
  sparse?: boolean;
}
const weights = x.map((_, i) => (i % 3) / 2 + 0.25);
const cases: Case[] = [
  { name: "logistic, its own rule", model: linear({ loss: "logistic" }), targets: two },
  { name: "logistic, weights and L2", model: linear({ loss: "logistic", l2: 0.01 }), targets: two, rule: sgd({ rate: 0.1 }), weights },
  { name: "logistic, class weights", model: linear({ loss: "logistic", classWeights: { yes: 3 } }), targets: two, weights },
  { name: "hinge on numbers", model: linear({ loss: "hinge" }), targets: signs, batch: 4 },
  { name: "multinomial", model: linear({ loss: "multinomial" }), targets: three, rule: adam({ rate: 0.01 }) },
  { name: "multinomial in batches", model: linear({ loss: "multinomial", l1: 0.001 }), targets: three, batch: 7 },
  { name: "one against the rest", model: linear({ loss: "logistic", classWeights: { mid: 0.5 } }), targets: three, rule: sgd({ rate: 0.1 }) },
  { name: "squared in batches", model: linear({ loss: "squared" }), targets: numbers, rule: momentum({ rate: 0.01 }), batch: 32, weights },
  { name: "squared without intercept", model: linear({ intercept: false }), targets: numbers, rule: sgd({ rate: 0.01 }) },
  { name: "counts", model: linear({ loss: "poisson" }), targets: counts, rule: sgd({ rate: 0.01 }) },
  { name: "an average of iterates", model: linear(), targets: numbers, rule: chain(sgd({ rate: 0.01 }), averaging({ start: 2 })) },
  { name: "random features", model: linear({ features: rff({ count: 60, seed: 1 }) }), targets: two },
  { name: "groups", model: linear({ group: { strength: 0.001, groups: [["x0", "x1"]] } }), targets: numbers, rule: sgd({ rate: 0.01 }) },
  { name: "sparse", model: linear({ loss: "logistic" }), targets: signs, sparse: true },
  { name: "sparse in batches", model: linear({ loss: "squared" }), targets: numbers, sparse: true, batch: 5, rule: adagrad({ rate: 0.1 }) },
  { name: "network", model: network(mlp([8], { outputs: 1 })), targets: two },
  { name: "network of three classes in batches", model: network(mlp([8, 5], { outputs: 3 })), targets: three, batch: 16, weights },
  { name: "network of numbers in other units", model: network(mlp([8], { outputs: 1 })), targets: numbers.map((y) => 1000 * y), batch: 8 },
  { name: "network with dropout", model: network([dense(8), relu(), dropout(0.3), dense(1)]), targets: numbers, batch: 8 },
  { name: "network, a layer frozen", model: network([frozen(dense(8)), relu(), dense(1)]), targets: numbers, batch: 8 },
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
  const data = sparse ? sparseOf(targets as number[]) : Dataset.fromArrays({ x, y: targets, ...(given ? { weights: given } : {}) });
  const first = data.select(Array.from({ length: 100 }, (_, i) => i));
  const rest = data.select(Array.from({ length: 200 }, (_, i) => 100 + i));
  const plan = { schedule: "ordered", deterministic: true, batch, epochs: 1, seed: 3 } as const;
  const begin = () => fit(model as ReturnType<typeof linear>, first, { ...plan, ...(rule ? { rule } : {}) });
  const rows = (from: number, to: number): never => (sparse ? sparseTable(from, to) : (x.slice(from, to) as never));

  test("updates are those of fit on the same rows in their order", async () => {
    const trained = await begin();
    const run = await online(trained, { batch, seed: 3 });
    const own = trained.description.algorithm as { rule: unknown };
    expect(run.rule).toEqual(own.rule);
    const { algorithmFromJson } = await import("../src/algorithms/index.ts");
    const wanted = await fit(model as ReturnType<typeof linear>, rest, {
      ...plan,
      from: trained.toBytes(),
      algorithm: algorithmFromJson(trained.description.algorithm as never),
    });
    // Cut as nobody would: but never within a batch.
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

  test("goes on bit for bit from its checkpoint, and returns to it", async () => {
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

  test("says what was predicted before the update", async () => {
    const run = await online(await begin(), { batch, seed: 3 });
    // Dropout takes part before an update too, and an average is not where gradients are taken.
    const isNoisy = /dropout|averaging/.test(JSON.stringify([model, rule]));
    for (let from = 100; from < 100 + 6 * batch; from += batch) {
      const before = await predictor(run.predictor().toBytes());
      const [some, right] = [rows(from, from + batch), targets.slice(from, from + batch)];
      const learnt = await run.learn(run.read(some, right));
      const predicted = (before.predict(some) as { value: string | number }[]).map(({ value }) => value);
      expect(learnt.rows).toBe(batch);
      expect(learnt.weight).toBe(batch);
      if (isNoisy) continue;
      if (learnt.right !== undefined) expect(learnt.right).toBe(right.filter((y, i) => String(y) === String(predicted[i])).length);
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

void [batchNorm, lbfgs, stochasticLineSearch];
