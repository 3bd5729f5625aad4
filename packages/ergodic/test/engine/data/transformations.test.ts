import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Dataset, Pipeline } from "../../../src/engine/data/dataset.ts";
import { rff } from "../../../src/engine/data/features/index.ts";
import { murmur3 } from "../../../src/engine/data/transformations/murmur.ts";
import { matrix, people, sparseOf, tableOf } from "./rows-of.ts";

const close = (given: number, wanted: number, tolerance = 1e-12): void => {
  expect(Math.abs(given - wanted)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(wanted)));
};

/** Textbook two-pass mean and deviation. */
function moments(values: number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) };
}

const column = (x: number[][], j: number) => x.map((row) => row[j]);
/** Multiples of 1/64, so that no column is constant only up to rounding. */
const cell = fc.oneof(
  fc.constant(0),
  fc.integer({ min: -6400, max: 6400 }).map((k) => k / 64),
);
const matrices = fc
  .record({ rows: fc.integer({ min: 1, max: 12 }), columns: fc.integer({ min: 1, max: 5 }) })
  .chain(({ rows, columns }) =>
    fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { minLength: rows, maxLength: rows }),
  );

describe("standardise", () => {
  it("without indicators, skips columns of only 0 and 1 and scales all others as usual", () => {
    const bits = fc.constantFrom(0, 1);
    const rows = fc.array(fc.tuple(bits, fc.oneof(cell, bits), fc.constantFrom(0, 1, 0.5), fc.constantFrom(0, 1, 2, -1)), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(rows, fc.constantFrom<"sd" | "max">("sd", "max"), fc.boolean(), (x, by, sparse) => {
        const given = { y: x.map(() => 0), type: "f64" } as const;
        using dense = Dataset.fromArrays({ x, ...given });
        using data = sparse ? Dataset.fromSparse(sparseOf(x)) : dense;
        using all = data.standardise({ by });
        using some = data.standardise({ by, indicators: false });
        for (let j = 0; j < 4; j++) {
          const stays = column(x, j).every((value) => value === 0 || value === 1);
          expect(column(matrix(some), j)).toEqual(stays ? column(x, j) : column(matrix(all), j));
        }
      }),
    );
  });

  it("scales dense columns to mean 0 and deviation 1, and constant columns to 0", () => {
    fc.assert(
      fc.property(matrices, (x) => {
        using data = Dataset.fromArrays({ x, y: x.map(() => 0), type: "f64" });
        using standard = data.standardise();
        for (let j = 0; j < x[0].length; j++) {
          const { mean, deviation } = moments(column(x, j));
          const constant = column(x, j).every((value) => value === x[0][j]);
          const given = column(matrix(standard), j);
          given.forEach((value, i) => {
            close(value, constant ? 0 : (x[i][j] - mean) / deviation, 1e-9);
          });
        }
      }),
      { seed: 31 },
    );
  });

  it("is stable if the mean is large relative to the deviation", () => {
    const x = [1, 2, 3, 4].map((value) => [1e9 + value]);
    using data = Dataset.fromArrays({ x, y: [0, 0, 0, 0], type: "f64" });
    matrix(data.standardise()).forEach(([value], i) => {
      close(value, (i - 1.5) / Math.sqrt(1.25), 1e-9);
    });
    using constant = Dataset.fromArrays({ x: [[0.1], [0.1], [0.1]], y: [0, 0, 0] });
    expect(matrix(constant.standardise())).toEqual([[0], [0], [0]]);
  });

  it("treats only columns that are constant up to rounding as constant", () => {
    const ulp = 2 ** -52;
    const x = [0, 1, 0, 1].map((k) => [1 + k * ulp, -3 + 2 * k * ulp, 1 + 16 * k * ulp]);
    using data = Dataset.fromArrays({ x, y: [0, 0, 0, 0], type: "f64" });
    using standard = data.standardise();
    matrix(standard).forEach(([one, three, wide], i) => {
      expect(Math.abs(one)).toBeLessThanOrEqual(ulp);
      expect(Math.abs(three)).toBeLessThanOrEqual(4 * ulp);
      close(wide, i % 2 === 0 ? -1 : 1, 0.1);
    });
  });

  it("divides sparse columns by the deviation including zeros, or by max|x|, and never centres", () => {
    fc.assert(
      fc.property(matrices, (x) => {
        using data = Dataset.fromSparse(sparseOf(x), { type: "f64" });
        using standard = data.standardise();
        using largest = data.standardise({ by: "max" });
        expect([standard.format, largest.format]).toEqual(["sparse", "sparse"]);
        for (let j = 0; j < x[0].length; j++) {
          const { deviation } = moments(column(x, j));
          const constant = column(x, j).every((value) => value === x[0][j]);
          const maximum = Math.max(...column(x, j).map(Math.abs));
          column(matrix(standard), j).forEach((value, i) => {
            close(value, x[i][j] / (constant ? 1 : deviation), 1e-9);
          });
          column(matrix(largest), j).forEach((value, i) => {
            close(value, x[i][j] / (maximum || 1));
          });
        }
      }),
      { seed: 32 },
    );
  });

  it("only scales dense columns by max, and refuses an unknown method", () => {
    using data = Dataset.fromArrays({
      x: [
        [2, -8],
        [1, 4],
      ],
      y: [0, 0],
    });
    expect(matrix(data.standardise({ by: "max" }))).toEqual([
      [1, -1],
      [0.5, 0.5],
    ]);
    expect(() => data.standardise({ by: "iqr" as "sd" })).toThrow(/by is "iqr", but must be "sd" or "max"/);
    expect(() => data.standardise({ indicators: 1 as never })).toThrow(/indicators is 1, but must be true or false/);
  });

  it("columnScales is the root mean square or the maximum, equal for dense and sparse", () => {
    const x = [
      [3, 0, 1],
      [4, 0, 0],
    ];
    using dense = Dataset.fromArrays({ x, y: [0, 0] });
    using sparse = Dataset.fromSparse(sparseOf(x));
    for (const data of [dense, sparse]) {
      const scales = [...data.columnScales()];
      [Math.sqrt(12.5), 0, Math.SQRT1_2].forEach((wanted, j) => {
        close(scales[j], wanted);
      });
      expect([...data.columnScales("largest")]).toEqual([4, 0, 1]);
    }
  });
});

