/** Users' programs that are checked against the packed declarations, under the settings of browsers and of Node. */
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const root = fileURLToPath(new URL("../../", import.meta.url));

const probe = `
import { adam, Dataset, dense, factorGraph, fit, linear, model, network, normal, openEngine, relu, sample, vector } from "ergodic";
import { type RowOf } from "ergodic/data";
import { add, compileFunction, mul, sum } from "ergodic/compiler";
import { rhat } from "ergodic/diagnostics";
import { type Plan, rule } from "ergodic/extend";
import { type LinearPredictor, predictor } from "ergodic/predict";
import { predictor as asyncPredictor } from "ergodic/predict/async";
import { worker } from "ergodic/worker";

const data = Dataset.fromArrays({ x: [[1], [2]], y: [1, 2] });
const line = await fit(linear({ loss: "squared" }), data, { epochs: 2 });
export const rmse: number = line.evaluate(data).rmse;
// @ts-expect-error: a number is no text
export const text: string = line.evaluate(data).rmse;
const named = await fit(linear(), Dataset.fromArrays({ x: [[1, 2], [3, 4]], y: [1, 2], names: ["age", "hours"] }));
named.predict({ age: 40, hours: 38 });
// @ts-expect-error: a slip in a column's name
named.predict({ aeg: 40, hours: 38 });
line.predict({ x0: 1 });
const columns = [
  { name: "age", kind: "number", values: Float64Array.of(1, 2) },
  { name: "paid for", kind: "category", codes: Int32Array.of(0, 1), levels: ["no", "yes"] },
  { name: "1", kind: "number", values: Float64Array.of(1, 2) },
] as const;
const known = await fit(linear(), Dataset.fromTable({ source: "people", rowCount: 2, columns }, { target: "1" }));
export const first = known.predict([{ age: 40, "paid for": "no" }])[0]?.value;
// @ts-expect-error: a column is missing
known.predict([{ age: 40 }]);
// @ts-expect-error: a slip in a column's name
known.predictInto([{ age: 40, paidFor: "no" }], new Float64Array(1));
async function foretell<Names extends string>(from: Dataset<Names>, row: RowOf<Names>): Promise<number> {
  return (await fit(linear({ loss: "squared" }), from)).predict(row).value;
}
export const any: Dataset<string> = data;
await foretell(any, { whatever: 1 });
export const net = await fit(network([dense(4), relu(), dense(1)]), data, { rule: adam() });
const located = model(({ data, param, observe }) => {
  const { y } = data({ y: vector("N") });
  observe(y, normal(param("mu", normal(0, 5)), 1));
});
const posterior = await sample(located, { y: [1, 2] });
export const r: number = rhat(posterior.draws("mu"), 4);
export const f = await compileFunction({ a: [2] }, ({ a }) => sum(mul(a, add(a, 1))), { gradient: ["a"] });
// @ts-expect-error: there is no input of that name
f({ b: [1, 2] });
export const read = await predictor<LinearPredictor>(line.toBytes());
export const engine = await openEngine({ deterministic: true });
export const asked = await asyncPredictor<LinearPredictor>(line.toBytes());
export const there = worker();
const graph = factorGraph();
graph.variable("rain");
export const rain: string = (await there.infer(graph, { task: "map" })).state("rain");
export const plan: Plan | undefined = undefined;
export const mine = rule("mine", { rate: 0.1 }, ({ g, rate }) => ({ step: mul(rate, g) }), { summary: "mine", source: "mine" });
`;
const probeOfNode = `
import { runCommandLine } from "@ergodic/cli";
import { read, readCsv, readJsonLines, readParquet, readTsv } from "@ergodic/ingest";
import { plot } from "@ergodic/plots";
import { batcher } from "@ergodic/serve";
import { type Dataset, type Draws, fit, network } from "ergodic";

export const table = await readCsv("a.csv", { target: "y" });
export const run: unknown = runCommandLine;
export const picture = (draws: Draws<"mu">): string => plot(draws, "pairs", { of: ["mu"] });
export const doubled: number = (await batcher({ run: (all: number[]) => all.map((x) => 2 * x) }).submit(1)).answer;
const told = await fit(network([]), await readCsv<"age" | "hours">("a.csv", { target: "y" }));
told.predict([{ age: 40, hours: 38 }]);
// @ts-expect-error: a column is missing
told.predict([{ age: 40 }]);
const y = { target: "y" };
export const others: Dataset<"age">[] = [
  await read<"age">("a.csv", y),
  await readTsv<"age">("a.tsv", y),
  await readJsonLines<"age">("a.jsonl", y),
  await readParquet<"age">("a.parquet", y),
];
`;

