/** Tables with sparse rows have the same columns, models and predictions as dense ones. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withDenseRows } from "../../../src/engine/data/dense-rows.ts";
import type { Column, Table } from "../../../src/engine/data/table.ts";
import { chooseFormat } from "../../../src/engine/data/transformations/one-hot.ts";
import { engineMemory } from "../../../src/engine/memory/memory.ts";
import {
  coordinateDescent,
  Dataset,
  dense,
  fit,
  gradientDescent,
  lbfgs,
  linear,
  network,
  newtonCholesky,
  Pipeline,
  products,
  rff,
  sgd,
} from "../../../src/entries/everything.ts";
import { power } from "../../power.ts";
import { bytes, matrix, sparseOf, tableOf } from "./rows-of.ts";

/** Numbers in several units, one of them mostly 0, two categories, and a target that depends on all. */
function towns(rowCount: number, target: "class" | "number" = "class"): Table {
  const numbers = (value: (i: number) => number) => Float64Array.from({ length: rowCount }, (_, i) => value(i));
  const codes = (value: (i: number) => number) => Int32Array.from({ length: rowCount }, (_, i) => value(i));
  const levels = (name: string, count: number) => Array.from({ length: count }, (_, k) => `${name}${k}`);
  const income = numbers((i) => 30_000 + 9000 * Math.sin(i * 1.7));
  const rate = numbers((i) => 0.02 * Math.cos(i * 0.9) + 0.05);
  const gain = numbers((i) => (i % 7 === 0 ? 500 + (i % 5) * 100 : 0));
  const street = codes((i) => (i * 7 + ((i * i) % 5)) % 9);
  const party = codes((i) => (i * 3 + ((i * i) % 7)) % 5);
  const z = numbers(
    (i) => (income[i] - 30_000) / 6000 - (rate[i] - 0.05) / 0.02 + gain[i] / 400 + Math.sin(street[i]) - Math.cos(3 * party[i]),
  );
  const y: Column =
    target === "number"
      ? { name: "y", kind: "number", values: numbers((i) => 3 * z[i] + 10) }
      : { name: "y", kind: "category", levels: ["no", "yes"], codes: codes((i) => (z[i] + 2 * Math.sin(i * 12.9) > 0 ? 1 : 0)) };
  const columns: Column[] = [
    { name: "income", kind: "number", values: income },
    { name: "street", kind: "category", levels: levels("s", 9), codes: street },
    { name: "rate", kind: "number", values: rate },
    { name: "gain", kind: "number", values: gain },
    { name: "party", kind: "category", levels: levels("p", 5), codes: party },
    y,
  ];
  return { rowCount, columns, source: "towns.csv" };
}

const both = (table: Table, options: { type?: "f32" | "f64" } = {}) =>
  (["dense", "sparse"] as const).map((format) => Dataset.fromTable(table, { target: "y", format, ...options }));

const closeTo = (given: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number): void => {
  expect(given.length).toBe(wanted.length);
  for (let j = 0; j < given.length; j++)
    expect(Math.abs(given[j] - wanted[j])).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(wanted[j])));
};

describe("format chosen for a table", () => {
  const number = { name: "x", kind: "number" as const };
  const category = (count: number) => ({ name: "c", kind: "category" as const, levels: Array.from({ length: count }, String) });

  it.each([
    ["200 columns", 0, 200, "dense"],
    ["201 columns", 0, 201, "sparse"],
    ["4 columns a cell", 60, 184, "dense"],
    ["more than 4 columns a cell", 60, 185, "sparse"],
    ["numbers alone", 3000, 0, "dense"],
  ] as const)("is chosen for %s (%i numbers, a category of %i levels): %s", (_, numbers, levels, format) => {
    const categories = levels > 0 ? [category(levels)] : [];
    expect(chooseFormat([...Array.from({ length: numbers }, () => number), ...categories])).toBe(format);
  });
});

