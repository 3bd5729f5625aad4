// Creates new models on one engine for a long time and watches the memory of the process. Uses the built files:
//
//   npm run soak -- [--models N | --minutes N] [--first N] [--held N] [--kinds network,linear,sample,function]
//   [--workers N] [--json]
//
// In turn, it fits a network and a linear model, samples a statistical model and compiles a function, each with new
// sizes and constants. Before that, it compiles `held` functions and pauses some runs; at the end it calls and resumes
// them. It exits with 1 if the resident memory after a garbage collection exceeds 1.1 × the memory after the first 1200
// models (of four kinds, so that caches of 256 programs are full by then), or if the held functions and runs give
// different numbers.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { add, compileFunction, mul, sum } from "../packages/ergodic/dist/entries/compiler.js";
import {
  Dataset,
  dense,
  linear,
  model,
  network,
  normal,
  relu,
  sample,
  fit as train,
  vector,
} from "../packages/ergodic/dist/entries/index.js";

const { values } = parseArgs({
  options: {
    models: { type: "string", default: "3000" },
    minutes: { type: "string" },
    workers: { type: "string", default: "1" },
    first: { type: "string", default: "1200" },
    held: { type: "string", default: "500" },
    kinds: { type: "string", default: "network,linear,sample,function" },
    json: { type: "boolean", default: false },
  },
});
if (!globalThis.gc) throw new Error("run it by npm run soak");
// Without this flag, V8 of Node 20 and 22 keeps 0.9 kB per module for two minutes, whichever program made it, which
// looks like a leak (docs/decisions/compiler.md, "Emitted modules import kernels by name").
setFlagsFromString("--no-wasm-lazy-compilation");
const FIRST = Number(values.first);
const MOST = 1.1;
const workers = Number(values.workers);
const end = values.minutes === undefined ? Infinity : performance.now() + 60_000 * Number(values.minutes);
const wanted = values.minutes === undefined ? Number(values.models) : Infinity;

/** Sizes derived from the model number: no two models below 100,000 are alike. */
const sizes = (i) => ({ rows: 20 + (i % 97), columns: 1 + (i % 13), width: 2 + (i % 11) });

async function fitNetwork(i) {
  const { rows, columns, width } = sizes(i);
  const x = Array.from({ length: rows }, (_, r) => Array.from({ length: columns }, (_, c) => Math.sin(i + r * (c + 1))));
  const data = Dataset.fromArrays({ x, y: x.map((row) => row[0] + i) });
  const made = await train(network([dense(width), relu(), dense(1)], { loss: "squared" }), data, {
    batch: 2 + (i % 7),
    epochs: 1,
    seed: i,
    workers,
    replicas: workers,
  });
  made.predict(data.row(0));
  data.dispose();
}

async function fitLinear(i) {
  const { rows, columns } = sizes(i);
  const x = Array.from({ length: rows }, (_, r) => Array.from({ length: columns }, (_, c) => Math.cos(i + r * (c + 1))));
  const data = Dataset.fromArrays({ x, y: x.map((row) => (row[0] > 0 ? "a" : "b")) });
  const made = await train(linear({ l2: 1e-3 * (1 + i) }), data, { epochs: 1, seed: i });
  made.predict(data.row(0));
  data.dispose();
}

async function sampleModel(i) {
  const y = Array.from({ length: 5 + (i % 89) }, (_, r) => Math.sin(i + r));
  const at = model(({ data, param, observe }) => {
    const { y } = data({ y: vector("N") });
    const mu = param("mu", normal(i / 100, 1 + (i % 5)));
    observe(y, normal(mu, 1));
  });
  await sample(at, { y }, { draws: 20, warmup: 20, chains: 1, seed: i });
}

async function compiled(i) {
  const n = 1 + (i % 31);
  const f = await compileFunction({ x: [n] }, ({ x }) => sum(mul(add(x, i), x)), { gradient: ["x"] });
  const x = Array.from({ length: n }, (_, k) => k / 7);
  const exact = x.reduce((total, v) => total + (v + i) * v, 0);
  const check = () => Math.abs(f({ x }).value - exact) <= 1e-9 * Math.abs(exact) + 1e-9;
  if (!check()) throw new Error(`function ${i} gave ${f({ x }).value}, not ${exact}`);
  return check;
}

/** Returns a paused run on two workers and its checkpoint; both are resumed at the end. */
async function paused(i, folder) {
  const x = Array.from({ length: 40 }, (_, r) => [Math.sin(i + r), Math.cos(i - r)]);
  const data = Dataset.fromArrays({ x, y: x.map(([a, b]) => a * b) });
  const layers = () => network([dense(3 + i), relu(), dense(1)], { loss: "squared" });
  const options = { batch: 4, epochs: 4, seed: i, deterministic: true, workers: 2, replicas: 2 };
  const run = train(layers(), data, options).pause();
  const path = join(folder, `run-${i}.safetensors`);
  await run.checkpoint(path);
  return async () => {
    const said = async (made) => JSON.stringify(x.map(([x0, x1]) => made.predict({ x0, x1 }).value));
    const [first, second, third] = [await run.proceed(), await train.resume(path, data), await train(layers(), data, options)];
    const all = await Promise.all([first, second, third].map(said));
    return all[0] === all[2] && all[1] === all[2];
  };
}

async function resident() {
  for (let k = 0; k < 6; k++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return process.memoryUsage().rss / 2 ** 20;
}

const kindOf = { network: fitNetwork, linear: fitLinear, sample: sampleModel, function: compiled };
const kinds = values.kinds.split(",").map((name) => kindOf[name]);
const records = [];
const note = async (models) => {
  const rss = await resident();
  const { heapUsed, external } = process.memoryUsage();
  const [mib, heap, outside] = [rss, heapUsed / 2 ** 20, external / 2 ** 20].map((x) => Number(x.toFixed(1)));
  records.push({ models, mib, heap, external: outside });
  if (!values.json) console.error(`${String(models).padStart(7)} models ${mib} MiB, of which the heap ${heap}`);
  return rss;
};

const folder = mkdtempSync(join(tmpdir(), "soak-"));
// No other function below uses these numbers.
const held = [];
for (let i = 0; i < Number(values.held); i++) held.push(await compiled(1e6 + i));
for (let i = 0; i < Math.min(10, Number(values.held)); i++) held.push(await paused(i, folder));

let first;
let models = 0;
for (; models < wanted && performance.now() < end; models++) {
  if (models === FIRST) first = await note(models);
  else if (models > FIRST && models % 300 === 0) await note(models);
  await kinds[models % kinds.length](models);
}
const last = await note(models);
let wrong = 0;
for (const check of held) if (!(await check())) wrong++;
rmSync(folder, { recursive: true });
const ratio = first === undefined ? Number.NaN : last / first;
if (values.json) console.log(JSON.stringify({ models, held: held.length, wrong, ratio, records }));
else
  console.log(
    `${models} models: ${ratio.toFixed(3)} × the memory after ${FIRST}; of ${held.length} that were held, ${wrong} are wrong`,
  );
process.exitCode = ratio <= MOST && wrong === 0 ? 0 : 1;
