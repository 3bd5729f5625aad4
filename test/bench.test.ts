/**
 * The benchmark runner: its list, JSON lines, table and exit codes. It runs only `self-check`, which needs neither a
 * peer nor the built library.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { read } from "@ergodic/ingest";
import type { Dataset } from "ergodic";
import { describe, expect, test } from "vitest";
import * as ergodic from "../packages/ergodic/src/entries/everything.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Imported by a variable path, because the benchmarks are plain JavaScript outside the typed sources. */
const benchModule = (name: string) => import(/* @vite-ignore */ new URL(`../bench/${name}.mjs`, import.meta.url).href);

function bench(...options: string[]): { status: number | null; lines: string[]; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["bench/run.mjs", ...options], { cwd: root, encoding: "utf8" });
  return { status, lines: stdout.split("\n").filter((line) => line !== ""), stderr };
}

test("every part of the library that a benchmark opens is in its bundle", async () => {
  const { PARTS } = (await benchModule("ergodic")) as { PARTS: readonly string[] };
  const folders = ["bench", "bench/cases"];
  const files = folders.flatMap((folder) => readdirSync(`${root}/${folder}`).map((file) => `${root}/${folder}/${file}`));
  const texts = files.filter((file) => file.endsWith(".mjs")).map((file) => readFileSync(file, "utf8"));
  const opened = texts.flatMap((text) => [...text.matchAll(/"([\w/-]+)\.js"/g)].map(([, name]) => name));
  const parts = new Set(opened.filter((name) => existsSync(`${root}/packages/ergodic/src/${name}.ts`)));
  expect(parts.size).toBeGreaterThan(15);
  expect([...parts].filter((name) => !PARTS.includes(name))).toEqual([]);
});

test("the library opens from the benchmarks' bundle", async () => {
  const { openErgodic } = (await benchModule("ergodic")) as { openErgodic: () => Promise<typeof ergodic> };
  const { Dataset, linear } = await openErgodic();
  expect([typeof Dataset, typeof linear]).toEqual(["function", "function"]);
});

test("benchmarks and scripts import only names that the built packages export", async () => {
  const files = ["bench", "bench/cases", "scripts"].flatMap((folder) =>
    readdirSync(`${root}/${folder}`).map((file) => `${folder}/${file}`),
  );
  const imports = files
    .filter((file) => file.endsWith(".mjs"))
    .flatMap((file) => [
      ...readFileSync(`${root}/${file}`, "utf8").matchAll(
        /\{([^{}]*)\} (?:= await import\((?:new URL\()?|from )"[./]*(packages\/\w+\/dist\/[\w/]+\.js)"/g,
      ),
    ]);
  expect(imports.length).toBeGreaterThan(5);
  for (const [, names, path] of imports) {
    const built = (await import(/* @vite-ignore */ `${root}/${path}`)) as object;
    for (const name of names.split(",").map((one) => one.trim().split(/[ :]/)[0]))
      if (name) expect(Object.keys(built)).toContain(name);
  }
});

/** Text of a source and of all modules that it re-exports as a whole. */
function exportsOf(path: string): string {
  const text = readFileSync(path, "utf8");
  const whole = [...text.matchAll(/^export \* from "([^"]+)"/gm)].map(([, to]) => exportsOf(join(dirname(path), to)));
  return [text, ...whole].join("\n");
}

test("every name that a benchmark uses from a part is exported by its source", () => {
  const names = readdirSync(`${root}/bench/cases`).filter((file) => file.endsWith(".mjs"));
  const found: string[] = [];
  let checked = 0;
  for (const file of names) {
    const text = readFileSync(`${root}/bench/cases/${file}`, "utf8");
    for (const [, wanted, given] of text.matchAll(/const (\[[^=]*?\]) = await openModules\(([^)]*)\)/g)) {
      const parts = [...given.matchAll(/"([\w/-]+)\.js"/g)].map(([, name]) => name);
      const sources = parts.map((name) => exportsOf(`${root}/packages/ergodic/src/${name}.ts`)).join("\n");
      for (const [, list] of wanted.matchAll(/\{([^}]*)\}/g))
        for (const name of list
          .split(",")
          .map((each) => each.trim().split(":")[0])
          .filter(Boolean)) {
          checked++;
          if (!new RegExp(`export [^;]*\\b${name}\\b`).test(sources)) found.push(`${file}: ${name} of ${parts}`);
        }
    }
  }
  expect(checked).toBeGreaterThan(15);
  expect(found).toEqual([]);
});

