/**
 * Real files compared with other readers, with the call that made each value: Debian's Python 3, NumPy 2.2, pandas 2.2,
 * scikit-learn 1.4.
 * Sums of float64 in file order agree with math.fsum to 1e-12 relative. Counts and integer sums agree exactly.
 */
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { type BlockOptions, blocks, readCsv, readSparseTable, readTable } from "../../src/index.ts";

const folder = "../shared/data/linear/";
const there = existsSync(folder);
if (!there) console.warn(`golden/linear: skipped, because ${folder} is absent`);
const golden = test.skipIf(!there);
const why = there ? "" : ` (skipped: ${folder} is absent)`;

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);

async function sums(file: string, options = {}) {
  const table = await readTable(folder + file, options);
  return {
    table,
    sums: Object.fromEntries(table.columns.map((column) => [column.name, column.kind === "number" ? sum(column.values) : NaN])),
  };
}

function close(actual: number, wanted: number) {
  expect(Math.abs(actual - wanted)).toBeLessThanOrEqual(1e-12 * Math.abs(wanted));
}

// X, y = sklearn.datasets.load_svmlight_file(file); X.shape, X.nnz, X.data.sum(), y.sum(), (X.data * (X.indices + 1)).sum()
golden.each([
  { file: "a6a.libsvm", rows: 11220, columns: 122, entries: 155608, values: 155608, target: -5836, weighted: 7757432 },
  {
    file: "heart_scale.libsvm",
    rows: 270,
    columns: 13,
    entries: 3378,
    values: -666.4008603,
    target: -30,
    weighted: -7168.5296029,
  },
])(`$file${why}`, async ({ file, rows, columns, entries, values, target, weighted }) => {
  const table = await readSparseTable(folder + file);
  expect([table.rowCount, table.columnCount, table.columnIndex.length, table.rowStart[rows]]).toEqual([
    rows,
    columns,
    entries,
    entries,
  ]);
  close(sum(table.values), values);
  expect(sum(table.target)).toBe(target);
  close(sum(Array.from(table.values, (value, k) => value * (table.columnIndex[k] + 1))), weighted);
});

// w = numpy.genfromtxt(file, delimiter=",", skip_header=1); [math.fsum(w[:, j]) for j in range(12)]
golden(`wine_quality.csv${why}`, async () => {
  const { table, sums: found } = await sums("wine_quality.csv");
  expect(table.rowCount).toBe(4898);
  const wanted = [
    33574.75, 1362.825, 1636.87, 31305.15, 224.193, 172939, 677690.5, 4868.74609, 15616.13, 2399.27, 51498.88, 28790,
  ];
  for (const [j, value] of Object.values(found).entries()) close(value, wanted[j]);
  expect(Object.keys(found).length).toBe(12);
  expect(found.quality).toBe(28790);
});

// b = pandas.read_csv(file); b.shape, b.dteday.nunique(), {c: math.fsum(b[c]) for c in b if c != "dteday"}
golden(`bike_hour.csv${why}`, async () => {
  const { table, sums: found } = await sums("bike_hour.csv");
  expect([table.rowCount, table.columns.length]).toEqual([17379, 17]);
  const day = table.columns[1];
  expect(day.kind === "category" && [day.levels.length, day.levels[0], day.levels[730], day.codes[17378]]).toEqual([
    731,
    "2011-01-01",
    "2012-12-31",
    730,
  ]);
  const integers = {
    instant: 151023510,
    season: 43476,
    yr: 8734,
    mnth: 113620,
    hr: 200671,
    holiday: 500,
    weekday: 52201,
    workingday: 11865,
    weathersit: 24770,
    casual: 620017,
    registered: 2672662,
    cnt: 3292679,
  };
  expect(found).toMatchObject(integers);
  const reals = { temp: 8637.14, atemp: 8268.4955, hum: 10900.61, windspeed: 3303.7063 };
  for (const [name, value] of Object.entries(reals)) close(found[name], value);
  const options: BlockOptions = { rows: 5000, drop: ["dteday"] };
  const counts = [];
  let cnt = 0;
  for await (const block of blocks(`${folder}bike_hour.csv`, options)) {
    counts.push(block.rowCount);
    const column = block.columns.at(-1)!;
    cnt += column.kind === "number" ? sum(column.values) : NaN;
  }
  expect(counts).toEqual([5000, 5000, 5000, 2379]);
  expect(cnt).toBe(3292679);
});

// g = pandas.read_csv(file, header=None); g.shape, g[0].value_counts(), math.fsum(g.iloc[:, 1:].to_numpy().ravel()), g.iloc[71, 7129], g.iloc[0, 1]
golden(`golub.csv${why}`, async () => {
  const { table, sums: found } = await sums("golub.csv", { header: false });
  expect([table.rowCount, table.columns.length]).toEqual([72, 7130]);
  const [label, first] = table.columns;
  expect(label.kind === "category" && [label.levels, sum(label.codes)]).toEqual([["ALL", "AML"], 25]);
  expect(sum(Object.values(found).slice(1))).toBe(318124975);
  const last = table.columns[7129];
  expect([last.kind === "number" && last.values[71], first.kind === "number" && first.values[0]]).toEqual([-10, -342]);
});

golden(`golub.csv as a dataset${why}`, async () => {
  using data = await readCsv(`${folder}golub.csv`, { header: false, target: 0 });
  expect([data.rowCount, data.columnCount, data.target.levels]).toEqual([72, 7129, ["ALL", "AML"]]);
  expect(data.row(0)[0]).toBe(-342);
});
