import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Dataset, Pipeline } from "../../../src/engine/data/dataset.ts";
import { fastfood, orthogonal, rff, sorf } from "../../../src/engine/data/features/index.ts";
import type { Row, SparseTable } from "../../../src/engine/data/table.ts";
import { DataError } from "../../../src/engine/errors/errors.ts";
import { engineMemory } from "../../../src/engine/memory/memory.ts";
import { power } from "../../power.ts";
import { bytes, matrix, people, sparseOf, tableOf } from "./rows-of.ts";

/** The pipeline as stored in a model file. */
const saved = (pipeline: Pipeline): Pipeline => Pipeline.fromJson(JSON.parse(JSON.stringify(pipeline)));

const changes: [string, (data: Dataset) => Dataset][] = [
  ["nothing", (data) => data.select(Uint32Array.from({ length: data.rowCount }, (_, i) => i))],
  ["standardise", (data) => data.standardise()],
  ["standardise by max", (data) => data.standardise({ by: "max" })],
  ["hash", (data) => data.hash(5)],
  ["hash, standardise", (data) => data.hash(3).standardise()],
  ["f64, standardise", (data) => data.as("f64").standardise()],
  ["standardise, f32", (data) => data.standardise().as("f32")],
  ["rff", (data) => data.map(rff({ count: 6, seed: 3 }))],
  ["standardise, orthogonal", (data) => data.standardise().map(orthogonal({ count: 20, gamma: 0.3 }))],
  ["sorf, standardise", (data) => data.map(sorf({ count: 18 })).standardise()],
  ["fastfood", (data) => data.map(fastfood({ count: 4, gamma: 2, seed: -1 }))],
  ["classes", (data) => data.asClasses().standardise()],
];

describe("pipeline applied to its training data", () => {
  const rows = fc.array(
    fc.record({
      a: fc.double({ min: -1e3, max: 1e3, noNaN: true }),
      kind: fc.constantFrom("red", "green", "blue", "7"),
      b: fc.oneof(fc.constant(0), fc.float({ min: -5, max: 5, noNaN: true })),
      w: fc.double({ min: 0.1, max: 5, noNaN: true }),
      y: fc.integer({ min: -3, max: 3 }),
    }),
    { minLength: 2, maxLength: 12 },
  );

  it.each(changes)("reproduces tables: %s", (_, change) => {
    fc.assert(
      fc.property(
        rows,
        fc.constantFrom("f32" as const, "f64" as const),
        fc.constantFrom("dense" as const, "sparse" as const),
        (people, type, format) => {
          const table = tableOf(people);
          using data = Dataset.fromTable(table, { target: "y", weights: "w", type, format });
          using changed = change(data);
          const pipeline = saved(changed.pipeline);
          using fromTable = pipeline.apply(table);
          using fromRows = pipeline.apply(people);
          expect(bytes(fromTable)).toEqual(bytes(changed));
          expect(bytes(fromRows)).toEqual(bytes(changed));
          expect(fromTable.names).toEqual(changed.names);
          expect(fromTable.target).toEqual(changed.target);
          expect(JSON.stringify(fromTable.pipeline)).toBe(JSON.stringify(changed.pipeline));
        },
      ),
      { seed: 41, numRuns: power(10, 25) },
    );
  });

  it.each(changes)("reproduces sparse rows: %s", (_, change) => {
    const table = sparseOf(
      [
        [0, 1.1, 0, -2],
        [0, 0, 0, 0],
        [3, 0, 0.7, 1],
        [0, 1, 0, 1],
      ],
      [1, -1, 1, 1],
    );
    using data = Dataset.fromSparse(table);
    using changed = change(data);
    using again = saved(changed.pipeline).apply(table);
    expect(bytes(again)).toEqual(bytes(changed));
  });

  it.each(changes)("reproduces arrays: %s", (_, change) => {
    const x = [
      [0.1, -2, 3],
      [4, 5.5, 6],
      [0, 0, 1],
    ];
    using data = Dataset.fromArrays({ x, y: [1, 2, 3] });
    using changed = change(data);
    using again = saved(changed.pipeline).apply(x);
    expect(bytes(again).values).toEqual(bytes(changed).values);
    expect(again.target.values).toEqual(Float64Array.of(NaN, NaN, NaN));
  });

  it("reproduces hashed tables and filled gaps", () => {
    const table = tableOf([...people, { age: null, education: null, hours: 3, income: "low" }]);
    for (const options of [{ impute: "mean" as const }, { hash: 6 }]) {
      using data = Dataset.fromTable(table, { target: "income", ...options });
      using again = saved(data.pipeline).apply(table);
      expect(bytes(again)).toEqual(bytes(data));
    }
  });

  it("stays with a quantised dataset", () => {
    using data = Dataset.fromTable(tableOf(people), { target: "income" });
    using again = saved(data.as("i8").pipeline).apply(people);
    expect(bytes(again)).toEqual(bytes(data));
  });
});

