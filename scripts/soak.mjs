// Ever new models on one engine, and what the process holds meanwhile: node --expose-gc scripts/soak.mjs [--models N | --minutes N] [--workers N] [--json]
//
// A round fits a network and a linear model, samples a statistical one and compiles a function, all of sizes and constants that no other had,
// and predicts. Every tenth function is held to the end, where all are called again. Ends with 1 where the resident memory after a collection
// is more than 1.1 × what it was after the first 300 models, or a held function answers otherwise than at first.
import { parseArgs } from "node:util";
import { add, compileFunction, mul, sum } from "../packages/ergodic/dist/compiler/index.js";
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
} from "../packages/ergodic/dist/index.js";

const { values } = parseArgs({
  options: {
    models: { type: "string", default: "3000" },
    minutes: { type: "string" },
    workers: { type: "string", default: "1" },
    kinds: { type: "string", default: "network,linear,sample,function" },
    json: { type: "boolean", default: false },
  },
});
if (!globalThis.gc) throw new Error("run it as node --expose-gc scripts/soak.mjs");
const FIRST = 300;
const MOST = 1.1;
const workers = Number(values.workers);
const end = values.minutes === undefined ? Infinity : performance.now() + 60_000 * Number(values.minutes);
const wanted = values.minutes === undefined ? Number(values.models) : Infinity;

/** Rows and columns of a number of their own: no two below 100,000 models are alike. */
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

const held = [];
async function compiled(i) {
  const n = 1 + (i % 31);
  const f = await compileFunction({ x: [n] }, ({ x }) => sum(mul(add(x, i), x)), { gradient: ["x"] });
  const x = Array.from({ length: n }, (_, k) => k / 7);
  const { value } = f({ x });
  const exact = x.reduce((total, v) => total + (v + i) * v, 0);
  if (Math.abs(value - exact) > 1e-9 * Math.abs(exact) + 1e-9) throw new Error(`function ${i} gave ${value}, not ${exact}`);
  if (i % 6 === 3) held.push({ f, x, value });
}

async function resident() {
  for (let k = 0; k < 6; k++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return process.memoryUsage().rss / 2 ** 20;
}

const all = { network: fitNetwork, linear: fitLinear, sample: sampleModel, function: compiled };
const kinds = values.kinds.split(",").map((name) => all[name]);
const records = [];
let first;
const note = async (models) => {
  const rss = await resident();
  const { heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
  const mib = (bytes) => Number((bytes / 2 ** 20).toFixed(1));
  records.push({
    models,
    rss: Number(rss.toFixed(1)),
    heap: mib(heapUsed),
    heapTotal: mib(heapTotal),
    external: mib(external),
    arrayBuffers: mib(arrayBuffers),
  });
  if (!values.json) console.error(`${String(models).padStart(7)} models ${JSON.stringify(records.at(-1))}`);
  return rss;
};
let models = 0;
for (; models < wanted && performance.now() < end; models++) {
  if (models === FIRST) first = await note(models);
  else if (models > FIRST && models % 300 === 0) await note(models);
  await kinds[models % kinds.length](models);
}
const last = await note(models);
const wrong = held.filter(({ f, x, value }) => f({ x }).value !== value).length;
const ratio = first === undefined ? 1 : last / first;
if (values.json) console.log(JSON.stringify({ models, held: held.length, wrong, first, last, ratio, records }));
else
  console.log(
    `${models} models: ${ratio.toFixed(3)} × the memory after ${FIRST}; ${held.length} functions held, ${wrong} of them wrong`,
  );
process.exitCode = ratio > MOST || wrong > 0 ? 1 : 0;
