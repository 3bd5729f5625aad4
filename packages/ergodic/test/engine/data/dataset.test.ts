import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Dataset } from "../../../src/engine/data/dataset.ts";
import { rff } from "../../../src/engine/data/features/index.ts";
import { DataError, ErgodicError, MemoryLimitError, OptionError } from "../../../src/engine/errors/errors.ts";
import { engineMemory } from "../../../src/engine/memory/memory.ts";
import { power } from "../../power.ts";
import { bytes, matrix, people, sparseOf, tableOf } from "./rows-of.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

describe("making datasets", () => {
  it("keeps numbers, one-hot encodes categories, sorts levels and classes, and excludes the target from columns", () => {
    using data = Dataset.fromTable(tableOf(people), { target: "income" });
    expect(data.names).toEqual([
      "age",
      "education=Bachelors",
      "education=Doctorate",
      "education=HS",
      "education=Masters",
      "hours",
    ]);
    expect(matrix(data)[1]).toEqual([50, 0, 0, 0, 1, 13.5]);
    expect(matrix(data)[3][5]).toBe(Math.fround(60.1));
    expect(data.target).toEqual({
      name: "income",
      kind: "category",
      levels: ["high", "low"],
      values: Float64Array.of(1, 0, 1, 0, 1, 0),
    });
    expect([data.format, data.type, data.weights]).toEqual(["dense", "f32", null]);
  });

  it("sorts numeric classes as numbers and maps two of them to 0 and 1", () => {
    using ten = Dataset.fromArrays({ x: [[1], [2], [3]], y: ["10", "9", "-1"] });
    expect(ten.target.levels).toEqual(["-1", "9", "10"]);
    // A blank is not a number, although JavaScript converts it to 0, so the order is that of strings.
    const blank = Dataset.fromArrays({ x: [[1], [2], [3]], y: ["9", " ", "10"] });
    expect(blank.target.levels).toEqual([" ", "10", "9"]);
    using two = Dataset.fromSparse(sparseOf([[1], [2], [3]], [1, -1, 1]), { classes: true });
    expect(two.target.levels).toEqual(["-1", "1"]);
    expect([...two.target.values]).toEqual([1, 0, 1]);
    using later = Dataset.fromSparse(sparseOf([[1], [2], [3]], [1, -1, 1]));
    expect(later.target.kind).toBe("number");
    expect(later.asClasses().target).toEqual(two.target);
    expect(later.asClasses()).toBe(later.asClasses());
    expect(later.asClasses().layout.values).toBe(later.layout.values);
    expect(two.asClasses()).toBe(two);
  });

  it("takes booleans as two classes, as in tables", () => {
    using arrays = Dataset.fromArrays({ x: [[1], [2], [3]], y: [true, false, true] });
    const column = { name: "y", kind: "category", levels: ["true", "false"], codes: Uint32Array.of(0, 1, 0) } as const;
    const x = { name: "x", kind: "number", values: Float64Array.of(1, 2, 3) } as const;
    using table = Dataset.fromTable({ source: "t", rowCount: 3, columns: [x, column] } as never, { target: "y" });
    for (const { target } of [arrays, table])
      expect([target.kind, target.levels, [...target.values]]).toEqual(["category", ["false", "true"], [1, 0, 1]]);
    expect(() => Dataset.fromArrays({ x: [[1], [2]], y: [null, true] as never })).toThrow(
      "arrays: row 1: y is null, but must name a class; fill the gap, or drop the row [DATA_MISSING]",
    );
    // Numbers among booleans, or the reverse, are a mistake in the data.
    expect(() => Dataset.fromArrays({ x: [[1], [2]], y: [1, true] as never })).toThrow(
      "arrays: row 2: y is true, but must be a number",
    );
  });

  it("reads weights from a column, drops columns, and treats a numeric target as classes on request", () => {
    const rows = people.map((row, i) => ({ ...row, w: i + 0.5 }));
    using data = Dataset.fromTable(tableOf(rows), {
      target: "hours",
      weights: "w",
      drop: ["income"],
      classes: true,
      type: "f64",
    });
    expect(data.names).not.toContain("w");
    expect(data.names).not.toContain("income=low");
    expect([...data.weights!]).toEqual([0.5, 1.5, 2.5, 3.5, 4.5, 5.5]);
    expect(data.target.levels).toEqual(["13.5", "40", "45", "60.1"]);
    expect(data.type).toBe("f64");
  });

  it("makes arrays f32 by default, f64 for a Float64Array, with names x0, x1, …", () => {
    using plain = Dataset.fromArrays({ x: [[0.1, 2]], y: [3] });
    expect([plain.type, plain.names, plain.row(0)[0]]).toEqual(["f32", ["x0", "x1"], Math.fround(0.1)]);
    using flat = Dataset.fromArrays({
      x: { values: Float64Array.of(0.1, 2, 3, 4), columnCount: 2 },
      y: [0, 1],
      names: ["a", "b"],
    });
    expect([flat.type, flat.names, matrix(flat)]).toEqual([
      "f64",
      ["a", "b"],
      [
        [0.1, 2],
        [3, 4],
      ],
    ]);
    using narrow = Dataset.fromArrays({ x: { values: Float64Array.of(0.1), columnCount: 1 }, y: [0], type: "f32" });
    expect(narrow.row(0)[0]).toBe(Math.fround(0.1));
  });

  it("chooses sparse format automatically only for wide one-hot tables", () => {
    const rows = Array.from({ length: 1200 }, (_, i) => ({ id: `k${i}`, x: i, y: i % 2 }));
    using data = Dataset.fromTable(tableOf(rows), { target: "y" });
    using dense = Dataset.fromTable(tableOf(rows.slice(0, 50)), { target: "y" });
    expect([data.format, dense.format]).toEqual(["sparse", "dense"]);
    expect(data.names.length).toBe(1201);
    expect(data.row(3)[data.names.indexOf("id=k3")]).toBe(1);
    expect(data.row(3).filter((value) => value !== 0)).toEqual(Float64Array.of(1, 3));
  });
});

