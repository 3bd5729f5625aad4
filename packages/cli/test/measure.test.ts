/** `ergodic measure`: its output, JSON that fits its schema, a self-contained report, and refusals. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import type { Measurement } from "ergodic";
import { beforeAll, expect, it } from "vitest";
import { joules, latencyName, latencyOf, measureText } from "../src/report/measure.ts";
import { measureHtml } from "../src/report/measure-html.ts";
import { scatter } from "../src/report/scatter.ts";
import { captured, digits, ergodic, temporary, works } from "./captured.ts";
import { checked } from "./schemas.ts";

const file = temporary();
const model = file("digits.safetensors");
const quick = ["--seconds", "0.01", "--warmup", "0"];
const { out: paint } = captured().paint;

beforeAll(async () => {
  await works("train", digits, "--target", "label", "--classes", "--epochs", "1", "--out", model, "--quiet");
});

/** Results of an imaginary machine with simple numbers. */
function found(batch: number, changes: Partial<Measurement> = {}): Measurement {
  return {
    ...{ scenario: "singleStream", batch, queries: 100, rows: 100 * batch, seconds: 1, rowsPerSecond: 1000 * batch },
    latencyMs: { mean: batch, p50: batch / 2, p90: batch, p99: 2 * batch, p999: null, max: 3 * batch },
    bound: { percentile: 0.9, over: 4, ms: batch },
    ...{ valid: true, why: null, rate: null, trials: [] },
    bytes: { file: 2000, gzip: 1500, resident: 4000 },
    memory: { peak: 1e8, grown: 0, wasm: 2e6 },
    energy: { source: "modelled", perRow: 2e-6, range: [1e-6, 3e-6], why: "no <counters>" },
    ledger: [
      { what: "multiply-adds", unit: "operation", width: 32, count: 1000, level: null, picojoules: [4.6, 4.6] },
      { what: "rows", unit: "byte", width: 32, count: 80, level: "DRAM", picojoules: [162.5, 325] },
    ],
    ...changes,
  };
}

it("prints the trade-off as a table and a picture, and the ledger", () => {
  const text = measureText([found(1), found(8), found(64, { valid: false, why: "too few" })], paint);
  const lines = text.split("\n").map((line) => line.trim().replaceAll(/ {2,}/g, " "));
  expect(lines[0]).toBe("batch p50 ms p90 ms p99 ms p99.9 ms rows/s modelled per row");
  expect(lines.slice(1, 4)).toEqual(["1 0.5 1 2 – 1 k 2 µJ", "8 4 8 16 – 8 k 2 µJ", "64 32 64 128 – 64 k 2 µJ not valid"]);
  expect(lines[4]).toBe("batch 64 is not valid: too few");
  expect(lines).toContain("model 2 kB in its file, 1.5 kB after gzip, 4 kB in memory");
  expect(lines).toContain("process 100 MB at most, including 2 MB of WebAssembly memory");
  expect(text).toContain("Energy: modelled, not measured (no <counters>): 1 µJ to 3 µJ per row");
  expect(lines).toContain("multiply-adds 1,000 float32 4.6 4.6 nJ");
  expect(lines).toContain("bytes of rows 80 float32 from DRAM 163 … 325 19.5 nJ");
});

it("shows the time of a batch per scenario and the memory of the largest batch", () => {
  // 200 rows per second in batches of 8 take 40 ms per call. Latencies, measured from the start of the run, would be 8
  // to 24 ms.
  const offline = found(8, { scenario: "offline", rowsPerSecond: 200 });
  expect([latencyName(offline), latencyOf(offline)]).toEqual(["ms per call", 40]);
  expect((["singleStream", "multiStream", "server"] as const).map((scenario) => latencyOf(found(8, { scenario })))).toEqual([
    8, 16, 16,
  ]);
  const few = { mean: 1, p50: 1, p90: null, p99: null, p999: null, max: 3 };
  expect(latencyOf(found(8, { latencyMs: few }))).toBe(3);
  const large = { memory: { peak: 2e8, grown: 0, wasm: 5e6 }, bytes: { file: 2000, gzip: 1500, resident: 9000 } };
  const text = measureText([found(1), found(64, large)], paint);
  expect(text).toContain("9 kB in memory");
  expect(text).toContain("200 MB at most, including 5 MB of WebAssembly memory");
});

