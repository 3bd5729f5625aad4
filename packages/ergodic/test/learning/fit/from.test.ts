import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import {
  adagrad,
  adam,
  alternatingLeastSquares,
  batchNorm,
  coordinateDescent,
  Dataset,
  dense,
  factorisation,
  fit,
  frozen,
  lbfgs,
  linear,
  minimize,
  momentum,
  network,
  predictor,
  Ratings,
  relu,
  sgd,
} from "../../../src/entries/everything.ts";

const folder = mkdtempSync(join(tmpdir(), "ergodic-from-"));
afterAll(() => rmSync(folder, { recursive: true }));

const SIZE = 200;
/** Deterministic numbers that look random. */
const wave = (i: number, k: number): number =>
  Math.sin(12.9898 * (i + 1) + 78.233 * (k + 1)) * 43758.5453 -
  Math.floor(Math.sin(12.9898 * (i + 1) + 78.233 * (k + 1)) * 43758.5453);
const rows = (seed: number, size = SIZE): number[][] =>
  Array.from({ length: size }, (_, i) => [wave(i, 7 * seed), wave(i, 7 * seed + 1), wave(i, 7 * seed + 2)]);
const targets = (x: number[][]): number[] => x.map(([a, b, c]) => 2 * a - 3 * b + c * c + 0.5);
const numbers = (seed: number, size = SIZE): Dataset => {
  const x = rows(seed, size);
  return Dataset.fromArrays({ x, y: targets(x) });
};
const still = { rule: sgd({ rate: 1e-30 }), epochs: 1, seed: 1 } as const;