describe("impute", () => {
  const rows = [
    { a: 1, c: "x", y: 0 },
    { a: null, c: "y", y: 1 },
    { a: 2, c: null, y: 0 },
    { a: 9, c: "y", y: 1 },
    { a: 2, c: "x", y: 1 },
  ];
  const filled = { mean: 3.5, median: 2, mode: 2 };

  it.each(["mean", "median", "mode"] as const)("%s fills gaps and reports the fills", (method) => {
    using data = Dataset.fromTable(tableOf(rows), { target: "y", impute: method });
    expect(data.row(1)[0]).toBe(filled[method]);
    expect(data.names).toEqual(["a", "c=x", "c=y"]);
    expect([...data.row(2)]).toEqual([2, 1, 0]); // x and y tie, so the first level is used
    expect(data.pipeline.imputed).toEqual([
      { name: "a", missing: 1, method, value: filled[method] },
      { name: "c", missing: 1, method: "mode", value: "x" },
    ]);
  });

  it("fills at prediction with the fills of training, also in columns without training gaps", () => {
    using data = Dataset.fromTable(tableOf([...people, { ...people[0], age: null }]), { target: "income", impute: "median" });
    using later = data.pipeline.apply([{ age: null, education: "", hours: null }]);
    expect([...later.row(0)]).toEqual([38.5, 0, 0, 1, 0, 40].map((value, j) => (j === 1 ? 1 : j === 3 ? 0 : value)));
    expect(later.target.values).toEqual(Float64Array.of(NaN));
  });

  it("refuses a column without any value, and an unknown method", () => {
    const none = tableOf([{ a: null, b: 1, y: 0 }]);
    expect(() => Dataset.fromTable(none, { target: "y", impute: "mean" })).toThrow('column "a" holds no value; drop it');
    expect(() => Dataset.fromTable(none, { target: "y", impute: "zero" as "mean" })).toThrow(/impute is "zero"/);
  });
});