describe("choosing rows", () => {
  const x = Array.from({ length: 40 }, (_, i) => [i, 40 - i]);
  const y = x.map((_, i) => (i % 5 === 0 ? "rare" : "usual"));

  it.each(["dense", "sparse"])("%s: split is reproducible, disjoint, complete and ordered", (format) => {
    using data = format === "dense" ? Dataset.fromArrays({ x, y }) : Dataset.fromSparse(sparseOf(x));
    fc.assert(
      fc.property(fc.double({ min: 0.02, max: 0.98, noNaN: true }), fc.nat(100), (share, seed) => {
        const { train, test } = data.split(share, { seed });
        const again = data.split(share, { seed });
        expect(bytes(again.train)).toEqual(bytes(train));
        const rows = [train, test].map((part) => matrix(part).map(([first]) => first));
        expect(rows[0].length).toBe(Math.round(share * 40));
        for (const part of rows) expect(part).toEqual([...part].sort((a, b) => a - b));
        expect(rows.flat().sort((a, b) => a - b)).toEqual(x.map(([first]) => first));
        expect(train.target.values).toEqual(Float64Array.from(rows[0], (i) => data.target.values[i]));
        for (const part of [train, test, again.train, again.test]) part.dispose();
      }),
      { seed: 21, numRuns: 50 },
    );
  });

  it("returns another split for another seed", () => {
    using data = Dataset.fromArrays({ x, y });
    const parts = [1, 2, 3].map((seed) => String(matrix(data.split(0.5, { seed }).train)));
    expect(new Set(parts).size).toBe(3);
  });

  it("stratify assigns remaining rows to the classes with the largest remainders", () => {
    // The shares of the classes in 6 of 11 rows are 1.64, 1.64 and 2.73. One remaining row goes to the last class, and
    // one to the first of the equal two.
    const y = ["a", "a", "a", "b", "b", "b", "c", "c", "c", "c", "c"];
    using data = Dataset.fromArrays({ x: y.map((_, i) => [i]), y });
    const { train } = data.split(0.5, { seed: 3, stratify: true });
    expect([0, 1, 2].map((c) => train.target.values.filter((value) => value === c).length)).toEqual([2, 1, 3]);
  });

  it("stratify keeps the share of every class to within one row", () => {
    using data = Dataset.fromArrays({ x, y });
    for (const share of [0.25, 0.5, 0.8, 0.33]) {
      const { train } = data.split(share, { seed: 7, stratify: true });
      const rare = train.target.values.filter((c) => c === 0).length;
      expect(train.rowCount).toBe(Math.round(share * 40));
      expect(Math.abs(rare - share * 8)).toBeLessThan(1);
    }
    using numbers = Dataset.fromArrays({ x, y: x.map((_, i) => i) });
    expect(() => numbers.split(0.5, { seed: 1, stratify: true })).toThrow(/stratify needs classes, but "y" is a number/);
  });

  it("chooses every row with equal probability", () => {
    // A row's count is binomial(4000, ½) with sd 31.6. A bound of 5.2 sd gives a false alarm over 40 rows below 1e-5. A
    // chance of 0.56 instead of 0.5 is 7.6 sd away.
    using data = Dataset.fromArrays({ x, y });
    const counts = new Float64Array(40);
    for (let seed = 0; seed < 4000; seed++) {
      using part = data.subsample(20, { seed });
      for (let i = 0; i < 20; i++) counts[part.row(i)[0]]++;
    }
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(5.2 * Math.sqrt(1000));
  });

  it("select returns rows in the requested order and allows repeats", () => {
    for (const data of [Dataset.fromArrays({ x, y, weights: x.map((_, i) => i + 1) }), Dataset.fromSparse(sparseOf(x))]) {
      using chosen = data.select(Uint32Array.of(7, 0, 7, 39));
      expect(matrix(chosen)).toEqual([7, 0, 7, 39].map((i) => x[i]));
      expect(chosen.target.values).toEqual(Float64Array.from([7, 0, 7, 39], (i) => data.target.values[i]));
      if (data.weights) expect([...chosen.weights!]).toEqual([8, 1, 8, 40]);
      expect(chosen.pipeline).toBe(data.pipeline);
      data.dispose();
    }
  });

  it("refuses parts without rows and rows that do not exist", () => {
    using data = Dataset.fromArrays({ x: [[1], [2], [3]], y: [0, 1, 2] });
    expect(() => data.split(0.01, { seed: 1 })).toThrow(/share 0.01 of 3 rows leaves no row to train/);
    expect(() => data.split(0.99, { seed: 1 })).toThrow(/leaves no row to test/);
    expect(() => data.split(0, { seed: 1 })).toThrow(OptionError);
    expect(() => data.subsample(4, { seed: 1 })).toThrow(/count is 4, but must be an integer >= 1 and <= 3/);
    expect(() => data.subsample(0, { seed: 1 })).toThrow(OptionError);
    expect(() => data.select([])).toThrow(/at least 1 row/);
    expect(() => data.select([3])).toThrow(/row 3 was asked for, but rows are integers from 0 to 2/);
    expect(() => data.select([0.5])).toThrow(OptionError);
    expect(() => data.row(-1)).toThrow(OptionError);
  });
});