describe("a linear model initialised from another", () => {
  const model = linear({ loss: "squared" });

  it("has equal weights without a step: from a predictor, bytes, a file, an address and a list", async () => {
    const first = await fit(model, numbers(1), { epochs: 3, seed: 1 });
    const path = join(folder, "first.safetensors");
    await first.save(path);
    const list = [...first.weights, ...first.intercept];
    for (const from of [
      first,
      await predictor(path),
      first.toBytes(),
      path,
      pathToFileURL(path),
      list,
      Float64Array.from(list),
    ]) {
      const again = await fit(model, numbers(2), { ...still, from });
      expect([...again.weights]).toEqual([...first.weights].map(Math.fround));
      expect([...again.intercept]).toEqual([...first.intercept].map(Math.fround));
    }
  });

  it("has equal weights from a run's checkpoint, for every precision and averaged replicas", async () => {
    for (const plan of [
      {},
      { precision: { data: "f64", model: "f64" } },
      { precision: { data: "i16", model: "f32" } },
      { precision: { data: "i8", model: "i16" } },
      { replicas: 2 },
      { batch: "all", rule: sgd({ rate: 0.1 }) },
      { batch: "all", rule: lbfgs() },
    ] as const) {
      const run = fit(model, numbers(1), { epochs: 2, seed: 1, ...plan });
      const first = await run;
      const again = await fit(model, numbers(2), { ...still, from: await run.checkpoint() });
      const [wanted, found] = [first, again].map(({ weights, intercept }) => [...weights, ...intercept]);
      for (const [i, x] of wanted.entries()) expect(found[i]).toBeCloseTo(x, 6);
    }
  });

  it("has equal weights even if its parameters are scaled by a decay", async () => {
    const x = Array.from({ length: 60 }, (_, i) => [[i % 5, 1] as const, [5 + (i % 3), 0.5] as const]);
    const sparse = (): Dataset =>
      Dataset.fromSparse({
        source: "rows",
        rowStart: Uint32Array.from({ length: 61 }, (_, i) => 2 * i),
        columnIndex: Uint32Array.from(x.flat(), ([j]) => j),
        values: Float64Array.from(x.flat(), ([, v]) => v),
        columnCount: 8,
        rowCount: 60,
        target: Float64Array.from({ length: 60 }, (_, i) => (i % 5) - 2),
      } as never);
    const run = fit(linear({ loss: "squared", l2: 0.1 }), sparse(), { rule: sgd({ rate: 0.05 }), epochs: 4, seed: 3 });
    const first = await run;
    const again = await fit(linear({ loss: "squared" }), sparse(), { ...still, from: await run.checkpoint() });
    for (const [i, w] of first.weights.entries()) expect(again.weights[i]).toBeCloseTo(w, 5);
    expect(first.weights.some((w) => Math.abs(w) > 0.1)).toBe(true);
  });

  it("uses the units of the first model's columns, computed from its rows", async () => {
    const scaled = (seed: number, by: number): Dataset => {
      const x = rows(seed).map(([a, b, c]) => [by * a + by, b, 100 * c]);
      return Dataset.fromArrays({ x, y: targets(x) });
    };
    const standardised = linear({ loss: "squared", standardise: true });
    const first = await fit(standardised, scaled(1, 1000), { epochs: 3, seed: 1 });
    const other = scaled(2, 3);
    const again = await fit(standardised, other, { ...still, from: first });
    expect(again.pipeline.steps.filter(({ kind }) => kind === "standardise")).toEqual(
      first.pipeline.steps.filter(({ kind }) => kind === "standardise"),
    );
    const [wanted, found] = [first.predict(other), again.predict(other)];
    for (const [i, { value }] of wanted.entries()) expect(found[i].value).toBeCloseTo(value as number, 2);
    // Its own units would differ.
    const own = await fit(standardised, other, still);
    expect(own.pipeline.steps).not.toEqual(again.pipeline.steps);
  });

  it("uses the earlier classes and levels in their order, even if the rows contain only some", async () => {
    const category = (name: string, texts: string[]) => {
      const levels = [...new Set(texts)];
      return { name, kind: "category" as const, levels, codes: Int32Array.from(texts, (text) => levels.indexOf(text)) };
    };
    const table = (shades: string[], kinds: string[]) => ({
      source: "table",
      rowCount: shades.length,
      columns: [category("colour", shades), category("kind", kinds)],
    });
    const colours = ["red", "green", "blue"];
    const whole = table(
      Array.from({ length: 90 }, (_, i) => colours[i % 3]),
      Array.from({ length: 90 }, (_, i) => ["x", "y", "z"][(i + (i % 7 === 0 ? 1 : 0)) % 3]),
    );
    const some = table(["blue", "blue", "green", "blue"], ["z", "y", "z", "z"]);
    const first = await fit(linear(), Dataset.fromTable(whole, { target: "kind" }), { epochs: 5, seed: 1 });
    const again = await fit(linear(), Dataset.fromTable(some, { target: "kind" }), { ...still, from: first });
    expect(again.classes).toEqual(["x", "y", "z"]);
    for (const colour of colours) {
      const [wanted, found] = [first.predict({ colour }), again.predict({ colour })];
      for (const name of ["x", "y", "z"]) expect(found.probabilities![name]).toBeCloseTo(wanted.probabilities![name], 6);
    }
    // The model learns the right class.
    const learnt = await fit(linear(), Dataset.fromTable(some, { target: "kind" }), {
      from: first,
      epochs: 20,
      seed: 1,
    });
    expect(learnt.predict({ colour: "blue" }).probabilities!.z).toBeGreaterThan(
      first.predict({ colour: "blue" }).probabilities!.z + 0.05,
    );
    const stranger = Dataset.fromTable(table(["red", "red"], ["x", "w"]), { target: "kind" });
    await expect(fit(linear(), stranger, { from: first })).rejects.toThrow(
      /row 2: "w" is not a class of the model's target \("x", "y", "z"\)/,
    );
  });

  it("has its own loss, if given, and otherwise the loss of the first model", async () => {
    const x = rows(1);
    const y = x.map(([a, b]) => (a > b ? "yes" : "no"));
    const first = await fit(linear({ loss: "hinge" }), Dataset.fromArrays({ x, y }), { epochs: 1, seed: 1 });
    const lossOf = async (from: typeof first, loss?: "logistic"): Promise<unknown> =>
      (await fit(linear(loss ? { loss } : {}), Dataset.fromArrays({ x, y }), { ...still, from })).description.loss;
    expect(await lossOf(first)).toEqual({ name: "hinge" });
    expect(await lossOf(first, "logistic")).toEqual({ name: "logistic" });
  });

  it("stays at the optimum with few updates", async () => {
    const data = numbers(1);
    const best = await fit(model, data, { algorithm: coordinateDescent() });
    const loss = best.evaluate(data).rmse;
    const [on, anew] = [
      await fit(model, data, { from: best, rule: sgd({ rate: 0.01 }), epochs: 1, seed: 2 }),
      await fit(model, data, { rule: sgd({ rate: 0.01 }), epochs: 1, seed: 2 }),
    ];
    expect(on.evaluate(data).rmse).toBeLessThan(1.02 * loss);
    expect(anew.evaluate(data).rmse).toBeGreaterThan(2 * loss);
  });

  it("resumes bit for bit", async () => {
    const first = await fit(linear({ loss: "squared", standardise: true }), numbers(1), { epochs: 2, seed: 1 });
    const options = { from: first, rule: momentum({ rate: 0.01 }), seed: 5, batch: 8 } as const;
    const data = numbers(2);
    const whole = await fit(linear({ loss: "squared", standardise: true }), data, { ...options, epochs: 4 });
    const half = fit(linear({ loss: "squared", standardise: true }), data, { ...options, epochs: 2 });
    await half;
    const resumed = await fit.resume(await half.checkpoint(), data, { epochs: 4 });
    expect(resumed.toBytes()).toEqual(whole.toBytes());
  });
});