describe("prediction", () => {
  const data = Dataset.fromTable(tableOf(people), { target: "income" });
  const { pipeline } = data;

  it("accepts rows in any form with columns in any order, and ignores other columns", () => {
    const row = { note: "x", hours: 40, education: "HS", age: 38 };
    using one = pipeline.apply([row]);
    using texts = pipeline.apply([{ ...row, hours: "40", age: " 38 " }]);
    using table = pipeline.apply(tableOf([row]));
    for (const given of [one, texts, table]) expect(matrix(given)).toEqual([matrix(data)[2]]);
  });

  it("encodes an unknown level as zeros, or refuses it on request", () => {
    // The adjacent columns hold no 1, so that a misplaced 1 would show.
    using fresh = pipeline.apply([{ age: 7, education: "PhD", hours: 2 }]);
    expect(matrix(fresh)).toEqual([[7, 0, 0, 0, 0, 2]]);
    using strict = Dataset.fromTable(tableOf(people), { target: "income", unknown: "refuse" });
    expect(() => strict.pipeline.apply([people[0], { ...people[1], education: "PhD" }])).toThrow(
      'rows: row 2: "PhD" is not a level that column "education" was made with ("Bachelors", "Doctorate", "HS", "Masters") [DATA_LEVEL]',
    );
  });

  it("accepts numbers for numeric levels, and numeric text for numbers", () => {
    using zips = Dataset.fromTable(
      tableOf([
        { zip: "10115", n: 1, y: 0 },
        { zip: "A1", n: 2, y: 1 },
      ]),
      { target: "y" },
    );
    using number = zips.pipeline.apply([{ zip: 10115, n: "7" }]);
    expect(matrix(number)).toEqual([[1, 0, 7]]);
    using table = zips.pipeline.apply(tableOf([{ zip: 10115, n: "7" }]));
    expect(matrix(table)).toEqual([[1, 0, 7]]);
    using flags = Dataset.fromTable(
      tableOf([
        { on: "true", y: 0 },
        { on: "false", y: 1 },
      ]),
      { target: "y" },
    );
    expect(matrix(flags.pipeline.apply([{ on: true }]))).toEqual([[0, 1]]);
  });

  it("reads the target if present, ignores it, or requires it", () => {
    using there = pipeline.apply(people);
    expect(there.target.values).toEqual(data.target.values);
    expect(pipeline.apply(people, { target: false }).target.values.every(Number.isNaN)).toBe(true);
    const { income: _, ...bare } = people[0];
    expect(() => pipeline.apply([bare], { target: true })).toThrow('rows: the rows hold no target "income"');
    expect(() => pipeline.apply(tableOf([bare]), { target: true })).toThrow(
      'people.csv: has no target column "income"; its columns are',
    );
    expect(() => pipeline.apply([{ ...bare, income: "middling" }])).toThrow(
      'row 1: "middling" is not a class of the target "income" ("high", "low") [DATA_TARGET]',
    );
  });

  const { education: _, ...uneducated } = people[1];
  const refused: [string, () => unknown, string][] = [
    [
      "an absent column of a row",
      () => pipeline.apply([people[0], uneducated]),
      'rows: row 2 has no column "education" (it has "age", "hours", "income"); give it, or null if the value is not known',
    ],
    [
      "an absent column of a table",
      () => pipeline.apply(tableOf([uneducated], "new.csv")),
      'new.csv: has no column "education"; its columns are "age", "hours", "income"',
    ],
    [
      "a gap",
      () => pipeline.apply([{ ...people[0], age: null }]),
      'rows: row 1 has no value in column "age"; give it, or make the training data with impute: "mean", "median" or "mode", which fills gaps here, too',
    ],
    ["a gap in a category", () => pipeline.apply([{ ...people[0], education: "" }]), 'row 1 has no value in column "education"'],
    [
      "text for a number",
      () => pipeline.apply([{ ...people[0], age: "old" }]),
      'rows: row 1: "old" is not a number, but column "age" holds numbers [DATA_KIND]',
    ],
    [
      "a text column for a number",
      () => pipeline.apply(tableOf([people[0], { ...people[0], age: "old" }])),
      'people.csv: row 2: "old" is not a number, but column "age" holds numbers',
    ],
    [
      "infinity",
      () => pipeline.apply([{ ...people[0], age: Infinity }]),
      'row 1: column "age" is Infinity; give a finite number, or null',
    ],
    [
      "arrays for text",
      () => pipeline.apply([[1, 2, 3]]),
      'rows: the pipeline was made from a table with named columns, but got arrays, and column "education" holds text',
    ],
    [
      "sparse rows",
      () => pipeline.apply(sparseOf([[1]])),
      "the pipeline was made from a table with named columns, but got sparse rows",
    ],
    ["no rows", () => pipeline.apply([]), "rows: holds 0 rows, but at least 1 is needed"],
  ];
  it.each(refused)("refuses %s", (_name, act, message) => {
    expect(act).toThrow(message);
    expect(act).toThrow(DataError);
  });

  it("accepts arrays by position or by name, and refuses a wrong length", () => {
    using numbers = Dataset.fromArrays({
      x: [
        [1, 2],
        [3, 5],
      ],
      y: [0, 1],
      names: ["a", "b"],
    });
    using named = numbers.pipeline.apply([{ b: 2, a: 1 }]);
    using placed = numbers.pipeline.apply([Float32Array.of(1, 2)]);
    for (const given of [named, placed]) expect(matrix(given)).toEqual([[1, 2]]);
    expect(() => numbers.pipeline.apply([[1]])).toThrow("row 1 has 1 values, but the data has 2 columns");
    expect(() => numbers.pipeline.apply([{ a: 1 }])).toThrow('row 1 has no column "b"');
    expect(() => numbers.pipeline.apply([{ a: 1, b: null }])).toThrow('column "b" is NaN, but must be a finite number');
  });

  it("sets absent sparse columns to 0 and drops unknown ones, by index or by name", () => {
    using sparse = Dataset.fromSparse(
      sparseOf([
        [1, 0, 2],
        [0, 3, 0],
      ]),
    );
    expect(matrix(sparse.pipeline.apply(sparseOf([[0, 4, 0, 9]])))).toEqual([[0, 4, 0]]);
    expect(matrix(sparse.pipeline.apply([{ x2: 5, y7: 1 }, {}]))).toEqual([
      [0, 0, 5],
      [0, 0, 0],
    ]);
    expect(matrix(sparse.pipeline.apply([[0, 1, 0]]))).toEqual([[0, 1, 0]]);
    const words: SparseTable = { ...sparseOf([[1, 2]]), names: ["cat", "dog"] };
    using named = Dataset.fromSparse(words);
    expect(matrix(named.pipeline.apply({ ...sparseOf([[7, 8, 9]]), names: ["dog", "emu", "cat"] }))).toEqual([[9, 7]]);
    expect(matrix(named.pipeline.apply(tableOf([{ dog: 4, emu: 3 }])))).toEqual([[0, 4]]);
  });
});

