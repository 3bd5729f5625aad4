/** `fit.stream`: the updates of fit, over blocks that are read once. Each row is predicted before training on it. */
import { describe, expect, it } from "vitest";
import {
  adagrad,
  adam,
  Dataset,
  dateParts,
  dense,
  fit,
  type LinearPredictor,
  lbfgs,
  linear,
  network,
  predictor,
  type RunSummary,
  relu,
  type SparseTable,
  sgd,
  stream,
  type Table,
} from "../../../src/entries/everything.ts";

const N = 600;
const random = stream(1, "stream test").at(0);
const x = Array.from({ length: N }, () => Array.from({ length: 4 }, () => random.normal()));
const score = x.map(([a, b, c]) => 2 * a - b + 0.5 * c + 0.3 * random.normal());
const y = score.map((s) => (s > 0 ? "yes" : "no"));
const w = x.map(() => 1 + random.integer(3));

const arrays = (rows: readonly number[], options: object = {}) =>
  Dataset.fromArrays({ x: rows.map((i) => x[i]), y: rows.map((i) => y[i]), weights: rows.map((i) => w[i]), ...options });
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const whole = arrays(range(0, N));
/** Yields blocks of these sizes, then the rest. */
function* cut(sizes: readonly number[], rows = range(0, N)): Generator<Dataset> {
  let at = 0;
  for (const size of [...sizes, Infinity]) {
    const some = rows.slice(at, at + size);
    if (some.length > 0) yield arrays(some);
    at += size;
  }
}
async function* later<T>(blocks: Iterable<T>, milliseconds = 1): AsyncGenerator<T> {
  for (const block of blocks) {
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    yield block;
  }
}
const model = linear({ loss: "logistic", l2: 1e-3, standardise: false });
const options = { rule: adagrad({ rate: 0.2 }), batch: 4, seed: 3 };
const asFit = { ...options, epochs: 1, schedule: "ordered", deterministic: true } as const;
const failing = async (of: PromiseLike<unknown>): Promise<string> => {
  try {
    await of;
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("nothing was refused");
};
const table = (rows: readonly number[], levels: readonly string[] = ["no", "yes"]): Table => ({
  rowCount: rows.length,
  source: "t.csv",
  columns: [
    ...range(0, 4).map((j) => ({ name: `x${j}`, kind: "number" as const, values: Float64Array.from(rows, (i) => x[i][j]) })),
    { name: "y", kind: "category", levels, codes: Int32Array.from(rows, (i) => levels.indexOf(y[i])) },
    { name: "w", kind: "number", values: Float64Array.from(rows, (i) => w[i]) },
  ],
});

describe("fit.stream", () => {
  it("makes the updates of fit on all rows, for any blocks of whole batches", async () => {
    const wanted = await fit(model, whole, asFit);
    for (const sizes of [[], [4], [200, 200], [8, 400, 4]]) {
      const fitted = await fit.stream(model, cut(sizes), options);
      expect([...fitted.weights], String(sizes)).toEqual([...wanted.weights]);
      expect([...fitted.intercept]).toEqual([...wanted.intercept]);
      expect(fitted.run.updates).toBe(N / 4);
      expect(fitted.run.loss).toBeCloseTo(wanted.run.loss, 12);
      expect(fitted.run.reason).toBe("the blocks ended");
      expect(fitted.run.epochs).toBe(1);
    }
  });

  it("makes the same updates for networks with equal initial weights", async () => {
    const net = network([dense(5), relu(), dense(1)], { loss: "logistic" });
    const own = { rule: adam({ rate: 0.01 }), batch: 10, seed: 7 };
    const wanted = await fit(net, whole, { ...own, epochs: 1, schedule: "ordered", deterministic: true });
    const fitted = await fit.stream(net, cut([300]), own);
    expect(fitted.predict(x.slice(0, 5))).toEqual(wanted.predict(x.slice(0, 5)));
    expect(fitted.run.updates).toBe(60);
  });

  it("makes the same updates for sparse rows", async () => {
    const sparse = (rows: readonly number[]): SparseTable => ({
      source: "s",
      rowCount: rows.length,
      columnCount: 6,
      rowStart: Uint32Array.from({ length: rows.length + 1 }, (_, i) => 2 * i),
      columnIndex: Uint32Array.from(rows.flatMap((i) => [i % 3, 3 + (i % 2)])),
      values: Float64Array.from(rows.flatMap((i) => [x[i][0], x[i][1]])),
      target: Float64Array.from(rows, (i) => score[i]),
    });
    const squared = linear({ loss: "squared", standardise: false });
    const own = { rule: sgd({ rate: 0.05 }), batch: 1, seed: 0 };
    const wanted = await fit(squared, Dataset.fromSparse(sparse(range(0, N))), {
      ...own,
      epochs: 1,
      schedule: "ordered",
      deterministic: true,
    });
    const fitted = await fit.stream(squared, [sparse(range(0, 100)), sparse(range(100, 101)), sparse(range(101, N))], {
      ...own,
      table: {},
    });
    expect([...fitted.weights]).toEqual([...wanted.weights]);
    expect(fitted.run.report).toMatchObject({ rows: N, blocks: 3 });
  });

  it("reads all tables like the first, with levels and classes listed only there", async () => {
    const rowsOf = (blocks: number[][]) => blocks.map((rows) => table(rows));
    const only = range(0, N)
      .filter((i) => y[i] === "yes")
      .slice(0, 8);
    const rest = range(0, N).filter((i) => !only.includes(i));
    const fitted = await fit.stream(model, later(rowsOf([only, rest])), { ...options, table: { target: "y", weights: "w" } });
    expect(fitted.classes).toEqual(["no", "yes"]);
    const wanted = await fit(model, arrays([...only, ...rest]), asFit);
    expect([...fitted.weights]).toEqual([...wanted.weights]);
    expect(fitted.columns).toEqual(["x0", "x1", "x2", "x3"]);
    const cities = (city: string, of: number): Table => ({
      rowCount: 2,
      source: "c",
      columns: [
        { name: "city", kind: "category", levels: ["Rome", "Oslo"], codes: Int32Array.of(city === "Rome" ? 0 : 1, -1) },
        { name: "t", kind: "number", values: Float64Array.of(of, of) },
      ],
    });
    const by = await fit.stream(linear({ loss: "squared" }), [cities("Oslo", 1), cities("Rome", 2)], {
      table: { target: "t", impute: "level" },
    });
    expect(by.columns).toEqual(["city=Oslo", "city=Rome", "city=(missing)"]);
  });

  it("reads all classes from the options if the first block lacks some", async () => {
    const first = arrays(
      range(0, N)
        .filter((i) => y[i] === "yes")
        .slice(0, 8),
    );
    const classes = ["no", "yes"];
    const fitted = await fit.stream(model, [first, whole], { ...options, classes });
    expect(fitted.classes).toEqual(classes);
    expect(fitted.run.report.rows).toBe(N + 8);
    const three = await fit.stream(linear({ standardise: false }), [table(range(0, 8)), table(range(8, N))], {
      table: { target: "y", weights: "w" },
      classes: ["yes", "no", "perhaps"],
    });
    expect(three.classes).toEqual(["no", "perhaps", "yes"]);
    expect(await failing(fit.stream(model, [first, whole], options))).toMatch(
      /the first block holds only one class, "yes"; name all classes/,
    );
  });

  it("fits the column transformation on the first block alone, and stores it in the model", async () => {
    const standardised = linear({ loss: "logistic", standardise: true });
    const fitted = await fit.stream(standardised, cut([100]), options);
    const steps = fitted.pipeline.steps.find(({ kind }) => kind === "standardise") as unknown as { centre: number[] };
    const mean = x.slice(0, 100).reduce((sum, row) => sum + row[0], 0) / 100;
    expect(steps.centre[0]).toBeCloseTo(mean, 5);
    const dated: Table = {
      rowCount: 3,
      source: "d",
      columns: [
        { name: "on", kind: "category", levels: ["2024-01-01", "2024-02-03", "2024-03-05"], codes: Int32Array.of(0, 1, 2) },
        { name: "t", kind: "number", values: Float64Array.of(1, 2, 3) },
      ],
    };
    const byDate = await fit.stream(linear({ loss: "squared" }), [dated], { table: { target: "t", dates: dateParts("on") } });
    expect(byDate.predict({ on: "2024-05-06" }).value).toBeTypeOf("number");
  });

  it("returns a model that can be saved, read, evaluated and used as an initial model", async () => {
    const fitted = await fit.stream(model, cut([100, 100]), options);
    expect(fitted.evaluate(whole).accuracy).toBeGreaterThan(0.9);
    const again = await predictor<LinearPredictor>(fitted.toBytes());
    expect(again.predict(x.slice(0, 3))).toEqual(fitted.predict(x.slice(0, 3)));
    const more = await fit(model, whole, { ...asFit, from: fitted });
    expect(more.run.updates).toBe(150);
    const { algorithm, plan } = fitted.description as { algorithm: object; plan: object };
    expect(algorithm).toMatchObject({ algorithm: "gradientDescent", rule: { rule: "adagrad", options: { rate: 0.2 } } });
    expect(plan).toMatchObject({ batch: 4, seed: 3, schedule: "ordered" });
  });

  it("uses the default rule of fit", async () => {
    const fitted = await fit.stream(linear({ loss: "logistic" }), [whole]);
    const wanted = await fit(linear({ loss: "logistic" }), whole, {
      rule: adagrad({ rate: 0.1 }),
      schedule: "ordered",
      epochs: 1,
      deterministic: true,
      batch: 1,
    });
    expect([...fitted.weights]).toEqual([...wanted.weights]);
  });
});

describe("progressive validation", () => {
  it("reports the loss and accuracy of each block, predicted before each update", async () => {
    const squared = linear({ loss: "squared", standardise: false });
    const own = { rule: sgd({ rate: 0.05 }), batch: 1 };
    const blocks = [range(0, 50), range(50, 80)].map((rows) =>
      Dataset.fromArrays({ x: rows.map((i) => x[i]), y: rows.map((i) => score[i]), weights: rows.map((i) => w[i]), type: "f64" }),
    );
    // By hand: predict, count, step. The twin computes in float64 and the stream in float32.
    const p = new Float64Array(5);
    const wanted = [range(0, 50), range(50, 80)].map((rows) => {
      let [loss, weight, squares, absolute] = [0, 0, 0, 0];
      for (const i of rows) {
        const error = p[4] + x[i].reduce((sum, v, j) => sum + v * p[j], 0) - score[i];
        loss += w[i] * 0.5 * error * error;
        weight += w[i];
        squares += w[i] * error * error;
        absolute += w[i] * Math.abs(error);
        [...x[i], 1].forEach((v, j) => {
          p[j] -= 0.05 * w[i] * error * v;
        });
      }
      return { loss: loss / weight, rmse: Math.sqrt(squares / weight), mae: absolute / weight, rows: rows.length };
    });
    const run = fit.stream(squared, blocks, own);
    const found: Record<string, number>[] = [];
    for await (const tick of run) if (tick.validation) found.push(tick.validation);
    const fitted = await run;
    expect(fitted.run.ticks.flatMap(({ validation }) => (validation ? [validation] : []))).toEqual(found);
    expect(found).toHaveLength(2);
    const half = found[0].loss / wanted[0].loss;
    found.forEach((block, k) => {
      expect(Object.keys(block)).toEqual(["loss", "rmse", "mae", "rows"]);
      for (const name of ["rmse", "mae", "rows"] as const) expect(block[name]).toBeCloseTo(wanted[k][name], 6);
      expect(block.loss / wanted[k].loss).toBeCloseTo(half, 6);
    });
    expect([1, 2]).toContain(Math.round(half * 1e6) / 1e6);
    [...fitted.weights, ...fitted.intercept].forEach((value, j) => void expect(value).toBeCloseTo(p[j], 6));
  });

  it("applies row weights and class weights to classes", async () => {
    const balanced = linear({ loss: "logistic", standardise: false, classWeights: { no: 1, yes: 3 } });
    const [first] = (await fit.stream(balanced, cut([4]), { ...options, until: { updates: 1 } })).run.ticks;
    const right = range(0, 4).reduce((sum, i) => sum + (y[i] === "no" ? w[i] : 0), 0);
    const all = range(0, 4).reduce((sum, i) => sum + w[i], 0);
    // At first every output is 0, which predicts the first class and costs log 2.
    expect(first.validation!.accuracy).toBeCloseTo(right / all, 12);
    expect(first.validation!.loss).toBeCloseTo(Math.log(2), 6);
  });

  it("supports several classes", async () => {
    const three = Dataset.fromArrays({ x, y: score.map((s) => (s < -1 ? "a" : s < 1 ? "b" : "c")) });
    const { run } = await fit.stream(linear(), [three, three], { batch: 2, rule: adagrad({ rate: 0.3 }) });
    const [first, second] = run.ticks.flatMap(({ validation }) => (validation ? [validation] : []));
    expect(first.accuracy).toBeGreaterThan(0.5);
    expect(second.accuracy).toBeGreaterThan(first.accuracy);
    expect(second.loss).toBeLessThan(first.loss);
  });

  it("counts rows and blocks in ticks and in the report", async () => {
    const { run } = await fit.stream(model, cut([100, 200]), options);
    expect(run.report).toMatchObject({ rows: N, blocks: 3 });
    expect(
      run.ticks.filter(({ validation }) => validation).map(({ rows, blocks, validation }) => [rows, blocks, validation!.rows]),
    ).toEqual([
      [100, 1, 100],
      [300, 2, 200],
      [600, 3, 300],
    ]);
  });
});

describe("rows of weight 0", () => {
  const zeros = (rows: readonly number[]): Dataset =>
    Dataset.fromArrays({
      x: rows.map((i) => (i < 0 ? [9, -9, 5, 7] : x[i])),
      y: rows.map((i) => (i < 0 ? "no" : y[i])),
      weights: rows.map((i) => (i < 0 ? 0 : w[i])),
    });
  const padded = range(0, N).flatMap((i) => (i % 5 === 0 ? [-1, i, -1] : [i]));

  it("change nothing in a stream, including clock and reports", async () => {
    const wanted = await fit.stream(model, cut([200, 200]), options);
    const found = await fit.stream(model, [padded.slice(0, 280), padded.slice(280, 560), padded.slice(560)].map(zeros), options);
    expect([...found.weights]).toEqual([...wanted.weights]);
    expect(found.run.updates).toBe(wanted.run.updates);
    expect(found.run.report).toEqual(wanted.run.report);
    expect(found.run.loss).toBe(wanted.run.loss);
  });

  it("change nothing in a table of their own, and neither does an empty table", async () => {
    const empty = table(range(0, 3));
    const nothing = {
      ...empty,
      columns: empty.columns.map((c) => (c.name === "w" ? { ...c, values: new Float64Array(3) } : c)),
    } as Table;
    const own = { ...options, table: { target: "y", weights: "w" } } as const;
    const wanted = await fit.stream(model, [table(range(0, 8)), table(range(8, N))], own);
    const found = await fit.stream(model, [table(range(0, 8)), nothing, table([]), table(range(8, N))], own);
    expect([...found.weights]).toEqual([...wanted.weights]);
    expect(found.run.ticks.filter(({ validation }) => validation)).toHaveLength(2);
  });

  it.each<[string, object]>([
    ["shuffled", {}],
    ["drawn with replacement", { schedule: "replacement" }],
    ["in replicas", { replicas: 3, averageEvery: 0.5 }],
    ["on full gradients", { batch: "all", epochs: 5 }],
    ["by Adam, with validation", { rule: adam({ rate: 0.01 }), validate: whole }],
  ])("change no byte of fit, %s", async (_, extra) => {
    const own = { seed: 5, deterministic: true, epochs: 2, batch: 4, rule: adagrad({ rate: 0.2 }), ...extra };
    const wanted = await fit(linear({ loss: "logistic", l2: 0.01 }), whole, own);
    const found = await fit(linear({ loss: "logistic", l2: 0.01 }), zeros(padded), own);
    expect(found.run.updates).toBe(wanted.run.updates);
    expect(found.run.loss).toBe(wanted.run.loss);
    expect(Buffer.from(found.toBytes()).equals(Buffer.from(wanted.toBytes()))).toBe(true);
  });

  it("change no byte of fit for sparse rows, balanced classes and networks", async () => {
    const sparse = (rows: readonly number[]): Dataset =>
      Dataset.fromSparse(
        {
          source: "s",
          rowCount: rows.length,
          columnCount: 3,
          rowStart: Uint32Array.from({ length: rows.length + 1 }, (_, i) => i),
          columnIndex: Uint32Array.from(rows, (i) => Math.abs(i) % 3),
          values: Float64Array.from(rows, (i) => (i < 0 ? 99 : x[i][0])),
          target: Float64Array.from(rows, (i) => (i < 0 ? 1 : Number(y[i] === "yes"))),
          weights: Float64Array.from(rows, (i) => (i < 0 ? 0 : w[i])),
        },
        { classes: true },
      );
    const own = { seed: 5, deterministic: true, epochs: 2, batch: 4, rule: adagrad({ rate: 0.2 }) };
    const balanced = linear({ loss: "logistic", classWeights: "balanced", standardise: true });
    expect(Buffer.from((await fit(balanced, sparse(padded), own)).toBytes())).toEqual(
      Buffer.from((await fit(balanced, sparse(range(0, N)), own)).toBytes()),
    );
    const net = network([dense(3), relu(), dense(1)], { loss: "logistic" });
    expect(Buffer.from((await fit(net, zeros(padded), own)).toBytes())).toEqual(
      Buffer.from((await fit(net, whole, own)).toBytes()),
    );
  });

  it("let a run resume on the same rows, and on nonzero rows alone", async () => {
    const own = { seed: 5, deterministic: true, epochs: 2, batch: 4, rule: adagrad({ rate: 0.2 }) };
    const run = fit(model, zeros(padded), own);
    await run;
    const kept = await run.checkpoint();
    const more = await fit.resume(kept, zeros(padded), { epochs: 3 });
    const wanted = await fit(model, whole, { ...own, epochs: 3 });
    expect([...(more as LinearPredictor).weights]).toEqual([...wanted.weights]);
    expect(await failing(fit.resume(kept, whole, { epochs: 3 }))).toMatch(/CHECKPOINT_DATA/);
  });
});

describe("a run of blocks", () => {
  it("is stopped by until, by stop() and by its signal, and closes its source", async () => {
    let closed = 0;
    async function* endless(): AsyncGenerator<Dataset> {
      try {
        for (;;) yield arrays(range(0, 40));
      } finally {
        closed++;
      }
    }
    const few = await fit.stream(model, endless(), { ...options, until: { updates: 25 } });
    expect([few.run.updates, few.run.reason, few.run.epochs]).toEqual([25, "all updates made", 0]);
    const run = fit.stream(model, endless(), options);
    for await (const tick of run) if (Number(tick.blocks) > 3) run.stop();
    expect((await run).run.reason).toBe("stopped");
    const controller = new AbortController();
    const aborted = fit.stream(model, endless(), { ...options, signal: controller.signal });
    const watched = (async () => {
      for await (const _ of aborted) controller.abort(new Error("enough"));
    })();
    await expect(watched).rejects.toThrow("enough");
    await expect(aborted).rejects.toThrow("enough");
    const timed = await fit.stream(model, endless(), { ...options, until: { seconds: 0.05 } });
    expect(timed.run.reason).toBe("time is up");
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(closed).toBe(4);
  });

  it("is stopped while it waits for a block, including the first", async () => {
    const never = (blocks: Dataset[]): AsyncIterable<Dataset> => ({
      [Symbol.asyncIterator]: () => ({
        next: () =>
          blocks.length > 0 ? Promise.resolve({ value: blocks.shift()!, done: false }) : new Promise<never>(() => undefined),
      }),
    });
    const run = fit.stream(model, never([arrays(range(0, 8))]), options);
    await run.chosen;
    await new Promise((resolve) => setTimeout(resolve, 60));
    const kept = await run.checkpoint();
    run.stop();
    expect((await run).run.updates).toBe(2);
    expect(kept.length).toBeGreaterThan(100);
    const controller = new AbortController();
    const waiting = fit.stream(model, never([]), { ...options, signal: controller.signal });
    setTimeout(() => controller.abort(new Error("no block")), 30);
    await expect(waiting).rejects.toThrow("no block");
  });

  it.each([1, 25, 26, 49, 50, 75, 149, 150])(
    "resumes bit for bit after %i updates, within a block or between two",
    async (updates) => {
      const wanted = await fit.stream(model, cut([100, 100]), options);
      const run = fit.stream(model, cut([100, 100]), { ...options, until: { updates } });
      await run;
      const kept = await run.checkpoint();
      const resumed = fit.stream.resume(kept, later(cut([100, 100])));
      const fitted = await resumed;
      expect([...fitted.weights]).toEqual([...wanted.weights]);
      expect(fitted.run.updates).toBe(150);
      expect(fitted.run.loss).toBeCloseTo(wanted.run.loss, 12);
      expect(fitted.run.report).toEqual(wanted.run.report);
      const blocks = (of: { readonly run: RunSummary }) =>
        of.run.ticks.flatMap(({ validation }) => (validation ? [validation] : []));
      const since = blocks(wanted).slice(-blocks(fitted).length || 3);
      expect(blocks(fitted)).toEqual(since);
      expect(fitted.description).toEqual(wanted.description);
    },
  );

  it("resumes from a file in memory of a table stream, with adam's moments", async () => {
    const own = { rule: adam({ rate: 0.02 }), batch: 5, table: { target: "y", weights: "w" } as const };
    const blocks = () => [table(range(0, 100)), table(range(100, 300)), table(range(300, N))];
    const wanted = await fit.stream(model, blocks(), own);
    const run = fit.stream(model, later(blocks(), 20), own);
    let kept: Uint8Array | undefined;
    for await (const tick of run) if (tick.validation) kept ??= await run.checkpoint();
    await run;
    const fitted = await fit.stream.resume(new Blob([kept as Uint8Array<ArrayBuffer>]), blocks());
    expect([...fitted.weights]).toEqual([...wanted.weights]);
  });

  it("refuses to resume anything but a stream, or with fewer rows", async () => {
    const other = fit(model, whole, asFit);
    await other;
    expect(await failing(fit.stream.resume(await other.checkpoint(), cut([100])))).toMatch(/not of a stream.*CHECKPOINT_KIND/);
    const run = fit.stream(model, cut([100]), options);
    await run;
    const kept = await run.checkpoint();
    expect(await failing(fit.stream.resume(kept, cut([100], range(0, 300))))).toMatch(/ended 300 rows before the checkpoint/);
    expect(await failing(fit.stream.resume(kept, cut([100]), { batch: 3 } as never))).toMatch(/unknown option "batch"/);
    expect(await failing(fit.resume(kept, whole))).toMatch(/CHECKPOINT_/);
  });

  it("stays intact if a block is invalid, and closes its source", async () => {
    let closed = false;
    function* broken(): Generator<Dataset> {
      try {
        yield arrays(range(0, 40));
        yield Dataset.fromArrays({ x: [[1, 2]], y: ["no"] });
      } finally {
        closed = true;
      }
    }
    const run = fit.stream(model, broken(), options);
    expect(await failing(run)).toMatch(/columns are not the model's/);
    expect(closed).toBe(true);
    const fitted = await fit.stream.resume(await run.checkpoint(), cut([40]));
    expect([...fitted.weights]).toEqual([...(await fit.stream(model, cut([40]), options)).weights]);
  });

  it("passes on errors of its source", async () => {
    async function* failed(): AsyncGenerator<Dataset> {
      yield arrays(range(0, 40));
      throw new Error("the disk is gone");
    }
    expect(await failing(fit.stream(model, failed(), options))).toBe("the disk is gone");
  });

  it("holds one block at a time: memory does not grow with the rows", async () => {
    let most = 0;
    let alive = 0;
    function* counted(): Generator<Dataset> {
      for (let k = 0; k < 200; k++) {
        alive++;
        most = Math.max(most, alive);
        const block = arrays(range(0, 40));
        yield block;
        block.dispose();
        alive--;
      }
    }
    const { run } = await fit.stream(model, counted(), options);
    expect([run.report.rows, most]).toEqual([8000, 1]);
  });
});

describe("refused input", () => {
  const one = () => [whole];
  it.each<[string, () => PromiseLike<unknown>, RegExp]>([
    [
      "a strength that fit() would choose",
      () => fit.stream(linear({ l2: "auto" }), [whole], { batch: 4 }),
      /^linear: l2 is "auto", which fit\(\) chooses; give a number here, e\.g\. l2: 1e-3 \[OPTION_CONFLICT\]$/,
    ],
    ["no model", () => fit.stream({} as never, one()), /the model is .*but must be a linear model or a network/],
    ["no blocks", () => fit.stream(model, 3 as never), /blocks is 3, but must be blocks to iterate over/],
    ["a text", () => fit.stream(model, "big.csv" as never), /blocks is "big.csv"/],
    ["none at all", () => fit.stream(model, []), /the blocks hold no rows/],
    ["a block of something else", () => fit.stream(model, [1] as never), /a block is 1, but must be a Dataset or a table/],
    ["a later one of something else", () => fit.stream(model, [whole, null] as never), /a block is null/],
    ["tables without a word", () => fit.stream(model, [table(range(0, 9))]), /the blocks are tables; say how to convert them/],
    ["a word on datasets", () => fit.stream(model, one(), { table: { target: "y" } }), /but the blocks are datasets/],
    ["an option unknown", () => fit.stream(model, one(), { epochs: 2 } as never), /unknown option "epochs"/],
    ["a batch of none", () => fit.stream(model, one(), { batch: 0 }), /batch is 0/],
    ["a seed below 0", () => fit.stream(model, one(), { seed: -1 }), /seed is -1/],
    ["until nothing", () => fit.stream(model, one(), { until: {} }), /until is empty/],
    ["epochs", () => fit.stream(model, one(), { until: { epochs: 2 } as never }), /unknown option "epochs"/],
    ["no updates", () => fit.stream(model, one(), { until: { updates: 0 } }), /updates is 0/],
    ["a name for a rule", () => fit.stream(model, one(), { rule: "adam" as never }), /rule is "adam", but must be a rule/],
    ["rules of whole objectives", () => fit.stream(model, one(), { rule: lbfgs() }), /RULE_NEEDS_FULL_GRADIENT/],
    ["one class", () => fit.stream(model, one(), { classes: ["a"] }), /classes is .*two classes or more/],
    ["balanced classes", () => fit.stream(linear({ classWeights: "balanced" }), one()), /classWeights is "balanced"/],
    [
      "an offset",
      () => fit.stream(linear({ loss: "squared" }), [Dataset.fromArrays({ x: [[1], [2]], y: [1, 2], offset: [1, 1] })]),
      /offset/,
    ],
    [
      "a group penalty without a rule",
      () => fit.stream(linear({ group: { strength: 1, groups: [] } }), one()),
      /a group penalty needs variance reduction/,
    ],
    [
      "a signal that is none",
      () => Promise.resolve().then(() => fit.stream(model, one(), { signal: 1 as never })),
      /signal is 1/,
    ],
  ])("refuses %s", async (_, run, message) => expect(await failing(run())).toMatch(message));
});