describe("bench/run.mjs", () => {
  test("--list prints the name and metric of every case", () => {
    const { status, lines } = bench("--list");
    expect(status).toBe(0);
    const names = lines.map((line) => line.split(" ")[0]);
    const files = readdirSync(`${root}/bench/cases`).map((file) => file.replace(/\.mjs$/, ""));
    // A file can contain several cases, whose names begin with the file's name.
    const owns = (name: string) => (file: string) => name === file || name.startsWith(`${file}-`);
    const owners = names.map((name) => files.filter(owns(name)).sort((a, b) => b.length - a.length)[0]);
    expect([...new Set(owners)].sort()).toEqual(files.sort());
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(
      expect.arrayContaining([
        "linear-dense",
        "linear-sparse",
        "linear-a6a",
        "hogwild",
        "low-precision",
        "replicas",
        "step-rule",
        "self-check",
      ]),
    );
    for (const line of lines) expect(line).toMatch(/^\S+ {2,}\S.{20,}$/);
  });

  test("--json prints one object per peer and nothing else on stdout", () => {
    const { status, lines, stderr } = bench("self-check", "--json", "--rounds", "2");
    expect(status, stderr).toBe(0);
    expect(lines).toHaveLength(1);
    const comparison = JSON.parse(lines[0]);
    expect(Object.keys(comparison)).toEqual(["bench", "metric", "ours", "peer", "theirs", "ratio", "machine", "date"]);
    expect(comparison).toMatchObject({ bench: "self-check", metric: "ns a number", peer: "boxed numbers" });
    expect(comparison.ours).toBeGreaterThan(0);
    expect(comparison.theirs).toBeGreaterThan(0);
    // Less is better here, so the ratio is theirs to ours, and it is above 1 when we are ahead.
    expect(comparison.ratio).toBeCloseTo(comparison.theirs / comparison.ours, 12);
    expect(comparison.machine).toMatch(new RegExp(`, \\d+ cores, node ${process.version.replaceAll(".", "\\.")}$`));
    expect(comparison.date).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(stderr).toContain("round 2 of 2");
  });

  test("an unknown name runs all benchmarks that begin with it", () => {
    const { status, lines } = bench("self", "--json", "--rounds", "1");
    expect(status).toBe(0);
    expect(lines.map((line) => JSON.parse(line).bench)).toEqual(["self-check"]);
  });

  test("the table without --json shows both sides, the ratio and the check of the answers", () => {
    const { status, lines } = bench("self-check", "--rounds", "1");
    expect(status).toBe(0);
    const table = lines.join("\n");
    expect(table).toMatch(/, node v\S+, \d{4}-\d\d-\d\d$/m);
    expect(table).toMatch(/typed array +\S+ ns a number/);
    expect(table).toMatch(/against boxed numbers: \d+\.\d\d times; final objective (\d+\.\d+) against \1/);
  });

  test.each([
    [["no-such-case"], 'there is no benchmark "no-such-case"; there are'],
    [["self-check", "--rounds", "0"], "--rounds is 0, but must be an integer >= 1"],
    [["self-check", "--fast"], "Unknown option '--fast'"],
    [[], "no benchmark is named"],
    [["self-check", "--tiny", "--long"], "--tiny and --long exclude each other"],
    [["self-check", "--tiny", "--table"], "--table is of figures, and --tiny does not measure any"],
  ])("the invalid command line %j exits with 2, an empty stdout and the reason", (options, reason) => {
    const { status, lines, stderr } = bench(...options);
    expect(status).toBe(2);
    expect(lines).toEqual([]);
    expect(stderr).toContain(reason);
  });
});