describe("a retained optimiser", () => {
  const data = numbers(1);
  const options = { schedule: "ordered", batch: 10, seed: 1 } as const;

  it.each([
    ["adam", adam({ rate: 0.01 }), {}],
    ["adagrad", adagrad({ rate: 0.05 }), {}],
    ["momentum in f64", momentum({ rate: 0.01 }), { precision: { data: "f64", model: "f64" } }],
    ["adam, racing alone", adam({ rate: 0.01 }), { replicas: "shared", workers: 1 }],
    ["adam on replicas", adam({ rate: 0.01 }), { replicas: 2 }],
    ["adam on full gradients", adam({ rate: 0.05 }), { batch: "all" }],
  ] as const)("%s: equals two epochs after one epoch and one more, bit for bit", async (_, rule, plan) => {
    const given = { ...options, ...plan, rule } as const;
    const two = await fit(linear({ loss: "squared" }), data, { ...given, epochs: 2 });
    const run = fit(linear({ loss: "squared" }), data, { ...given, epochs: 1 });
    await run;
    const from = await run.checkpoint();
    const kept = await fit(linear({ loss: "squared" }), data, { ...given, epochs: 1, from, optimiser: "kept" });
    expect([...kept.weights, ...kept.intercept]).toEqual([...two.weights, ...two.intercept]);
    const fresh = await fit(linear({ loss: "squared" }), data, { ...given, epochs: 1, from });
    expect([...fresh.weights]).not.toEqual([...two.weights]);
  });

  it("is retained over several runs, and after one of them is resumed", async () => {
    const given = { ...options, rule: adam({ rate: 0.01 }) };
    const four = await fit(linear({ loss: "squared" }), data, { ...given, epochs: 4 });
    let run = fit(linear({ loss: "squared" }), data, { ...given, epochs: 1 });
    for (let k = 0; k < 2; k++) {
      await run;
      run = fit(linear({ loss: "squared" }), data, { ...given, epochs: 1, from: await run.checkpoint(), optimiser: "kept" });
    }
    await run;
    const last = await fit.resume(await run.checkpoint(), data, { epochs: 2 });
    expect([...last.weights]).toEqual([...four.weights]);
  });

  it("is refused if its state is of another kind", async () => {
    const run = fit(linear({ loss: "squared" }), data, { ...options, rule: adam({ rate: 0.01 }), epochs: 1 });
    await run;
    const from = await run.checkpoint();
    const more = { from, optimiser: "kept", epochs: 1 } as const;
    for (const other of [
      { rule: sgd({ rate: 0.01 }) },
      { rule: adam({ rate: 0.01 }), batch: "all" },
      { rule: adam(), precision: { data: "f64", model: "f64" } },
    ] as const)
      await expect(fit(linear({ loss: "squared" }), data, { ...options, ...more, ...other })).rejects.toMatchObject({
        code: "FROM_OPTIMISER",
      });
    await expect(fit(linear({ loss: "squared" }), data, { from: await run, optimiser: "kept" })).rejects.toThrow(
      /only checkpoints hold its state/,
    );
  });
});