it("shows the rates of a server, and whether energy was measured or is unknown", () => {
  const measured = { source: "measured", zones: ["package-0"], joules: 3, perRow: 0.003 } as const;
  const text = measureText([found(1, { scenario: "server", rate: 4321, energy: measured })], paint);
  expect(text).toMatch(/batch {2}queries\/s .* measured per row\n +1 +4\.32 k /);
  expect(text).toContain("Energy: measured by RAPL (package-0), for everything that the machine did meanwhile: 3 mJ per row.");
  expect(text).not.toContain("logarithmic");
  expect(measureText([found(1, { energy: { source: "unknown", why: "none" }, ledger: null })], paint)).toContain(
    "Energy: not known (none).",
  );
  expect([2, 0.5, 2e-5, 3e-8, 4e-12].map(joules)).toEqual(["2 J", "500 mJ", "20 µJ", "30 nJ", "4 pJ"]);
});

it("draws points at their positions on logarithmic scales", () => {
  const spots = [
    { x: 1, y: 1, word: "a" },
    { x: 10, y: 100, word: "b" },
    { x: 100, y: 10_000, word: "cc" },
    { x: 100, y: 10_000, word: "d" },
  ];
  const drawn = scatter(spots, { x: "x", y: "y" }, { x: String, y: String }, { width: 11, height: 5 });
  expect(drawn).toEqual([
    "    y",
    "10000 │         cc",
    "      │",
    "      │     b",
    "      │",
    "    1 │a",
    "      └───────────",
    "       1       100 x",
  ]);
  // Nearly equal values look equal.
  const near = scatter(
    [
      { x: 5, y: 100, word: "a" },
      { x: 5, y: 101, word: "b" },
    ],
    { x: "x", y: "y" },
    { x: String, y: String },
    { width: 20, height: 9 },
  );
  expect(near.filter((line) => /[ab]/.test(line))).toHaveLength(1);
});

it("writes a self-contained report and escapes names", () => {
  const html = measureHtml("<b> & c", [found(1), found(4)], { note: "</script><script>alert(1)" });
  expect(html).toMatch(/^<!doctype html>/);
  for (const tag of ["h1", "title"]) expect(html).toContain(`<${tag}>&lt;b&gt; &amp; c</${tag}>`);
  expect(html).toContain("no &lt;counters&gt;");
  expect(html.match(/<script/g)).toHaveLength(1);
  expect(html.match(/<circle/g)).toHaveLength(2);
  expect(html).not.toMatch(/https?:|src=|href=|@import|url\(/);
  const json = /<script type="application\/json" id="measurements">(.*)<\/script>/.exec(html)![1];
  expect(JSON.parse(json)).toEqual({ note: "</script><script>alert(1)" });
  // The larger batch lies further right and higher.
  const at = [...html.matchAll(/cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)]);
  expect(at[1][0]).toBeGreaterThan(at[0][0]);
  expect(at[1][1]).toBeLessThan(at[0][1]);
});

it("measures a model once per batch size, and writes JSON and a report", async () => {
  const html = file("report.html");
  const { stdout, stderr } = await works(
    "measure",
    model,
    digits,
    "--batch",
    "1,4,4",
    ...quick,
    "--queries",
    "44",
    "--html",
    html,
    "--json",
  );
  const { measurements, rows } = checked("measure", stdout) as unknown as { measurements: Measurement[]; rows: number };
  expect(rows).toBe(1797);
  expect(measurements.map(({ batch }) => batch)).toEqual([1, 4]);
  for (const { batch, queries, rows: answered, bytes } of measurements) {
    expect(queries).toBeGreaterThanOrEqual(44);
    expect(answered).toBe(queries * batch);
    expect(bytes!.file).toBe(readFileSync(model).length);
    expect(bytes!.gzip / gzipSync(readFileSync(model)).length).toBeCloseTo(1, 2);
  }
  const counts = Object.fromEntries(measurements[0].ledger!.map(({ what, count }) => [what, count]));
  expect(counts).toMatchObject({ "multiply-adds": 640, parameters: 8 * 10 * 65 });
  expect(stderr).toBe(`report written to ${html}\n`);
  expect(readFileSync(html, "utf8")).toContain(JSON.stringify(measurements[0].latencyMs));
});

it.each([
  ["multiStream", ["--queries", "459"], 8],
  ["offline", ["--rows", "100"], 100],
  ["server", ["--rate", "1e5", "--p99-ms", "1e6"], 1],
])("measures the scenario %s with its options", async (scenario, options, batch) => {
  const { stdout } = await works("measure", model, digits, "--scenario", scenario, ...options, ...quick, "--json");
  const { measurements } = checked("measure", stdout) as unknown as { measurements: Measurement[] };
  expect(measurements).toHaveLength(1);
  expect(measurements[0]).toMatchObject({ scenario, batch });
  if (scenario === "server") expect(measurements[0]).toMatchObject({ rate: 1e5, trials: [{ rate: 1e5 }] });
});