describe("immutability", () => {
  it("no method changes the bytes of its dataset", () => {
    using data = Dataset.fromTable(tableOf(people), { target: "income" });
    const before = bytes(data);
    const names = [...data.names];
    for (const make of [
      () => data.standardise(),
      () => data.hash(3),
      () => data.map(rff({ count: 4, seed: 1 })),
      () => data.as("i8"),
      () => data.as("f64"),
      () => data.select([1, 0]),
      () => data.subsample(2, { seed: 1 }),
      () => data.split(0.5, { seed: 1 }).train,
    ]) {
      const made = make();
      expect(made).not.toBe(data);
      expect(bytes(data)).toEqual(before);
    }
    data.columns();
    data.target.values.fill(9);
    expect(bytes(data)).toEqual(before);
    expect(data.names).toEqual(names);
    expect(() => data.names.push("more")).toThrow(TypeError);
    expect(() => Object.assign(data.layout, { rowCount: 0 })).toThrow(TypeError);
    expect(() => Object.assign(data.pipeline.steps[0], { kind: "x" })).toThrow(TypeError);
  });
});

describe("memory of datasets", () => {
  const x = Array.from({ length: 50 }, (_, i) => [i, 1, -i]);
  const y = x.map((_, i) => i % 2);
  const used = () => engineMemory().usedBytes;

  it("dispose and using free a dataset and everything stored with it", () => {
    const before = used();
    const data = Dataset.fromArrays({ x, y });
    const made = [data.as("i8"), data.as("f64"), data.asClasses(), data.as("f64").asClasses()];
    data.columns();
    data.as("i16").columns();
    expect(used()).toBeGreaterThan(before);
    data.dispose();
    data.dispose();
    expect(used()).toBe(before);
    for (const one of [data, ...made]) {
      expect(one.disposed).toBe(true);
      expect(() => one.layout).toThrow(/the dataset was used after dispose\(\) \[DATASET_DISPOSED\]/);
      expect(() => one.standardise()).toThrow(ErgodicError);
    }
    {
      using scoped = Dataset.fromSparse(sparseOf(x));
      scoped.columns();
    }
    expect(used()).toBe(before);
  });

  it("rebuilds a conversion that was disposed alone", () => {
    const before = used();
    const data = Dataset.fromArrays({ x, y });
    const alone = used();
    data.as("i8").dispose();
    expect(used()).toBe(alone);
    expect(data.as("i8").disposed).toBe(false);
    data.dispose();
    expect(used()).toBe(before);
  });

  it("a copy outlives the original dataset", () => {
    const data = Dataset.fromArrays({ x, y });
    using copy = data.standardise();
    using part = data.select([4]);
    data.dispose();
    expect(matrix(part)).toEqual([[4, 1, -4]]);
    expect(copy.rowCount).toBe(50);
  });

  it("frees memory when objects are garbage-collected", async () => {
    const settle = async (enough: () => boolean) => {
      for (let k = 0; k < 40 && !enough(); k++) {
        collect();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    // Collects garbage of other tests first.
    let last = Infinity;
    await settle(() => {
      const isSteady = used() === last;
      last = used();
      return isSteady;
    });
    const before = used();
    const make = () => {
      const data = Dataset.fromArrays({ x, y });
      data.as("i8").columns();
      data.asClasses();
    };
    for (let k = 0; k < 50; k++) make();
    expect(used()).toBeGreaterThan(before);
    await settle(() => used() <= before);
    expect(used()).toBeLessThanOrEqual(before);
  });

  it("memory stays flat over hundreds of datasets and their conversions", () => {
    const round = () => {
      using data = Dataset.fromArrays({ x, y });
      using standard = data.standardise();
      using hashed = standard.hash(4);
      hashed.columns();
      data.as("i8");
      const { train, test } = data.split(0.5, { seed: 1 });
      train.dispose();
      test.dispose();
    };
    round();
    const before = [used(), engineMemory().memory.buffer.byteLength];
    for (let k = 0; k < power(200, 1000); k++) round();
    expect([used(), engineMemory().memory.buffer.byteLength]).toEqual(before);
  });

  it("frees memory when construction fails, and names the caller of a request beyond 4 GiB", () => {
    const before = used();
    expect(() => Dataset.fromArrays({ x: [[1], [1e39]], y: [0, 1] })).toThrow(
      /row 2: column "x0" is too large for f32; .* type: "f64"/,
    );
    expect(used()).toBe(before);
    using data = Dataset.fromArrays({ x: Array.from({ length: 70_000 }, () => [1]), y: new Float64Array(70_000) });
    expect(() => data.map(rff({ count: 2 ** 16, gamma: 1 }))).toThrow(MemoryLimitError);
    expect(() => data.map(rff({ count: 2 ** 16, gamma: 1 }))).toThrow(/dataset arrays: asked for 17.1 GiB/);
  });
});

describe("invalid input", () => {
  const table = () => tableOf(people);
  const gaps = () =>
    tableOf([
      ...people,
      { age: null, education: null, hours: 1, income: "low" },
      { age: null, education: "HS", hours: 1, income: "low" },
    ]);
  const array = (o: object) => () =>
    Dataset.fromArrays({
      x: [
        [1, 2],
        [3, 4],
      ],
      y: [0, 1],
      ...o,
    });
  const cases: [string, () => unknown, string][] = [
    [
      "no rows",
      () => Dataset.fromTable({ rowCount: 0, columns: [], source: "empty.csv" }, { target: "y" }),
      "empty.csv: holds 0 rows, but at least 1 is needed [DATA_EMPTY]",
    ],
    ["no rows of arrays", array({ x: [], y: [] }), "arrays: holds 0 rows, but at least 1 is needed [DATA_EMPTY]"],
    ["no columns of arrays", array({ x: [[], []] }), "arrays: has no columns [DATA_EMPTY]"],
    [
      "no column left",
      () => Dataset.fromTable(table(), { target: "income", drop: ["age", "education", "hours"] }),
      'people.csv: has no column left besides "income", "age", "education", "hours" [DATA_EMPTY]',
    ],
    [
      "an absent target",
      () => Dataset.fromTable(table(), { target: "wage" }),
      'people.csv: has no target column "wage"; its columns are "age", "education", "hours", "income" [DATA_COLUMN]',
    ],
    [
      "an absent column to drop",
      () => Dataset.fromTable(table(), { target: "income", drop: ["agee"] }),
      'people.csv: has no column to drop "agee"; its columns are "age", "education", "hours", "income" [DATA_COLUMN]',
    ],
    [
      "gaps",
      () => Dataset.fromTable(gaps(), { target: "income" }),
      'people.csv: 3 values are missing in columns "age" (2), "education" (1); fill them with impute: "mean", "median", "mode" or "level", or drop the columns [DATA_MISSING]',
    ],
    [
      "a gap in the target",
      () => Dataset.fromTable(tableOf([...people, { ...people[0], income: null }]), { target: "income" }),
      'people.csv: row 7 has no value in the target "income" (NaN); remove such rows [DATA_TARGET]',
    ],
    [
      "an unknown option",
      () => Dataset.fromTable(table(), { target: "income", Impute: "mean" } as never),
      'fromTable: unknown option "Impute"; did you mean "impute"? (known: target, weights, offset, drop, impute, indicator, encode, dates, unknown, classes, hash, format, rowShape, type) [OPTION_UNKNOWN]',
    ],
    [
      "a type that is a conversion",
      () => Dataset.fromTable(table(), { target: "income", type: "i8" as "f32" }),
      'dataset: type is "i8", but must be "f32" or "f64"; make i8 and i16 with as() [OPTION_RANGE]',
    ],
    [
      "NaN",
      array({
        x: [
          [1, 2],
          [3, NaN],
        ],
      }),
      'arrays: row 2: column "x1" is NaN, but must be a finite number [DATA_VALUE]',
    ],
    ["a ragged row", array({ x: [[1, 2], [3]] }), "arrays: row 2 has 1 values, but the data has 2 columns [DATA_SHAPE]"],
    ["too few targets", array({ y: [0] }), "arrays: x has 2 rows, but y has 1 values [DATA_SHAPE]"],
    ["a target that is NaN", array({ y: [0, NaN] }), "arrays: row 2: y is NaN, but must be a finite number [DATA_TARGET]"],
    ["names that repeat", array({ names: ["a", "a"] }), 'arrays: has two columns "a"; rename one [DATA_COLUMN]'],
    ["too few names", array({ names: ["a"] }), "arrays: x has 2 columns, but names has 1 [DATA_SHAPE]"],
    [
      "a negative weight",
      array({ weights: [1, -1] }),
      "arrays: row 2 weighs -1, but a weight must be finite and >= 0 [DATA_WEIGHT]",
    ],
    ["an infinite weight", array({ weights: [1, Infinity] }), "arrays: row 2 weighs Infinity, but a weight must be finite"],
    ["a weight that is no number", array({ weights: [Number.NaN, 1] }), "arrays: row 1 weighs NaN, but a weight must be finite"],
    ["weights all 0", array({ weights: [0, 0] }), "arrays: every row weighs 0; at least one must weigh more [DATA_WEIGHT]"],
    [
      "values that make no rows",
      array({ x: { values: new Float32Array(5), columnCount: 2 } }),
      "arrays: 5 values do not make rows of 2 columns [DATA_SHAPE]",
    ],
    [
      "sparse columns out of order",
      () => Dataset.fromSparse({ ...sparseOf([[1, 2]]), columnIndex: Uint32Array.of(1, 0) }),
      "news.libsvm: row 1: column 0 is out of order, repeated, or beyond the 2 columns [DATA_SHAPE]",
    ],
    [
      "a sparse column too many",
      () => Dataset.fromSparse({ ...sparseOf([[1, 2]]), columnCount: 1 }),
      "news.libsvm: row 1: column 1 is out of order, repeated, or beyond the 1 columns [DATA_SHAPE]",
    ],
    [
      "sparse rows beyond the entries",
      () => Dataset.fromSparse({ ...sparseOf([[1, 2]]), rowStart: Uint32Array.of(0, 5) }),
      "news.libsvm: rowStart runs from 0 to 5, but must start at 0 and end within the 2 entries [DATA_SHAPE]",
    ],
    [
      "infinity in a sparse row",
      () => Dataset.fromSparse(sparseOf([[1, Infinity]])),
      'news.libsvm: row 1: column "x1" is Infinity, but must be a finite number [DATA_VALUE]',
    ],
  ];
  it.each(cases)("refuses %s", (_, act, message) => {
    const before = engineMemory().usedBytes;
    expect(act).toThrow(message);
    expect(act).toThrow(/^.*\]$/);
    expect(engineMemory().usedBytes).toBeLessThanOrEqual(before);
  });

  it("refuses a column whose length differs from the row count", () => {
    const bad = { ...table(), rowCount: 5 };
    expect(() => Dataset.fromTable(bad, { target: "income" })).toThrow(DataError);
    expect(() => Dataset.fromTable(bad, { target: "income" })).toThrow(/column "age" holds 6 values, but there are 5 rows/);
  });
});

describe("edge cases", () => {
  it("accepts one column, one row, one class and all zeros", () => {
    using one = Dataset.fromArrays({ x: [[7]], y: ["only"] });
    expect([one.rowCount, one.columnCount, one.target.levels]).toEqual([1, 1, ["only"]]);
    expect(matrix(one.standardise())).toEqual([[0]]);
    using zeros = Dataset.fromSparse(
      sparseOf([
        [0, 0],
        [0, 0],
      ]),
    );
    expect(matrix(zeros.standardise())).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(matrix(zeros.as("i8"))).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(zeros.columns().entryCount).toBe(0);
    expect(matrix(zeros.map(rff({ count: 2 })))).toEqual([
      [1, 0],
      [1, 0],
    ]);
  });
});