/** Results of all verbs, which a program with declarations of its own exports although it imports `ergodic` alone. */
const probeOfResults = `
import { adam, calibrate, compare, crossValidate, Dataset, dense, explain, factorGraph, factorisation, fit, infer, knowledgeBase, linear, measure, minimize, model, network, normal, openEngine, pathfinder, predictor, query, Ratings, relation, sample, summaryTable, tune, vector, matrix, integer, regression, loadDraws, saveDraws, stream } from "ergodic";
const data = Dataset.fromArrays({ x: [[1], [2]], y: [1, 2] });
export const line = await fit(linear({ loss: "squared" }), data);
export const cls = await fit(linear({ loss: "logistic" }), data);
export const net = await fit(network([dense(1)]), data, { rule: adam() });
export const started = fit(linear(), data);
export const ticks = async () => { for await (const t of started) return t; throw new Error(); };
export const run = line.run;
export const m1 = line.evaluate(data), m2 = cls.evaluate(data), m3 = net.evaluate(data);
export const p1 = cls.predict([1]), p2 = net.predict([[1]]), p3 = line.predict([1]);
export const path = await fit.path(linear(), data);
export const pathPredictor = path.predictor();
export const folds = await crossValidate(linear(), data);
export const ex = explain(network([dense(1)]), { columns: 1 } as never);
export const located = model(({ data, param, observe }) => {
  const { y } = data({ y: vector("N") });
  observe(y, normal(param("mu", normal(0, 5)), 1), "y");
});
export const posterior = await sample(located, { y: [1, 2] });
export const approximated = await sample(located, { y: [1, 2] }, { algorithm: pathfinder() });
export const quantiles = posterior.summary();
export const verdict = posterior.verdict;
export const quantities = posterior.quantities;
export const loo = posterior.loo(), waic = posterior.waic(), check = posterior.check("y");
export const compared = compare({ a: loo, b: loo });
export const calibrated = await calibrate(located, { y: [1, 2] });
export const found = await minimize((at: ArrayLike<number>) => at[0] ?? 0, [1, 2]);
export const graph = factorGraph();
export const marginals = await infer(graph);
export const rain = marginals.marginal("rain");
export const learnt = await fit(graph);
export const w = learnt.weights;
export const pred = await predictor("x");
export const engine = await openEngine();
export const ratings = Ratings.fromTriples({ users: ["a"], items: ["b"], values: [1] });
export const factors = await fit(factorisation(), ratings);
export const rec = factors.recommend("a");
export const measured = await measure(line, data);
export const tuned = await tune({ space: { a: [0, 1] }, trial: async () => 1 } as never, {} as never);
export const r = relation("r", [{ a: "x" }]);
export const remarks = data.remarks, pipe = data.pipeline, target = data.target;

export const many = model(({ data, param, observe }) => {
  const { y, x, k } = data({ y: vector("N"), x: matrix("N", "K"), k: integer() });
  observe(y, normal(param("b", normal(0, 5), { shape: "K" }), 1), "y");
});
export const p4 = await sample(many, { y: [1, 2], x: [[1], [2]], k: 1 });
export const reg = regression("y ~ x");
export const p5 = await sample(reg, { y: [1, 2], x: [1, 2] } as never);
export const loaded = await loadDraws("x");
export const random = stream(1, "a").at(0);
export const mode = await fit(located, { y: [1, 2] });
export const lines = summaryTable(posterior.summary());
export const sampling = sample(located, { y: [1, 2] });
export const inferring = infer(graph);
export const streamed = fit.stream(linear(), (async function* () { yield data; })());
`;

const strict = {
  target: "es2022",
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  noEmit: true,
};
/** Settings for browsers without Node, with bundler resolution, and for Node without browser types. */
export const settings = [
  {
    name: "web-bundler",
    files: ["probe.ts"],
    compilerOptions: {
      ...strict,
      module: "esnext",
      moduleResolution: "bundler",
      lib: ["es2022", "dom", "dom.iterable"],
      types: [],
    },
  },
  {
    name: "node-nodenext",
    files: ["probe.ts", "probe-node.ts"],
    compilerOptions: { ...strict, module: "nodenext", moduleResolution: "nodenext", lib: ["es2023"], types: ["node"] },
  },
  {
    name: "declarations",
    files: ["probe-results.ts"],
    compilerOptions: {
      ...strict,
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      outDir: "declarations",
      module: "nodenext",
      moduleResolution: "nodenext",
      lib: ["es2023"],
      types: ["node"],
    },
  },
];

/** Path of each package, and the name under which users import it. */
const packages: readonly (readonly [folder: string, name: string])[] = [
  ["ergodic", "ergodic"],
  ["ingest", "@ergodic/ingest"],
  ["serve", "@ergodic/serve"],
  ["plots", "@ergodic/plots"],
  ["cli", "@ergodic/cli"],
];

export interface Project extends Disposable {
  /** Errors of a compiler under one of the settings. `compiler` is the path of tsc. */
  complaints(compiler: string, setting: string): Promise<string>;
}

/** A user's project with the packages installed as npm would publish them. */
export function userProject(): Project {
  const folder = mkdtempSync(join(tmpdir(), "ergodic-types-"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  // One call packs all packages, because npm takes longer to start than to pack.
  const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder, ...packages.map(([at]) => `./${at}`)];
  const answer = execFileSync("npm", pack, {
    cwd: join(root, "packages"),
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  for (const [i, { filename }] of (JSON.parse(answer) as { filename: string }[]).entries()) {
    const to = join(folder, "node_modules", packages[i][1]);
    mkdirSync(to, { recursive: true });
    execFileSync("tar", ["-xzf", join(folder, filename), "-C", to, "--strip-components=1"]);
  }
  // Dependencies of the command and the readers, and the types of Node.
  for (const name of ["@types", "undici-types", "commander", "picocolors", "hyparquet"])
    symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
  writeFileSync(join(folder, "probe.ts"), probe);
  writeFileSync(join(folder, "probe-node.ts"), probeOfNode);
  writeFileSync(join(folder, "probe-results.ts"), probeOfResults);
  for (const { name, ...config } of settings) writeFileSync(join(folder, `${name}.json`), JSON.stringify(config));
  return {
    complaints: (compiler, setting) =>
      promisify(execFile)(process.execPath, [compiler, "-p", join(folder, `${setting}.json`)], { cwd: folder }).then(
        ({ stdout }) => stdout,
        ({ stdout, stderr }: { stdout: string; stderr: string }) => stdout + stderr,
      ),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}