describe("standardised sparse tables", () => {
  const rows = fc.array(
    fc.record({
      a: fc.oneof(fc.constant(0), fc.double({ min: -1e3, max: 1e3, noNaN: true })),
      kind: fc.constantFrom("red", "green", "blue"),
      flag: fc.constantFrom(0, 1),
      b: fc.oneof(fc.constant(0), fc.double({ min: 50, max: 51, noNaN: true })),
      shape: fc.constantFrom("round", "square"),
      y: fc.integer({ min: -3, max: 3 }),
    }),
    { minLength: 2, maxLength: 15 },
  );

  it("without indicators, match dense rows in training and at prediction", () => {
    fc.assert(
      fc.property(rows, fc.constantFrom("f32" as const, "f64" as const), (people, type) => {
        const [plain, sparse] = both(tableOf(people), { type });
        const [wanted, given] = [plain, sparse].map((data) => data.standardise({ indicators: false }));
        expect([plain.format, given.format]).toEqual(["dense", "sparse"]);
        // Moments are summed in another order for columns with zeros.
        const tolerance = type === "f64" ? 1e-9 : 1e-4;
        matrix(given).forEach((row, i) => {
          closeTo(row, matrix(wanted)[i], tolerance);
        });
        const later = [{ a: 0, kind: "violet", flag: 1, b: 0, shape: "round" }];
        closeTo(given.pipeline.apply(later).row(0), wanted.pipeline.apply(later).row(0), tolerance);
        expect(bytes(Pipeline.fromJson(JSON.parse(JSON.stringify(given.pipeline))).apply(people))).toEqual(bytes(given));
      }),
      { seed: 51, numRuns: power(20, 60) },
    );
  });

  it("centre and scale numbers but only scale levels", () => {
    const table = tableOf([
      { x: 1, c: "p", z: 0, y: 0 },
      { x: 3, c: "q", z: 0, y: 1 },
      { x: 1, c: "q", z: 4, y: 0 },
      { x: 3, c: "q", z: 0, y: 1 },
    ]);
    using data = Dataset.fromTable(table, { target: "y", format: "sparse", type: "f64" });
    const root = Math.sqrt(3);
    const level = 4 / root;
    [
      [-1, level, 0, -1 / root],
      [1, 0, level, -1 / root],
      [-1, 0, level, root],
      [1, 0, level, -1 / root],
    ].forEach((row, i) => {
      closeTo(data.standardise().row(i), row, 1e-14);
    });
    expect(matrix(data.standardise({ by: "max" }))[2]).toEqual([1 / 3, 0, 1, 1]);
  });

  it("do not centre hashed columns or sparse files, and refuse steps that would", () => {
    using data = Dataset.fromTable(towns(20), { target: "y", format: "sparse" });
    using hashed = data.hash(5).standardise();
    const steps = JSON.parse(JSON.stringify(hashed.pipeline)) as { centre: number[] | null }[];
    expect(steps.at(-1)!.centre).toBeNull();
    steps.at(-1)!.centre = new Array<number>(32).fill(1);
    expect(() => Pipeline.fromJson(steps)).toThrow(/standardise was made for 32 dense columns, but gets 32 sparse/);
  });

  it("centre products of numbers but not those of levels", () => {
    const data = both(towns(40), { type: "f64" });
    const map = products({
      interactions: [
        ["income", "rate"],
        ["income", "party"],
      ],
    });
    const [plain, sparse] = data.map((rows) => rows.map(map).standardise({ indicators: false }));
    expect(sparse.format).toBe("sparse");
    const at = sparse.names.findIndex((name) => /income.*rate/.test(name));
    const mixed = sparse.names.findIndex((name) => /income.*party/.test(name));
    closeTo([sparse.row(3)[at]], [plain.row(3)[at]], 1e-9);
    const column = matrix(sparse).map((row) => row[mixed]);
    expect(column.filter((value) => value === 0).length).toBeGreaterThan(20);
    const { rowStart, columnIndex } = sparse.layout;
    const [first, second] = engineMemory().u32(rowStart, 2);
    const columns = [...engineMemory().u32(columnIndex, second).slice(first)];
    expect(columns).toEqual([...columns].sort((a, b) => a - b));
  });
});