describe("docs/benchmarks.md", () => {
  const path = `${root}/docs/benchmarks.md`;
  const page = readFileSync(path, "utf8");
  const rowOf = async (name: string, passed = true) => {
    const { rowsOf } = await benchModule("table");
    const peers = [{ name: "theirs", value: 6, ratio: 3, passed, goal: 2 }];
    const facts = { date: "2020-02-03", machine: "two cores" };
    return rowsOf({ name, measures: "planted | numbers", metric: "s" }, { ours: { value: 2000 }, peers }, facts);
  };

  test("every row names a benchmark", async () => {
    const { benchOf, partsOf } = await benchModule("table");
    const names = bench("--list").lines.map((line) => line.split(" ")[0]);
    const rows: string[][] = partsOf(page).rows;
    expect(rows.map((row): string => benchOf(row)).filter((name) => !names.includes(name))).toEqual([]);
    expect(rows.filter((row) => row.length !== 9)).toEqual([]);
  });

  test("a row shows both figures, the ratio, the goal, the day and the machine", async () => {
    expect(await rowOf("planted")).toEqual([
      ["`planted`", "planted \\| numbers", "2,000 s", "theirs", "6.00 s", "3.00", "2", "2020-02-03", "two cores"],
    ]);
    expect((await rowOf("planted", false))[0][5]).toBe("none: our answer is worse");
  });

  test("new rows replace old rows of the same benchmarks in list order, and the rest of the page stays the same", async () => {
    const { benchOf, partsOf, withRows } = await benchModule("table");
    const order = ["a", "b", "c"];
    const [a, b, c] = await Promise.all(order.map((name) => rowOf(name)));
    const empty = withRows(page, new Map(), order);
    const first = withRows(empty, new Map(Object.entries({ c, a: [...a, ...a] })), order);
    const second = withRows(first, new Map(Object.entries({ b, a })), order);
    expect(partsOf(first).rows.map(benchOf)).toEqual(["a", "a", "c"]);
    expect(partsOf(second).rows).toEqual([...a, ...b, ...c]);
    expect(withRows(second, new Map(), [])).toBe(empty);
    expect([partsOf(second).before, partsOf(second).after]).toEqual([partsOf(page).before, partsOf(page).after]);
    expect(() => withRows("# A page", new Map(), order)).toThrow("the page lacks the markers");
  });
});

describe("bench/measure.mjs", () => {
  const contestant = (name: string, value: number, loss: number) => ({ name, round: async () => ({ value, loss }) });
  const benchCase = (loss: number, better = "less") => ({
    name: "planted",
    measures: "planted numbers",
    metric: "seconds",
    better,
    lossTolerance: 0.01,
    makeData: () => ({}),
    ours: async () => contestant("ours", 2, loss),
    peers: () => [{ name: "theirs", open: async () => contestant("theirs", 6, 1) }],
  });
  const measured = async (planted: object) => {
    const { measure } = await benchModule("measure");
    return measure(planted, { rounds: 3, folder: "", say: () => {} });
  };

  test("the ratio is above 1 when we are faster, in both directions of the metric", async () => {
    expect((await measured(benchCase(1))).peers[0].ratio).toBe(3);
    expect((await measured(benchCase(1, "more"))).peers[0].ratio).toBe(1 / 3);
  });

  test("a worse answer fails the comparison regardless of its speed", async () => {
    expect((await measured(benchCase(1.0099))).peers[0].passed).toBe(true);
    expect((await measured(benchCase(1.0101))).peers[0].passed).toBe(false);
    expect((await measured(benchCase(NaN))).peers[0].passed).toBe(false);
  });

  test("reports medians; sides alternate after a warm-up that is not measured", async () => {
    const turns: string[] = [];
    const taking = (name: string, values: number[]) => {
      const left = [...values];
      const round = async () => {
        turns.push(name);
        return { value: left.shift(), loss: 1 };
      };
      return { name, round };
    };
    const planted = {
      ...benchCase(1),
      ours: async () => taking("ours", [1000, 5, 1, 3]),
      peers: () => [{ name: "theirs", open: async () => taking("theirs", [1000, 9, 100, 6]) }],
    };
    const { ours, peers } = await measured(planted);
    expect([ours.value, peers[0].value]).toEqual([3, 9]);
    expect(turns).toEqual(["ours", "theirs", "ours", "theirs", "ours", "theirs", "ours", "theirs"]);
  });
});