describe("feature hashing", () => {
  it("uses MurmurHash3_x86_32 of UTF-8", () => {
    // sklearn.utils.murmurhash3_32(text, seed=0, positive=True), scikit-learn 1.4.2
    const golden: Record<string, number> = {
      "": 0,
      a: 1009084850,
      ab: 2613040991,
      abc: 3017643002,
      abcd: 1139631978,
      "education=Bachelors": 1197078720,
      "größe=π☃": 2235533639,
    };
    for (const [text, wanted] of Object.entries(golden)) expect([text, murmur3(text)]).toEqual([text, wanted]);
  });

  it("adds every column to its bucket with its sign", () => {
    fc.assert(
      fc.property(matrices, fc.integer({ min: 1, max: 4 }), (x, bits) => {
        using dense = Dataset.fromArrays({ x, y: x.map(() => 0), type: "f64" });
        using sparse = Dataset.fromSparse(sparseOf(x), { type: "f64" });
        const wanted = x.map((row) => {
          const out = new Array<number>(2 ** bits).fill(0);
          row.forEach((value, j) => {
            const hash = murmur3(`x${j}`);
            out[hash % 2 ** bits] += hash >= 2 ** 31 ? -value : value;
          });
          return out.map((value) => value + 0);
        });
        for (const data of [dense, sparse]) {
          using hashed = data.hash(bits);
          expect([hashed.format, hashed.columnCount, hashed.names[1]]).toEqual(["sparse", 2 ** bits, "hash:1"]);
          expect(matrix(hashed)).toEqual(wanted);
        }
      }),
      { seed: 33 },
    );
  });

  it("hashes tables without a list of levels like one-hot columns, and includes new levels", () => {
    using direct = Dataset.fromTable(tableOf(people), { target: "income", hash: 8 });
    using listed = Dataset.fromTable(tableOf(people), { target: "income" });
    expect(matrix(direct)).toEqual(matrix(listed.hash(8)));
    expect(JSON.stringify(direct.pipeline)).not.toContain("Bachelors");
    using fresh = direct.pipeline.apply([{ age: 0, hours: null, education: "Apprenticeship" }]);
    const hash = murmur3("education=Apprenticeship");
    expect(fresh.row(0)[hash & 255]).toBe(hash >>> 31 ? -1 : 1);
    expect(fresh.row(0).filter((value) => value !== 0).length).toBe(1);
  });

  it("adds nothing for a missing category", () => {
    using direct = Dataset.fromTable(tableOf(people), { target: "income", hash: 8 });
    using fresh = direct.pipeline.apply([{ age: null, hours: null, education: null }]);
    expect(fresh.row(0).every((value) => value === 0)).toBe(true);
  });

  it("refuses bits out of range", () => {
    using data = Dataset.fromArrays({ x: [[1]], y: [0] });
    for (const bits of [0, 31, 2.5]) expect(() => data.hash(bits)).toThrow(/bits is .*, but must be an integer >= 1 and <= 30/);
    expect(data.hash(30).columnCount).toBe(2 ** 30);
  });
});

describe("one-hot encoding of many levels", () => {
  it("is sparse, with a 1 at each row's level and all nonzero numbers", () => {
    const count = 1200;
    const rows = Array.from({ length: count }, (_, i) => ({ level: `l${1000 + i}`, number: i % 3, y: i }));
    using data = Dataset.fromTable(tableOf(rows), { target: "y" });
    expect([data.format, data.columnCount]).toEqual(["sparse", count + 1]);
    for (const i of [0, 1, 2, 700, count - 1]) {
      const wanted = new Array<number>(count + 1).fill(0);
      wanted[i] = 1;
      wanted[count] = i % 3;
      expect([...data.row(i)]).toEqual(wanted);
    }
    expect(matrix(data.pipeline.apply([{ level: "unknown", number: 0 }]))).toEqual([new Array(count + 1).fill(0)]);
  });
});