describe("a network initialised from another", () => {
  const model = network([dense(8), relu(), dense(1)], { loss: "squared" });

  it("predicts the same without a step, in any units of the new targets", async () => {
    const far = (seed: number, by: number): Dataset => {
      const x = rows(seed);
      return Dataset.fromArrays({ x, y: targets(x).map((y) => by * (y + 3)) });
    };
    const first = await fit(model, far(1, 1000), { epochs: 4, seed: 1 });
    const other = far(2, 7);
    const run = fit(model, far(1, 1000), { epochs: 4, seed: 1 });
    await run;
    for (const from of [first, first.toBytes(), await run.checkpoint()]) {
      const again = await fit(model, other, { ...still, from });
      const wanted = first.predict(other);
      for (const [i, { value }] of again.predict(other).entries())
        expect(value as number).toBeCloseTo(wanted[i].value as number, 2);
    }
    expect(Math.abs(first.predict(other)[0].value as number)).toBeGreaterThan(500);
  });

  it("keeps frozen parts, and initialises parts listed in reset", async () => {
    const first = await fit(model, numbers(1), { epochs: 2, seed: 1 });
    const tuned = await fit(network([frozen(dense(8)), relu(), dense(1)], { loss: "squared" }), numbers(2), {
      from: first,
      epochs: 2,
      seed: 2,
    });
    const hidden = (m: typeof first) => (m as unknown as { tensors(): Record<string, { values: ArrayLike<number> }> }).tensors();
    expect([...Array.from(hidden(tuned)["0.weight"].values)]).toEqual([...Array.from(hidden(first)["0.weight"].values)]);
    expect([...Array.from(hidden(tuned)["2.weight"].values)]).not.toEqual([...Array.from(hidden(first)["2.weight"].values)]);
    const anew = await fit(model, numbers(2), { ...still, from: first, reset: ["2"] });
    const start = await fit(model, numbers(2), still);
    expect([...Array.from(hidden(anew)["0.weight"].values)]).toEqual([...Array.from(hidden(first)["0.weight"].values)]);
    expect([...Array.from(hidden(anew)["2.weight"].values)]).toEqual([...Array.from(hidden(start)["2.weight"].values)]);
    // A head of another size, for another target.
    const wider = await fit(network([frozen(dense(8)), relu(), dense(4), relu(), dense(1)], { loss: "squared" }), numbers(2), {
      from: first,
      reset: ["2", "4"],
      epochs: 1,
      seed: 2,
    });
    expect([...Array.from(hidden(wider)["0.weight"].values)]).toEqual([...Array.from(hidden(first)["0.weight"].values)]);
  });

  it("resets only the named part, not a path with the same first digit", async () => {
    const layers = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? relu() : dense(i === 11 ? 1 : 2)));
    const first = await fit(network(layers, { loss: "squared" }), numbers(1), { epochs: 1, seed: 1 });
    const again = await fit(network(layers, { loss: "squared" }), numbers(2), { ...still, seed: 7, from: first, reset: ["1"] });
    const weights = (m: typeof first, path: string): number[] =>
      Array.from((m as unknown as { tensors(): Record<string, { values: ArrayLike<number> }> }).tensors()[path].values);
    expect(weights(again, "11.weight")).toEqual(weights(first, "11.weight"));
    expect(weights(again, "1.weight")).not.toEqual(weights(first, "1.weight"));
  });

  it("finds frozen parts at other parameter positions, even in a checkpoint", async () => {
    const run = fit(model, numbers(1), { epochs: 2, seed: 1 });
    const first = await run;
    const tuned = await fit(network([frozen(dense(8)), relu(), dense(1)], { loss: "squared" }), numbers(2), {
      ...still,
      from: await run.checkpoint(),
    });
    const data = numbers(3);
    for (const [i, { value }] of tuned.predict(data).entries())
      expect(value as number).toBeCloseTo(first.predict(data)[i].value as number, 5);
    await expect(
      fit(network([frozen(dense(8)), relu(), dense(1)], { loss: "squared" }), numbers(2), {
        from: await run.checkpoint(),
        optimiser: "kept",
      }),
    ).rejects.toMatchObject({ code: "FROM_OPTIMISER" });
  });

  it("begins from a checkpoint with normalisation, and refuses a file with folded normalisation", async () => {
    const normal = network([dense(8), batchNorm(), relu(), dense(1)], { loss: "squared" });
    const run = fit(normal, numbers(1), { epochs: 3, seed: 1 });
    const first = await run;
    const again = await fit(normal, numbers(2), {
      ...still,
      rule: sgd({ rate: 1e-30 }),
      until: { updates: 1 },
      epochs: undefined,
      from: await run.checkpoint(),
    });
    const statistics = await fit(normal, numbers(2), { until: { updates: 1 }, rule: sgd({ rate: 1e-30 }), seed: 1 });
    const data = numbers(3);
    const difference = (m: typeof first): number =>
      Math.max(...m.predict(data).map(({ value }, i) => Math.abs((value as number) - (first.predict(data)[i].value as number))));
    // One batch changes the running statistics.
    expect(difference(again)).toBeLessThan(0.2 * difference(statistics));
    await expect(fit(normal, numbers(2), { from: first })).rejects.toThrow(
      /no numbers for 0\.weight.*give the checkpoint of its run/s,
    );
  });

  it("reads a list in the order of its layers", async () => {
    const list = Float64Array.from({ length: 3 * 8 + 8 + 8 + 1 }, (_, i) => i / 10 - 1.05);
    const made = await fit(model, numbers(1), { ...still, from: list });
    const { "0.weight": weight, "2.bias": bias } = (
      made as unknown as { tensors(): Record<string, { values: ArrayLike<number> }> }
    ).tensors();
    expect([...Array.from(weight.values)]).toEqual([...list.subarray(0, 24)].map(Math.fround));
    expect([...Array.from(bias.values)]).toEqual([Math.fround(list[40])]);
    await expect(fit(model, numbers(1), { from: list.subarray(1) })).rejects.toThrow(
      /from has 40 numbers, but this model has 41: 24 of 0\.weight, 8 of 0\.bias/,
    );
  });
});