describe("objective and data", () => {
  test("the objective is the mean log loss plus the penalty, equal for dense and sparse rows", async () => {
    const { logisticObjective } = await benchModule("objective");
    const { asDense, parseLibsvm } = await benchModule("data");
    const sparse = parseLibsvm("+1 1:2 3:-1\n-1 2:0.5\n", "two rows");
    const weights = Float64Array.of(0.25, -1, 2);
    // By hand: margins 0.25·2 − 2 + 0.5 = −1 (class 1) and −0.5 + 0.5 = 0 (class 0); ‖w‖² = 5.0625.
    const expected = (Math.log(1 + Math.E) + Math.log(2)) / 2 + 0.05 * 5.0625;
    expect(logisticObjective(sparse, 0.1, weights, 0.5)).toBeCloseTo(expected, 14);
    expect(logisticObjective(asDense(sparse), 0.1, weights, 0.5)).toBe(logisticObjective(sparse, 0.1, weights, 0.5));
    expect(() => logisticObjective(sparse, 0.1, weights.subarray(1), 0.5)).toThrow(
      "2 weights were returned, but the data has 3 columns",
    );
  });

  test("a margin of any size has a finite loss", async () => {
    const { logisticObjective } = await benchModule("objective");
    const { parseLibsvm } = await benchModule("data");
    const problem = parseLibsvm("-1 1:1\n", "one row");
    expect(logisticObjective(problem, 0, Float64Array.of(2000), 0)).toBe(2000);
    expect(logisticObjective(problem, 0, Float64Array.of(-2000), 0)).toBe(0);
  });

  test("each seed determines the data, and sparse rows have distinct, ascending columns", async () => {
    const { denseProblem, sparseProblem } = await benchModule("data");
    const shape = { rowCount: 50, columnCount: 40, nonZeros: 12 };
    for (const make of [denseProblem, sparseProblem]) {
      expect(make({ ...shape, seed: 1 })).toEqual(make({ ...shape, seed: 1 }));
      expect(make({ ...shape, seed: 1 }).values).not.toEqual(make({ ...shape, seed: 2 }).values);
    }
    const { columnIndex, rowStart } = sparseProblem({ ...shape, seed: 1 });
    for (let i = 0; i < shape.rowCount; i++) {
      const row = [...columnIndex.subarray(rowStart[i], rowStart[i + 1])];
      expect(row).toHaveLength(12);
      expect(row).toEqual([...new Set(row)].sort((a, b) => a - b));
      expect(Math.max(...row)).toBeLessThan(40);
    }
  });

  const vision = `${root}../shared/data/vision/`;
  const there = existsSync(vision);
  if (!there) console.warn(`bench: MNIST's split is not checked, because ${vision} is absent`);

  test.skipIf(!there)(`the split of MNIST never changes${there ? "" : ` (skipped: ${vision} is absent)`}`, async () => {
    const { mnistProblem, mnistDatasets } = await benchModule("mnist");
    const problem = mnistProblem(ergodic);
    expect([...problem.order].sort((a: number, b: number) => a - b)).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
    expect([...problem.order.slice(0, 8)]).toEqual([1106, 3083, 1482, 3934, 7667, 2092, 8531, 9118]);
    using train: Dataset = mnistDatasets(ergodic, problem).train;
    using held: Dataset = mnistDatasets(ergodic, problem).test;
    expect([train.rowCount, held.rowCount, train.rowShape, held.target.levels]).toEqual([
      8000,
      2000,
      [28, 28, 1],
      Array.from({ length: 10 }, (_, k) => String(k)),
    ]);
    // y of golden/images.test.ts; numpy.bincount(y[order[8000:]])
    const counts = new Array(10).fill(0);
    for (const label of held.target.values) counts[label]++;
    expect(counts).toEqual([178, 227, 200, 222, 205, 178, 179, 193, 215, 203]);
    const file = await read(`${vision}t10k-images-idx3-ubyte.gz`);
    for (const [i, row] of [0, 1, 7999].map((at) => [at, problem.order[at]])) {
      expect([...train.row(i)]).toEqual([...file.row(row)].map((pixel) => Math.fround(pixel / 255)));
      expect(train.target.values[i]).toBe(file.target.values[row]);
    }
  });
});
