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
