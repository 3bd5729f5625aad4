/**
 * Sizes of small programs as Vite builds them: what their pages fetch stays below limits, is stated in docs/browser.md,
 * and contains no house that they do not use. Bundles with unused code removed still work. The tests use the packed
 * files and need dist/ (npm run build).
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build as bundle } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Module, modulesOf, programs, type Weighed, weigh } from "./sizes/programs.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

const data = `
const x = Array.from({ length: 200 }, (_, i) => [Math.sin(i), Math.cos(i * 1.3)]);
const y = x.map(([a, b]) => 2 * a - b + 0.5);`;

/** Sizes of other libraries, measured in the same way, in thousands of bytes. */
const peers = {
  "ml-regression-multivariate-linear": 13,
  "tfjs-core + cpu backend, one op": 65,
  "@jax-js/jax 0.1.25, grad": 77,
  "@tensorflow/tfjs 4.22, layers, cpu": 217,
  "onnxruntime-web 1.30 /wasm": 3683,
};

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(root, "node_modules/.sizes-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const page = join(root, "docs/browser.md");
const [FROM, TO] = ["<!-- Sizes, written by UPDATE_SIZES=1 npx vitest run test/sizes.test.ts. -->", "<!-- End of the sizes. -->"];
/** Largest relative difference between a size in the docs and the measured size. */
const DIFFERENCE = 0.03;

describe("sizes of programs", () => {
  const weights = new Map<string, Weighed>();
  const modules = new Map<string, Module[]>();

  beforeAll(async () => {
    const models: Record<string, string> = {};
    for (const [kind, model] of [
      ["a linear model", "linear()"],
      ["a network", "network([dense(4), relu(), dense(1)])"],
    ]) {
      const file = join(folder, `${kind.replaceAll(" ", "-")}.safetensors`);
      const code = `import { Dataset, dense, fit, linear, network, relu } from "ergodic";${data}
await (await fit(${model}, Dataset.fromArrays({ x, y }), { epochs: 1 })).save(${JSON.stringify(file)});`;
      await promisify(execFile)(process.execPath, ["--input-type=module", "-e", code], { cwd: root });
      models[kind] = file;
    }
    for (const program of programs) {
      const weighed = await weigh(program, folder, models[program.name.split(", ")[1]]);
      weights.set(program.name, weighed);
      modules.set(program.name, await modulesOf(program, weighed.requested));
    }
  });

  it("are below their limits", () => {
    const sizes = programs.map(({ name }): [string, number] => [name, weights.get(name)!.bytes / 1000]);
    const table = [...sizes, ...Object.entries(peers)].map(([name, kB]) => `${kB.toFixed(1).padStart(8)} kB  ${name}`);
    console.log(`gzip of production builds, with what they fetch:\n${table.join("\n")}`);
    for (const { name, limit } of programs) expect(weights.get(name)!.bytes / 1000, name).toBeLessThan(limit);
  });

  it("load no house that they do not use", () => {
    for (const { name } of programs.filter(({ code }) => code.includes("import { Dataset, fit, linear"))) {
      const paths = modules.get(name)!.map(({ path }) => path);
      expect(paths.filter((path) => /^(graphs|bayes|search)\//.test(path))).toEqual([]);
      expect(paths).toContain("learning/models/linear/linear");
    }
  });

  it("are in the docs (with UPDATE_SIZES=1 this file updates them)", async () => {
    const rows = programs.map(({ name, limit }) => {
      const { bytes } = weights.get(name)!;
      const largest = modules
        .get(name)!
        .slice(0, 10)
        .map(({ path, bytes }) => `${path} ${(bytes / 1000).toFixed(1)}`);
      return { name, limit, kB: (bytes / 1000).toFixed(0), largest };
    });
    const text = await readFile(page, "utf8");
    const [before, rest] = text.split(FROM);
    const [held, after] = rest.split(TO);
    if (process.env.UPDATE_SIZES) {
      const lines = rows.map(({ name, kB, limit }) => `| ${name} | ${kB} kB | ${limit} kB |`);
      const lists = rows.map(({ name, largest }) => `- ${name}: ${largest.join(", ")}`);
      const made = `| program | size | limit |\n| --- | --- | --- |\n${lines.join("\n")}\n\nThe ten largest modules of each program, in kB:\n\n${lists.join("\n")}`;
      await writeFile(page, `${before}${FROM}\n\n${made}\n\n${TO}${after}`);
      return;
    }
    for (const { name, kB, limit } of rows) {
      const row = held.split("\n").find((line) => line.startsWith(`| ${name} `)) ?? `no row of ${name}`;
      const [, size, bound] = /\| +(\d+) kB +\| +([\d.]+) kB +\|$/.exec(row) ?? [];
      expect(bound, row).toBe(String(limit));
      expect(Math.abs(Number(size) / Number(kB) - 1), `${row} now ${kB} kB`).toBeLessThan(DIFFERENCE);
    }
  });
});

it.each([
  [
    "a network, trained, saved, read and resumed",
    `import { Dataset, dense, fit, network, relu } from "ergodic";
import { predictor } from "ergodic/predict";${data}
const set = Dataset.fromArrays({ x, y });
const run = fit(network([dense(4), relu(), dense(1)]), set, { epochs: 3, workers: 1 });
const fitted = await run;
const saved = await predictor(fitted.toBytes());
const [a] = fitted.predict([[0.5, 0.5]]);
const [b] = saved.predict([[0.5, 0.5]]);
await run.checkpoint("run.checkpoint");
const again = await fit.resume("run.checkpoint", set, { epochs: 3 });
console.log(JSON.stringify(Math.abs(a.value - b.value) < 1e-6 && again.predict([[0.5, 0.5]])[0].value === a.value));`,
    true,
  ],
  [
    "a map of features, read from a file",
    `import { Dataset, fit, linear } from "ergodic";
import { rff } from "ergodic/data";
import { writeFileSync } from "node:fs";${data}
const fitted = await fit(linear({ features: rff({ count: 8 }) }), Dataset.fromArrays({ x, y }), { epochs: 3, workers: 1 });
writeFileSync("features.safetensors", fitted.toBytes());
console.log(JSON.stringify(fitted.weights.length));`,
    8,
  ],
  [
    "its prediction, without the map's factory",
    `import { predictor } from "ergodic/predict";
const read = await predictor("features.safetensors");
console.log(JSON.stringify(Number.isFinite(read.predict([[0.5, 0.5]])[0].value)));`,
    true,
  ],
  [
    "gaps that are filled, and dates",
    `import { Dataset, fit, linear } from "ergodic";
import { dateParts } from "ergodic/data";
import { writeFileSync } from "node:fs";
const table = { source: "t", rowCount: 3, columns: [
  { name: "on", kind: "category", levels: ["2024-01-01", "2024-02-03"], codes: Int32Array.of(0, 1, 0) },
  { name: "age", kind: "number", values: Float64Array.of(1, NaN, 3) },
  { name: "y", kind: "number", values: Float64Array.of(1, 2, 3) },
] };
for (const [name, options] of [["gaps", { impute: "median", drop: ["on"] }], ["dates", { drop: ["age"], dates: dateParts("on") }]]) {
  const fitted = await fit(linear({ l2: 1 }), Dataset.fromTable(table, { target: "y", ...options }), { epochs: 3 });
  writeFileSync(name + ".safetensors", fitted.toBytes());
}
console.log(JSON.stringify(true));`,
    true,
  ],
  [
    "their prediction",
    `import { predictor } from "ergodic/predict";
const [gaps, dates] = [await predictor("gaps.safetensors"), await predictor("dates.safetensors")];
console.log(JSON.stringify([gaps.predict({ age: null }), dates.predict({ on: "2024-05-06" })].every(({ value }) => Number.isFinite(value))));`,
    true,
  ],
  [
    "an error that names a class, which bundlers rename",
    `import { factorGraph, fit, infer } from "ergodic";
const graph = factorGraph();
graph.isTrue(graph.variable(), { weight: 1 });
const answer = await infer(graph);
const { message } = await fit(graph, { rule: answer }).then(undefined, (error) => error);
console.log(JSON.stringify([answer.constructor.name.length, message.replace(/,.*/, "")]));`,
    [1, "fit: rule is of type Answer"],
  ],
] as const)("works once bundled: %s", async (name, code, wanted) => {
  const stem = name.replace(/\W+/g, "-");
  const entry = join(folder, `${stem}.mjs`);
  await writeFile(entry, code);
  const outdir = join(folder, stem);
  await bundle({
    entryPoints: [entry],
    outdir,
    bundle: true,
    minify: true,
    splitting: true,
    format: "esm",
    platform: "node",
    logLevel: "silent",
    outExtension: { ".js": ".mjs" },
  });
  const { stdout } = await promisify(execFile)(process.execPath, [join(outdir, `${stem}.mjs`)], { cwd: folder });
  expect(JSON.parse(stdout)).toEqual(wanted);
});