describe("follow", () => {
  it("transforms held-out rows like training rows, and returns rows already transformed", () => {
    using data = Dataset.fromTable(tableOf(people), { target: "income" });
    const { train, test } = data.split(0.5, { seed: 1 });
    using mapped = train.standardise().map(rff({ count: 4, seed: 2 }));
    using followed = test.follow(mapped.pipeline);
    using applied = mapped.pipeline.apply(people);
    const rows = matrix(test).map((row) => matrix(data).findIndex((other) => String(other) === String(row)));
    expect(matrix(followed)).toEqual(rows.map((i) => matrix(applied)[i]));
    expect(test.follow(train.pipeline)).toBe(test);
  });

  const table = (source: string, rows: Row[]) => ({ ...tableOf(rows), source });
  const rows = [
    { city: "Oslo", age: 30, y: 1 },
    { city: "Rome", age: 40, y: 2 },
    { city: "Kyiv", age: 50, y: 4 },
    { city: "Oslo", age: 61, y: 3 },
  ];
  const train = Dataset.fromTable(table("train.csv", rows), { target: "y" });
  const model = train.standardise().pipeline;

  it("compares columns, not file names", () => {
    using test = Dataset.fromTable(table("test.csv", rows), { target: "y" });
    using followed = test.follow(model);
    using applied = model.apply(table("test.csv", rows));
    expect(matrix(followed)).toEqual(matrix(applied));
    expect(followed.source).toBe("test.csv");
    expect(test.follow(train.pipeline)).toBe(test);
    // Other properties that do not affect columns: the target's name, weights, the number type, and the treatment of
    // unknown levels.
    const other = rows.map(({ y, ...row }) => ({ ...row, price: y, w: 1 }));
    const options = { target: "price", weights: "w", type: "f64", unknown: "refuse" } as const;
    using renamed = Dataset.fromTable(table("test.csv", other), options);
    expect(renamed.follow(train.pipeline)).toBe(renamed);
  });

  it("ignores number types at every step", () => {
    using given = train.standardise();
    using wide = given.as("f64");
    using between = train.as("f64").standardise().as("f32");
    for (const [own, wanted] of [
      [wide, given],
      [given, wide],
      [train.as("f64"), given],
      [wide, train.as("f64").standardise()],
      [between, given],
    ]) {
      const [found, expected] = [matrix(own.follow(wanted.pipeline)), matrix(given)];
      for (const [i, row] of expected.entries())
        for (const [j, value] of row.entries()) expect(Math.abs(found[i][j] - value)).toBeLessThan(1e-6);
    }
  });

  it("matches columns by name in any order, among other columns, with fewer or more levels", () => {
    const given = [
      { extra: 7, age: 33, y: 2, city: "Rome" },
      { extra: 8, age: 44, y: 1, city: "Bonn" },
    ];
    using test = Dataset.fromTable(table("test.csv", given), { target: "y" });
    using followed = test.follow(train.pipeline);
    expect(followed.names).toEqual(["city=Kyiv", "city=Oslo", "city=Rome", "age"]);
    expect(matrix(followed)).toEqual([
      [0, 0, 1, 33],
      [0, 0, 0, 44],
    ]);
    expect([...followed.target.values]).toEqual([2, 1]);
    using further = test.follow(model);
    using applied = model.apply(table("test.csv", given));
    expect(matrix(further)).toEqual(matrix(applied));
    // Target and weights remain those of the rows.
    const kinds = [
      { age: 33, kind: "b", city: "Rome", w: 3 },
      { age: 44, kind: "c", city: "Rome", w: 1 },
    ];
    using weighed = Dataset.fromTable(table("test.csv", kinds), { target: "kind", weights: "w" });
    using moved = weighed.follow(model);
    expect([moved.target.name, moved.target.levels, [...moved.target.values]]).toEqual(["kind", ["b", "c"], [0, 1]]);
    expect([...moved.weights!]).toEqual([3, 1]);
    using sparse = Dataset.fromTable(table("test.csv", given), { target: "y", format: "sparse" });
    using dense = sparse.follow(train.pipeline);
    expect([dense.format, matrix(dense)]).toEqual(["dense", matrix(followed)]);
  });

  it("accepts numeric arrays for tables and the reverse, by name or else by position", () => {
    const x = [
      [1, 2],
      [3, 4],
    ];
    using unnamed = Dataset.fromArrays({ x, y: [0, 1], source: "train" });
    using named = Dataset.fromArrays({ x, y: [0, 1], names: ["b", "a"], source: "test" });
    using read = Dataset.fromTable(table("test.csv", [{ a: 2, b: 1, y: 0 }]), { target: "y" });
    expect(named.follow(unnamed.pipeline)).toBe(named);
    expect(unnamed.follow(named.pipeline)).toBe(unnamed);
    using turned = read.follow(named.pipeline);
    expect([matrix(turned), turned.names]).toEqual([[[1, 2]], ["b", "a"]]);
    using wide = Dataset.fromArrays({ x: [[1, 2, 3]], y: [0] });
    expect(() => wide.follow(named.pipeline)).toThrow(/: it has 3 columns, the model's rows had 2; /);
  });

  it("accepts sparse rows of another width, by position or by name", () => {
    const sparse = (source: string, x: number[][], names?: string[]) =>
      Dataset.fromSparse({ ...sparseOf(x), source, ...(names ? { names } : {}) });
    using train = sparse("a6a", [[1, 0, 2]]);
    using less = sparse("a6a.t", [[3, 4]]);
    using more = sparse("a6a.t", [[3, 4, 0, 9]]);
    for (const test of [less, more]) {
      using followed = test.follow(train.pipeline);
      expect([followed.columnCount, matrix(followed)]).toEqual([3, [[3, 4, 0]]]);
    }
    using words = sparse("words", [[1, 2, 3]], ["cat", "dog", "emu"]);
    using others = sparse("more words", [[7, 8, 9]], ["emu", "fox", "cat"]);
    using followed = others.follow(words.pipeline);
    expect(matrix(followed)).toEqual([[9, 0, 7]]);
    // Kernels read columns in order, and the last is the intercept.
    expect([...engineMemory().u32(followed.layout.columnIndex, 3)]).toEqual([0, 2, 3]);
    using strangers = sparse("other words", [[7]], ["gnu"]);
    expect(() => strangers.follow(words.pipeline)).toThrow(/lacks the columns "cat", "dog", "emu"; it has "gnu"/);
  });

  it("requires the fills of the model for columns with gaps", () => {
    const gaps = [...rows, { city: "Oslo", age: Number.NaN, y: 2 }];
    using filled = Dataset.fromTable(table("train.csv", gaps), { target: "y", impute: "mean" });
    const few = rows.slice(0, 3);
    using without = Dataset.fromTable(table("test.csv", few), { target: "y" });
    using noGaps = Dataset.fromTable(table("test.csv", few), { target: "y", impute: "median" });
    for (const test of [without, noGaps]) expect(test.follow(filled.pipeline)).toBe(test);
    expect(filled.follow(filled.pipeline)).toBe(filled);
    using own = Dataset.fromTable(table("test.csv", [...few, gaps[4]]), { target: "y", impute: "mean" });
    expect(() => own.follow(filled.pipeline)).toThrow(/gaps in "age" were filled from its own values, not with the model's/);
    expect(() => filled.follow(train.pipeline)).toThrow(/gaps in "age"/);
  });

  it.each<[string, () => Dataset, Pipeline, RegExp]>([
    [
      "a column that is not there",
      () =>
        Dataset.fromTable(
          table(
            "test.csv",
            rows.map(({ age: _, ...row }) => ({ ...row, weight: 1 })),
          ),
          { target: "y" },
        ),
      model,
      /^test\.csv: its columns are not the model's: it lacks the column "age"; it has "city", "weight"; read and transform these rows like the training rows, .*model\.pipeline\.apply\(table\) \[DATASET_PIPELINE\]$/,
    ],
    [
      "numbers for text",
      () => Dataset.fromTable(table("test.csv", [{ city: 3, age: 1, y: 2 }]), { target: "y" }),
      model,
      /its column "city" holds numbers, the model's text;/,
    ],
    [
      "text for numbers",
      () => Dataset.fromTable(table("test.csv", [{ city: "Oslo", age: "old", y: 2 }]), { target: "y" }),
      model,
      /its column "age" holds text, the model's numbers;/,
    ],
    [
      "a level that the model refuses",
      () => Dataset.fromTable(table("test.csv", [{ city: "Bonn", age: 1, y: 2 }]), { target: "y" }),
      Dataset.fromTable(tableOf(rows), { target: "y", unknown: "refuse" }).pipeline,
      /its column "city" has "Bonn", which the model does not know;/,
    ],
    [
      "its own means and spreads",
      () => Dataset.fromTable(table("test.csv", rows.slice(0, 2)), { target: "y" }).standardise(),
      model,
      /went through the step standardise in these positions;/,
    ],
    [
      "its own means of the same columns",
      () => Dataset.fromTable(table("test.csv", [...rows, rows[0]]), { target: "y" }).standardise(),
      model,
      /: its step standardise was fitted or set differently from the model's;/,
    ],
    [
      "a step that the model's rows did not take",
      () => Dataset.fromTable(table("test.csv", rows), { target: "y" }).standardise(),
      train.pipeline,
      /: it went through the step standardise, but the model's rows did not;/,
    ],
    [
      "another step than the model's",
      () => Dataset.fromTable(table("test.csv", rows), { target: "y" }).hash(4),
      model,
      /: it went through the step hash, but the model's rows went through the step standardise;/,
    ],
    [
      "hashed columns",
      () => Dataset.fromTable(table("test.csv", rows), { target: "y", hash: 4 }),
      model,
      /: its columns are hashed, the model's are not;/,
    ],
    [
      "columns hashed with another one",
      () =>
        Dataset.fromTable(
          table(
            "test.csv",
            rows.map((row) => ({ ...row, w: 1 })),
          ),
          { target: "y", hash: 4 },
        ),
      Dataset.fromTable(tableOf(rows), { target: "y", hash: 4 }).pipeline,
      /: it has "number w" more, which changes the hashed values;/,
    ],
    ["names against places, with text", () => Dataset.fromArrays({ x: [[1, 2]], y: [0] }), model, /and "city" holds text;/],
  ])("refuses other columns and names the difference: %s", (_, make, pipeline, message) => {
    using data = make();
    expect(() => data.follow(pipeline)).toThrow(message);
  });

  it("ignores the column order of hashed data", () => {
    using some = Dataset.fromTable(table("train.csv", rows), { target: "y", hash: 4 });
    const turned = rows.map(({ city, age, y }) => ({ y, age, city }));
    using same = Dataset.fromTable(table("test.csv", turned), { target: "y", hash: 4 });
    expect(same.follow(some.pipeline)).toBe(same);
  });
});

describe("pipeline JSON", () => {
  const data = Dataset.fromTable(tableOf(people), { target: "income" });
  const full = data.standardise().map(rff({ count: 4, gamma: 0.5, seed: 9 }));
  const json = () => JSON.parse(JSON.stringify(full.pipeline)) as Record<string, unknown>[];

  it("is a list of steps, with a feature map in five fields", () => {
    expect(json().map((step) => step.kind)).toEqual(["columns", "oneHot", "standardise", "rff"]);
    expect(json()[3]).toEqual({ kind: "rff", count: 4, gamma: 0.5, seed: 9, inputs: 6 });
  });

  it("describes the required columns of rows", () => {
    expect(full.pipeline.inputs?.map(({ name, kind }) => `${name}: ${kind}`)).toEqual([
      "age: number",
      "education: category",
      "hours: number",
    ]);
    expect(full.pipeline.target.levels).toEqual(["high", "low"]);
  });

  const damaged: [string, (steps: Record<string, unknown>[]) => unknown, RegExp][] = [
    ["nothing", () => null, /is not a list of steps/],
    ["an empty list", () => [], /is not a list of steps/],
    ["no source", (s) => s.slice(1), /there is no first step "oneHot"/],
    ["two sources", (s) => [s[0], s[0]], /there is no later step "columns"/],
    [
      "an unknown step",
      (s) => [...s, { kind: "pca" }],
      /there is no later step "pca" \(known: .*\); was it saved by a newer version/,
    ],
    ["cells at the end", (s) => s.slice(0, 1), /its last step, columns, leaves cells/],
    ["a step for other columns", (s) => [s[0], s[1], { ...s[2], scale: [1, 2] }], /standardise was made for 2/],
    ["a map for other columns", (s) => [s[0], s[1], { ...s[3], inputs: 7 }], /rff was made for 7 columns, but gets 6/],
    ["a huge map", (s) => [s[0], s[1], { ...s[3], count: 1e12 }], /count is 1000000000000/],
    ["a step without its fields", (s) => [s[0], s[1], { kind: "standardise" }], /a step lacks a part that its kind needs/],
    ["a source without a target", (s) => [{ ...s[0], target: undefined }, s[1]], /lacks a target or a type/],
  ];
  it.each(damaged)("refuses %s", (_, damage, message) => {
    expect(() => Pipeline.fromJson(damage(json()))).toThrow(message);
    expect(() => Pipeline.fromJson(damage(json()))).toThrow(/\[(PIPELINE_STEP|OPTION_RANGE)\]$/);
  });
});

describe("real data", () => {
  const folder = new URL("../../../../../../shared/data/linear/", import.meta.url);
  const there = existsSync(new URL("a6a.libsvm", folder));
  if (!there) console.warn("pipeline: skipped the test on a6a: ../shared/data/linear is absent");

  /** Parses just enough of LIBSVM for this test. */
  const read = (name: string): SparseTable => {
    const lines = readFileSync(new URL(name, folder), "utf8").trim().split("\n");
    const rows = lines.map((line) => line.trim().split(/\s+/));
    const entries = rows.map((row) => row.slice(1).map((entry) => entry.split(":").map(Number)));
    const rowStart = new Uint32Array(rows.length + 1);
    entries.forEach((row, i) => {
      rowStart[i + 1] = rowStart[i] + row.length;
    });
    const columnIndex = Uint32Array.from(entries.flat(), ([j]) => j - 1);
    const columnCount = columnIndex.reduce((most, j) => Math.max(most, j + 1), 0);
    const target = Float64Array.from(rows, (row) => Number(row[0]));
    return {
      rowCount: rows.length,
      columnCount,
      rowStart,
      columnIndex,
      values: Float64Array.from(entries.flat(), ([, v]) => v),
      target,
      source: name,
    };
  };

  it.skipIf(!there)(`a6a: drops the test column that training lacks${there ? "" : " (skipped: no ../shared/data)"}`, () => {
    const [small, large] = [read("a6a.libsvm"), read("a6a.t.libsvm")];
    using train = Dataset.fromSparse(small, { classes: true });
    using test = train.pipeline.apply(large);
    expect([train.rowCount, train.columnCount, test.rowCount, test.columnCount]).toEqual([11220, 122, 21341, 122]);
    expect(large.columnCount).toBe(123);
    const dropped = large.columnIndex.filter((j) => j === 122).length;
    expect(test.columns().entryCount).toBe(large.columnIndex.length - dropped);
    const positive: (row: Row["y"]) => boolean = (y) => y === 1;
    expect(test.target.values.filter(positive).length).toBe(large.target.filter(positive).length);
  });
});