it("trains a network on the digits if no model is given", async () => {
  const { stdout, stderr } = await works("measure", ...quick, "--batch", "1,2", "--queries", "44");
  expect(stdout).toMatch(/^singleStream: a network on 1,797 rows of the digits\n/);
  expect(stdout).toContain("Numbers are batch sizes; both scales are logarithmic.");
  expect(stdout).toMatch(/multiply-adds +50,432 +float32/);
  expect(stderr).toBe("training a network of 256 and 128 units on the digits included with ergodic\n");
});

it("accepts sparse rows and text categories", async () => {
  const sparse = file("rows.libsvm");
  const lines = Array.from({ length: 60 }, (_, i) => `${i % 2 ? 1 : -1} ${1 + (i % 2)}:1 ${3 + (i % 4)}:0.5`);
  writeFileSync(sparse, lines.join("\n"));
  const people = file("people.csv");
  writeFileSync(
    people,
    `work,age,pay\n${lines.map((_, i) => `${["own", "public", ""][i % 3]},${20 + (i % 40)},${i % 7}`).join("\n")}\n`,
  );
  const counts: (number | undefined)[] = [];
  for (const [data, ...options] of [[sparse], [people, "--target", "pay", "--impute", "mode"]]) {
    const out = file("other.safetensors");
    await works("train", data, ...options, "--epochs", "1", "--out", out, "--quiet");
    const { stdout } = await works("measure", out, data, ...quick, "--queries", "44", "--batch", "1,3", "--json");
    const { measurements } = checked("measure", stdout) as unknown as { measurements: Measurement[] };
    counts.push(measurements[1].ledger!.find(({ what }) => what === "multiply-adds")?.count);
  }
  // Two nonzero numbers per row; an age, and a column per kind of work.
  expect(counts[0]).toBe(2);
  expect(counts[1]).toBeGreaterThanOrEqual(3);
});

it("selects evenly spaced rows from a long file", async () => {
  const head = "age,pay\n";
  const some = file("some.csv");
  writeFileSync(some, head + Array.from({ length: 50 }, (_, i) => `${i},${i % 7}\n`).join(""));
  const out = file("some.safetensors");
  await works("train", some, "--target", "pay", "--epochs", "1", "--out", out, "--quiet");
  // Every second of 8,192 rows is selected, which includes rows of the last half, whose ages are missing.
  const long = file("long.csv");
  writeFileSync(long, head + Array.from({ length: 8192 }, (_, i) => `${i < 4096 ? i : ""},${i % 7}\n`).join(""));
  const { code, stderr } = await ergodic("measure", out, long, ...quick, "--quiet");
  expect(stderr).toMatch(/"age"/);
  expect(code).toBe(1);
});

it("measures a model of recommend with its pairs", async () => {
  const ratings = file("ratings.csv");
  writeFileSync(ratings, `user,item,value\n${Array.from({ length: 40 }, (_, i) => `u${i % 8},i${i % 5},${i % 4}`).join("\n")}\n`);
  const out = file("ratings.safetensors");
  await works(
    "recommend",
    ratings,
    "--user",
    "user",
    "--item",
    "item",
    "--value",
    "value",
    "--rank",
    "3",
    "--out",
    out,
    "--quiet",
  );
  const { stdout } = await works("measure", out, ratings, ...quick, "--queries", "44", "--json");
  const { measurements } = checked("measure", stdout) as unknown as { measurements: Measurement[] };
  expect(measurements[0].ledger![0]).toMatchObject({ what: "multiply-adds", count: 3 });
});

it.each([
  [["measure", "M"], /measure: rows to predict are missing; add a data file after M/],
  [["measure", "M", "D", "--batch", "1,0"], /--batch <sizes>' argument '1,0' is invalid\. It must be a whole number >= 1/],
  [["measure", "M", "D", "--batch", ""], /--batch.*must be a number/],
  [["measure", "M", "D", "--scenario", "burst"], /It must be singleStream, multiStream, server or offline/],
  [["measure", "M", "D", "--seconds", "0"], /--seconds.*must be a number > 0/],
  [["measure", "M", "D", "--p99-ms", "5"], /--p99-ms belongs to the scenario "server", but the scenario is "singleStream"/],
  [["measure", "M", "D", "--rate", "5"], /--rate belongs to the scenario "server"/],
  [["measure", "M", "D", "--scenario", "server", "--rows", "5"], /--rows belongs to the scenario "offline"/],
  [["measure", "M", "D", "--html", "M"], /--html M is MODEL/],
])("refuses %j", async (given, said) => {
  const words = given.map((word) => ({ M: model, D: digits })[word] ?? word);
  const { code, stderr, stdout } = await ergodic(...words);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr.replaceAll(model, "M")).toMatch(said);
  expect(existsSync(file("report2.html"))).toBe(false);
});