describe("storage of sparse tables", () => {
  it("stores only nonzero values and allocates their memory once", () => {
    using data = Dataset.fromTable(towns(14), { target: "y", format: "sparse" });
    const { rowStart, columnIndex } = data.layout;
    const starts = engineMemory().u32(rowStart, 15).slice();
    expect([...starts.slice(0, 3)]).toEqual([0, 6, 11]);
    expect([...engineMemory().u32(columnIndex, 6)]).toEqual([0, 1, 8, 9, 10, 14]);
    const dense = Dataset.fromTable(towns(14), { target: "y", format: "dense" });
    expect(matrix(data)).toEqual(matrix(dense));
  });

  it("stores all columns in hashed rows", () => {
    using data = Dataset.fromTable(towns(14), { target: "y", hash: 12 });
    expect(matrix(data).map((row) => row.filter((value) => value !== 0).length)).toEqual(
      Array.from({ length: 14 }, (_, i) => (i % 7 === 0 ? 5 : 4)),
    );
  });

  it("refuses a value that cannot be stored, and frees its memory", () => {
    const table = tableOf([
      { x: 1, c: "p", y: 0 },
      { x: 1e39, c: "q", y: 1 },
    ]);
    const before = engineMemory().usedBytes;
    expect(() => Dataset.fromTable(table, { target: "y", format: "sparse" })).toThrow(/row 2: column "x" is too large for f32/);
    expect(engineMemory().usedBytes).toBeLessThanOrEqual(before);
  });
});

describe("follow with sparse tables", () => {
  it("follows standardised rows in the other format, but refuses columns in other places", () => {
    const table = towns(30);
    const [plain, sparse] = both(table).map((data) => data.standardise({ by: "max" }));
    expect(matrix(sparse.follow(plain.pipeline))).toEqual(matrix(plain));
    expect(matrix(plain.follow(sparse.pipeline))).toEqual(matrix(plain));
    const [hashed, hashedSparse] = both(table).map((data) => data.hash(6));
    expect(matrix(hashed.follow(hashedSparse.pipeline))).toEqual(matrix(hashed));
    const [more, moreSparse] = both(table).map((data) => data.map(products({ degree: 2 })));
    expect(matrix(moreSparse.follow(more.pipeline))).toEqual(matrix(more));
    const rows = (names: string[], format: "dense" | "sparse") => {
      const three = ["p", "q", "r"].map((x, k) => ({ ...Object.fromEntries(names.map((name) => [name, x])), y: k }));
      return Dataset.fromTable(tableOf(three.slice(0, format === "dense" ? 3 : 2)), { target: "y", format }).hash(4);
    };
    const wanted = rows(["a", "b"], "dense");
    const refused = /in other positions than the model's, and went through the step hash in these positions/;
    expect(() => rows(["b", "a"], "sparse").follow(wanted.pipeline)).toThrow(refused);
    const fewer = rows(["a"], "dense");
    expect(() => rows(["a"], "sparse").follow(fewer.pipeline)).toThrow(refused);
    const turned = Dataset.fromTable(tableOf([{ b: 1, a: 2, y: 0 }]), { target: "y", format: "sparse" }).hash(4);
    const straight = Dataset.fromTable(tableOf([{ a: 1, b: 2, y: 0 }]), { target: "y", format: "dense" }).hash(4);
    expect(() => turned.follow(straight.pipeline)).toThrow(refused);
  });
});