describe("a factorisation initialised from another", () => {
  const ratings = (users: string, items: string): Ratings => {
    const cells = [...users].flatMap((u) => [...items].map((m) => [u, m] as const));
    const value = (u: string, m: string): number =>
      3 + wave(u.charCodeAt(0), 1) * wave(m.charCodeAt(0), 2) + wave(u.charCodeAt(0), m.charCodeAt(0));
    return Ratings.fromTriples({
      users: cells.map(([u]) => u),
      items: cells.map(([, m]) => m),
      values: cells.map(([u, m]) => value(u, m)),
    });
  };

  it("matches users and items by name", async () => {
    const model = factorisation({ rank: 2, l2: 0.01 });
    const first = await fit(model, ratings("abcdefgh", "pqrstuv"), { epochs: 60, seed: 1 });
    const other = ratings("hgfedcba", "vutsrqp");
    const again = await fit(model, other, { from: first, epochs: 1, seed: 9 });
    const anew = await fit(model, other, { epochs: 1, seed: 9 });
    const error = (m: typeof first): number => m.evaluate(other).rmse!;
    expect(error(again)).toBeLessThan(1.001 * error(first));
    expect(error(anew)).toBeGreaterThan(1.05 * error(first));
    // One additional user, with the usual initial values.
    const more = await fit(model, ratings("ahxc", "vqz"), { from: first, epochs: 3, seed: 9 });
    expect(more.users.size).toBe(4);
    await expect(fit(model, other, { from: [1, 2, 3] })).rejects.toThrow(/factors belong to named users and items/);
    const run = fit(model, other, { epochs: 1, algorithm: alternatingLeastSquares() });
    await run;
    await expect(fit(model, other, { from: await run.checkpoint() })).rejects.toMatchObject({ code: "FROM_MODEL" });
  });
});

