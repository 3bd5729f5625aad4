/**
 * Our side: the library, called as a user calls it, and internal parts for benchmarks of them. All come from one bundle
 * of the sources, because a process has only one engine.
 *
 * Seconds are those of the whole awaited `fit`, like those of a peer's whole `fit()`: set-up inside the call counts on
 * both sides. `insideSeconds` is the time that the run reports for its loop alone.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const src = fileURLToPath(new URL("../packages/ergodic/src", import.meta.url));
/** Internal modules that benchmarks import, by their paths within the sources. */
export const PARTS = [
  ...["graphs/learn/contrastive-divergence", "graphs/sampling/gibbs/chain", "graphs/sampling/gibbs/layout"],
  ...["chromatic", "hogwild", "sequential"].map((name) => `graphs/sampling/gibbs/schedules/${name}`),
  ...["graphs/exact/junction-tree", "graphs/parts/elimination-orders", "graphs/exact/tree-pass"],
  ...["learning/descent/gradient-descent", "graphs/parts/reduction", "graphs/sampling/replicas/bit-layout"],
  ...["graphs/sampling/replicas/replicas", "bayes/samplers/index", "engine/threads/steps", "engine/random/stream"],
  ...[
    "engine/compiler/index",
    "engine/statistics/index",
    "engine/memory/engine",
    "engine/memory/gemm",
    "entries/everything",
    "entries/graphs",
    "entries/index",
    "engine/loop/plan",
    "bayes/model/index",
    "learning/fit/folds",
  ],
];
/** Modules that the sources allow bundlers to drop, but that must be kept here. */
const kept = {
  name: "kept",
  setup({ onResolve }) {
    onResolve({ filter: /\/at-start\.ts$/ }, ({ path, resolveDir }) => ({ path: resolve(resolveDir, path), sideEffects: true }));
  },
};

let bundling;

async function bundle() {
  if (!existsSync(join(src, "engine/memory/builds/threads.ts")))
    throw new Error('the kernels are not there; run "npm run build" first');
  const { build } = await import("esbuild");
  const folder = mkdtempSync(join(tmpdir(), "ergodic-bench-build-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  await build({
    entryPoints: PARTS.map((part) => ({ in: join(src, `${part}.ts`), out: part })),
    outdir: folder,
    ...{ bundle: true, splitting: true, format: "esm", platform: "neutral", target: "es2023", logLevel: "error" },
    outExtension: { ".js": ".mjs" },
    plugins: [kept],
  });
  return folder;
}

/** Returns modules of the library by their paths within it: "engine/memory/engine.js". */
export async function openModules(...names) {
  const folder = await (bundling ??= bundle());
  return Promise.all(names.map((name) => import(pathToFileURL(join(folder, name.replace(/js$/, "mjs"))).href)));
}

export async function openErgodic() {
  return (await openModules("entries/everything.js"))[0];
}

/** Returns the engine itself and the exports of the module `name`, for benchmarks of one kernel. */
export async function openEngineOf(name) {
  const [{ openEngine }, module] = await openModules("engine/memory/engine.js", name);
  return { engine: await openEngine(), ...module };
}

/** Converts a problem of data.mjs to one of our datasets. */
export function datasetOf({ Dataset }, problem, source) {
  const { format, rowCount, columnCount, rowStart, columnIndex, values, target } = problem;
  if (format === "dense") return Dataset.fromArrays({ x: { values, columnCount }, y: target, type: "f32" });
  return Dataset.fromSparse({ rowCount, columnCount, rowStart, columnIndex, values, target, source });
}

/**
 * Logistic regression without standardisation, which would change the meaning of the penalty relative to the peer's.
 */
export const logistic = ({ linear }, l2) => linear({ loss: "logistic", l2, standardise: false });

/** Trains once; `options` are those of `fit`. */
export async function timedFit(ergodic, model, data, options) {
  const start = performance.now();
  const trained = await ergodic.fit(model, data, options);
  const seconds = (performance.now() - start) / 1000;
  const { weights, intercept, run } = trained;
  return { seconds, insideSeconds: run.seconds, updates: run.updates, weights, intercept: intercept[0] };
}

/** `ergodic/compiler`. */
export async function openCompiler() {
  return (await openModules("engine/compiler/index.js"))[0];
}

/**
 * A contestant for measure.mjs that trains a network of networks.mjs: milliseconds per epoch. `build(layers, given)`
 * makes the network; `given(size)` is an initialiser that takes the next `size` of the problem's weights. Each round
 * continues training where the previous one ended.
 */
export async function openNetwork(problem, build) {
  const ergodic = await openErgodic();
  const [{ gradientDescent }, { resolvePlan }] = await openModules("learning/descent/gradient-descent.js", "engine/loop/plan.js");
  const { trainImages, trainLabels, rowCount, batch, rate, weights } = problem;
  const columnCount = trainImages.length / rowCount;
  const side = Math.sqrt(columnCount);
  const data = ergodic.Dataset.fromArrays({
    x: { values: trainImages, columnCount },
    y: Array.from(trainLabels, String),
    type: "f32",
    rowShape: [side, side, 1],
  });
  const part = ergodic.initialiser("partOfWeights", { from: 0, size: 0 }, ({ options: { from, size } }) =>
    Float64Array.from(weights.subarray(from, from + size)),
  );
  let from = 0;
  const given = (size) => {
    from += size;
    return part({ from: from - size, size });
  };
  const model = ergodic.network(build(ergodic, given), { standardise: false });
  const engine = await ergodic.openEngine();
  const plan = resolvePlan("bench", { batch, schedule: "ordered" }, engine.describe(), {});
  const trained = model.bind(model.prepare(data, plan).dataset, plan, engine);
  const progression = await gradientDescent({ rule: ergodic.sgd({ rate }) }).start(trained, plan, engine);
  /** Loss of the very first step, as peers report it. */
  let firstLoss;
  return {
    name: `ergodic, ${engine.describe().build}`,
    async round() {
      const start = performance.now();
      const first = await progression.advance(1);
      const rest = await progression.advance(progression.stepsPerEpoch - 1);
      const value = performance.now() - start;
      firstLoss ??= first.lossSum / first.rows;
      return { value, loss: (first.lossSum + rest.lossSum) / rowCount, firstLoss };
    },
  };
}