describe("rowShape", () => {
  const x = [
    [1, 2, 3, 4, 5, 6],
    [7, 8, 9, 10, 11, 12],
    [0, 0, 1, 0, 0, 2],
    [3, 1, 4, 1, 5, 9],
  ];
  const y = ["a", "b", "a", "b"];
  const make = () => Dataset.fromArrays({ x, y, rowShape: [1, 2, 3] });

  it("stays with rows as long as columns keep their places, and changes no number", () => {
    using data = make();
    using plain = Dataset.fromArrays({ x, y });
    expect(data.rowShape).toEqual([1, 2, 3]);
    expect(plain.rowShape).toBeUndefined();
    expect(matrix(data)).toEqual(matrix(plain));
    const { train, test } = data.split(0.5, { seed: 1, stratify: true });
    const kept = [
      train,
      test,
      data.select([2]),
      data.subsample(2, { seed: 3 }),
      data.as("i8"),
      data.as("f64"),
      data.standardise(),
    ];
    for (const part of kept) expect(part.rowShape).toEqual([1, 2, 3]);
    using numbers = Dataset.fromArrays({ x, y: [1, 2, 1, 2], rowShape: [6] });
    expect(numbers.asClasses().rowShape).toEqual([6]);
    for (const other of [data.hash(3), data.map(rff({ count: 6, seed: 1 }))]) expect(other.rowShape).toBeUndefined();
  });

  it("is saved with the pipeline and given to rows without a shape", () => {
    using data = make();
    const pipeline = Pipeline.fromJson(JSON.parse(JSON.stringify(data.standardise().pipeline)));
    using later = pipeline.apply([[6, 5, 4, 3, 2, 1]]);
    expect(later.rowShape).toEqual([1, 2, 3]);
    expect(Object.isFrozen(later.rowShape)).toBe(true);
    using plain = Dataset.fromArrays({ x, y });
    using followed = plain.follow(data.pipeline);
    expect([followed.rowShape, matrix(followed)]).toEqual([[1, 2, 3], matrix(data)]);
  });

  it("counts the one-hot columns of tables", () => {
    using data = Dataset.fromTable(tableOf(people), { target: "income", rowShape: [2, 3] });
    expect([data.columnCount, data.rowShape]).toEqual([6, [2, 3]]);
    using hashed = Dataset.fromTable(tableOf(people), { target: "income", hash: 3, rowShape: [2, 4] });
    expect(hashed.rowShape).toEqual([2, 4]);
  });

  it.each([
    [
      [2, 2],
      /^fromArrays: rowShape is \[2, 2\], 4 values, but a row has 6 columns; give sizes that multiply to 6 \[OPTION_RANGE\]$/,
    ],
    [[-2, -3], /^fromArrays: rowShape is \[-2,-3\], but must be a list of whole numbers from 1.*\[OPTION_RANGE\]$/],
    [[1.5, 4], /whole numbers/],
    [[], /whole numbers/],
    ["6", /whole numbers/],
  ])("refuses %j for six columns", (rowShape, message) => {
    expect(() => Dataset.fromArrays({ x, y, rowShape: rowShape as number[] })).toThrow(message);
  });

  it("is refused if a damaged file contains it", () => {
    using data = make();
    const steps = JSON.parse(JSON.stringify(data.pipeline));
    expect(() => Pipeline.fromJson([steps[0], { kind: "rowShape", sizes: [5] }])).toThrow(
      /rowShape is \[5\].*\[PIPELINE_STEP\]$/,
    );
    expect(() => Pipeline.fromJson([steps[0], { kind: "rowShape" }])).toThrow(/\[PIPELINE_STEP\]$/);
  });
});