describe("refused initial models", () => {
  const data = numbers(1);
  it("explains why an initial model is refused", async () => {
    const first = await fit(linear({ loss: "squared" }), data, { epochs: 1 });
    const two = Dataset.fromArrays({ x: rows(1).map((row) => row.slice(0, 2)), y: targets(rows(1)) });
    await expect(fit(linear(), two, { from: first })).rejects.toMatchObject({ code: "DATASET_PIPELINE" });
    await expect(fit(network([dense(1)]), data, { from: first })).rejects.toThrow(
      /holds a model of kind "linear", but the model to train is of kind "network"/,
    );
    await expect(fit(linear(), data, { from: first, algorithm: coordinateDescent() })).rejects.toThrow(
      /coordinateDescent finds the minimum from any start/,
    );
    await expect(fit(linear(), data, { from: [1, 2] })).rejects.toThrow(
      /from has 2 numbers, but this model has 4: 3 weights, output by output, then 1 intercepts/,
    );
    await expect(fit(linear(), data, { from: [1, 2, Number.NaN, 3] })).rejects.toThrow(/from\[2\] is NaN/);
    await expect(fit(linear(), data, { from: join(folder, "none") })).rejects.toThrow(/none/);
    await expect(fit(linear(), data, { from: first, reset: ["0"] })).rejects.toThrow(/reset names parts of networks/);
    await expect(
      fit(network([dense(1)]), data, { from: await fit(network([dense(1)]), data, { epochs: 1 }), reset: ["7"] }),
    ).rejects.toThrow(/the network has no such part; it has 0\.weight, 0\.bias/);
    expect(() => fit(linear(), data, { from: 3 as never })).toThrow(/from is 3, but must be a trained model/);
    expect(() => fit(linear(), data, { from: { weights: [1] } as never })).toThrow(/must be a trained model/);
    expect(() => fit(linear(), data, { reset: ["0"] })).toThrow(/reset was given without from/);
    expect(() => fit(linear(), data, { optimiser: "kept" })).toThrow(/optimiser was given without from/);
    expect(() => fit(linear(), data, { from: first, optimiser: "old" as never })).toThrow(/"fresh"/);
  });

  it("reports a DataError for a damaged file, never a TypeError", async () => {
    const first = await fit(network([dense(2), dense(1)], { loss: "squared" }), data, { epochs: 1, seed: 1 });
    const bytes = first.toBytes();
    const text = new TextDecoder("latin1").decode(bytes);
    for (const part of ["scales", "factor", "pipeline"]) {
      const place = text.indexOf(part);
      expect(place, part).toBeGreaterThan(0);
      const damaged = bytes.slice();
      damaged[place] = "x".charCodeAt(0);
      await expect(fit(network([dense(2), dense(1)], { loss: "squared" }), data, { from: damaged }), part).rejects.toMatchObject({
        name: "DataError",
      });
    }
  });

  it("refuses changed numbers in a file, and the checkpoint of another kind of model", async () => {
    const bytes = (await fit(linear({ loss: "squared" }), data, { epochs: 1, seed: 1 })).toBytes();
    bytes[bytes.length - 2] ^= 1;
    await expect(fit(linear({ loss: "squared" }), data, { from: bytes })).rejects.toMatchObject({ code: "MODEL_FORMAT" });
    const run = fit(network([dense(1)], { loss: "squared" }), data, { epochs: 1, seed: 1 });
    await run;
    await expect(fit(linear({ loss: "squared" }), data, { from: await run.checkpoint() })).rejects.toThrow(
      /holds a model of kind "network", but the model to train is of kind "linear"/,
    );
    const search = minimize(([a]: Float64Array) => a * a, [1], { evaluations: 20, seed: 1 });
    await search;
    await expect(fit(linear({ loss: "squared" }), data, { from: await search.checkpoint() })).rejects.toThrow(
      /holds no trained model, but the model to train is of kind "linear"/,
    );
  });
});