describe("models on sparse tables", () => {
  it("leave sparse rows from other sources unchanged", async () => {
    const x = Array.from({ length: 60 }, (_, i) => [1000 * Math.sin(i), i % 3 === 0 ? 0.01 : 0]);
    using data = Dataset.fromSparse(
      sparseOf(
        x,
        x.map(([a]) => (a > 0 ? 1 : -1)),
      ),
      { classes: true },
    );
    const model = await fit(linear(), data, { epochs: 1, seed: 1, workers: 1 });
    expect(model.pipeline.steps.map(({ kind }) => kind)).toEqual(["numbers"]);
  });

  it.each([
    ["by default, in epochs", {}, { epochs: 4, seed: 1 }, 1e-4],
    ["by plain descent with l2", { l2: 1e-2 }, { epochs: 4, seed: 1, rule: sgd({ rate: 0.05 }) }, 1e-4],
    ["by Newton's method", { l2: 1e-3 }, { algorithm: newtonCholesky() }, 1e-5],
    ["by L-BFGS", { l2: 1e-2 }, { algorithm: gradientDescent({ rule: lbfgs() }) }, 1e-3],
    ["by coordinates, with l1", { l1: 1e-2 }, { algorithm: coordinateDescent() }, 1e-4],
    ["without an intercept", { l2: 1e-2, intercept: false }, { algorithm: newtonCholesky() }, 1e-5],
  ])("linear, %s: both formats give the same model", async (_, settings, options, tolerance) => {
    const models = [];
    for (const data of both(towns(300))) {
      const model = await fit(linear({ loss: "logistic", ...settings }), data, { workers: 1, ...options } as never);
      models.push({ model, data });
    }
    const [wanted, given] = models;
    closeTo(given.model.weights, wanted.model.weights, tolerance);
    closeTo(given.model.intercept, wanted.model.intercept, tolerance);
    expect(given.model.pipeline.steps.map(({ kind }) => kind)).toEqual(["columns", "oneHot", "standardise"]);
    // Held-out rows of either format follow either model.
    const [ofDense, ofSparse] = [wanted.data, given.data].map((data) => given.model.evaluate(data).logLoss!);
    expect(ofDense).toBeCloseTo(ofSparse, 12);
    const row = { income: 33_000, street: "s4", rate: 0.06, gain: 0, party: "p1" };
    expect(given.model.predict(row).value).toBe(wanted.model.predict(row).value);
  });

  describe("products of numbers and levels, which sparse rows do not centre", () => {
    const map = products({ interactions: [["income", "party"]] });
    const mapped = (rowCount: number) => both(towns(rowCount), { type: "f64" }).map((data) => data.map(map));

    it.each(["auto", true] as const)("are not centred in a model without an intercept, standardise %s", async (standardise) => {
      const weights: Float64Array[] = [];
      for (const data of mapped(300)) {
        const settings = { loss: "logistic", l2: 1e-2, intercept: false, standardise } as const;
        const model = await fit(linear(settings), data, { algorithm: newtonCholesky() });
        expect(model.pipeline.steps.at(-1)).toMatchObject({ kind: "standardise", by: "rms", centre: null });
        weights.push(model.weights as Float64Array);
      }
      closeTo(weights[1], weights[0], 1e-7);
    });

    it("divides each column by its root mean square, including zeros", async () => {
      for (const data of both(towns(50, "number"), { type: "f64" })) {
        const model = await fit(linear({ intercept: false, l2: 1, standardise: true }), data, { algorithm: newtonCholesky() });
        const { scale } = model.pipeline.steps.at(-1) as unknown as { scale: number[] };
        const rows = Array.from({ length: data.rowCount }, (_, i) => data.row(i));
        const wanted = scale.map((_, j) => Math.sqrt(rows.reduce((sum, row) => sum + row[j] ** 2, 0) / rows.length));
        closeTo(
          scale,
          wanted.map((s) => s || 1),
          1e-12,
        );
      }
    });

    it("centres columns before a random map, because its kernel has no origin", async () => {
      const [data] = both(towns(50, "number"), { type: "f64" });
      const settings = { intercept: false, standardise: true, features: rff({ count: 16 }), l2: 1 } as const;
      const model = await fit(linear(settings), data, { seed: 1 });
      expect(model.pipeline.steps.find(({ kind }) => kind === "standardise")).toMatchObject({ by: "sd" });
    });

    it("fits the model of the raw columns if there is no penalty", async () => {
      const table = towns(100, "number");
      // Excludes levels, because they would replace an intercept.
      const columns = table.columns.filter(({ kind }) => kind === "number");
      for (const data of both({ ...table, columns }, { type: "f64" })) {
        const settings = { loss: "squared", l2: 0, intercept: false } as const;
        const [scaled, plain] = await Promise.all(
          (["auto", false] as const).map((standardise) =>
            fit(linear({ ...settings, standardise }), data, { algorithm: newtonCholesky({ tolerance: 0 }) }),
          ),
        );
        expect(scaled.pipeline.steps.at(-1)!.kind).toBe("standardise");
        closeTo(scaled.outputs(data), plain.outputs(data), 1e-6);
      }
    });

    it.each([
      ["auto", 60, {}],
      [true, 60, {}],
      [true, 60, { intercept: false }],
      ["of more columns than twice the rows", 9, { standardise: true }],
      ["with too few rows to hold any out", 2, { standardise: true }],
    ] as const)("chooses the same l2: %s", async (standardise, rowCount, settings) => {
      const chosen: number[] = [];
      for (const data of mapped(rowCount)) {
        const model = linear({ ...(typeof standardise === "boolean" ? { standardise } : {}), ...settings });
        chosen.push(((await fit(model, data, { seed: 1 }).chosen) as { model: { l2: number } }).model.l2);
      }
      expect(chosen[1] / chosen[0]).toBeCloseTo(1, 9);
    });
  });

  it("standardises numbers in large units among more than a thousand columns", async () => {
    const rows = Array.from({ length: 1300 }, (_, i) => ({
      id: `k${i}`,
      income: 30_000 + 9000 * Math.sin(i),
      y: Math.sin(i) > 0 ? "a" : "b",
    }));
    using data = Dataset.fromTable(tableOf(rows), { target: "y" });
    expect(data.format).toBe("sparse");
    const model = await fit(linear({ loss: "logistic" }), data, { epochs: 3, seed: 1, workers: 1 });
    expect(model.pipeline.steps.at(-1)!.kind).toBe("standardise");
    expect(model.evaluate(data).logLoss!).toBeLessThan(0.4);
  });

  it.each(["auto", true, false] as const)(
    "a network trains on dense rows to the same model, standardise %s",
    async (standardise) => {
      const row = { income: 31_000, street: "s2", rate: 0.05, gain: 600, party: "p3" };
      const answers: number[][] = [];
      for (const data of both(towns(80))) {
        const used = engineMemory().usedBytes;
        const options = { epochs: 2, seed: 3, workers: 1, validate: data };
        const model = await fit(network([dense(3), dense(1)], { loss: "logistic", standardise }), data, options);
        expect(model.pipeline.steps[1]).toMatchObject({ kind: "oneHot", format: "dense" });
        answers.push([model.predict(row).probabilities!.yes, model.evaluate(data.select([0, 5, 9])).logLoss!]);
        model.dispose();
        expect(engineMemory().usedBytes).toBeLessThanOrEqual(used + 4096);
      }
      closeTo(answers[1], answers[0], 1e-5);
    },
  );

  it("a network accepts standardised sparse rows", async () => {
    using data = Dataset.fromTable(towns(60), { target: "y", format: "sparse" });
    using scaled = data.standardise();
    const model = await fit(network([dense(1)], { loss: "logistic" }), scaled, { epochs: 1, seed: 3, workers: 1 });
    expect(model.pipeline.steps.map(({ kind }) => kind)).toEqual(["columns", "oneHot", "standardise"]);
    using whole = withDenseRows(scaled);
    expect(whole.format).toBe("dense");
    expect(withDenseRows(whole)).toBe(whole);
    expect(matrix(whole)).toEqual(matrix(scaled));
    expect(whole.target).toEqual(scaled.target);
    expect(model.evaluate(scaled).logLoss).toBe(model.evaluate(whole).logLoss);
  });
});

it("refuses to centre a level, which sparse rows cannot store", () => {
  const table = towns(60);
  using data = Dataset.fromTable(table, { target: "y", format: "sparse" });
  using scaled = data.standardise({ indicators: false });
  const json = JSON.parse(JSON.stringify(scaled.pipeline)) as { kind: string; centre: number[] }[];
  const step = json.find(({ kind }) => kind === "standardise")!;
  const level = data.pipeline.shape.names().findIndex((name) => name.startsWith("street="));
  expect(step.centre[level]).toBe(0);
  const again = () => Pipeline.fromJson(json as never).apply(table);
  again().dispose();
  step.centre[level] = 0.5;
  expect(again).toThrow(
    new RegExp(`standardise has a centre in sparse rows for column ${level}, which is not a number of the table.*PIPELINE_STEP`),
  );
});
