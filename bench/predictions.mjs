/**
 * Predictions of networks, ours and onnxruntime's, on one thread: `predict-mlp` and `predict-cnn`; page-predictions.mjs
 * has those in a page.
 *
 * A model is trained briefly, so that its weights are not special, saved in our format and exported as ONNX. All sides
 * read the same weights and the same float32 rows. A call predicts a batch and returns probabilities; `loss` is their
 * mean square on the first batch, in which sides must agree.
 *
 * Cold: a new process per round, from before it imports the runtime to the first answer for a batch of one. Processes
 * that load onnxruntime are those of peer.mjs; ours runs on the Node that runs the benchmark.
 */
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { toOnnx } from "@ergodic/serve/onnx";
import { Dataset, fit, network, predictor } from "ergodic";
import { randomNumbers } from "./data.mjs";
import { comparePages, liteRt, oursInPage } from "./page-predictions.mjs";
import { openPeer } from "./peer.mjs";
import { sized } from "./size.mjs";
import { floatsOf, meanSquare, timedCalls } from "./timing.mjs";

const CLASSES = 10;
/** Target duration of a round in milliseconds, estimated from the first calls. */
const ROUND_MS = sized(400, 1);
/** Number of batches that are predicted in turn. */
const SETS = 8;

async function makeModel(folder, { rowShape, layers }, batch) {
  const width = rowShape.reduce((product, extent) => product * extent, 1);
  const random = randomNumbers(1);
  const uniform = (length) => Float32Array.from({ length }, () => random.uniform());
  const y = Array.from({ length: 256 }, (_, i) => String(i % CLASSES));
  const data = Dataset.fromArrays({ x: { values: uniform(256 * width), columnCount: width }, y, type: "f32", rowShape });
  const trained = await fit(network(layers(CLASSES), { standardise: false }), data, { epochs: 1, batch: 32, seed: 1 });
  const [model, onnx, rows] = ["model.safetensors", "model.onnx", "rows"].map((name) => join(folder, name));
  await trained.save(model);
  writeFileSync(onnx, toOnnx(trained));
  writeFileSync(rows, uniform(SETS * batch * width));
  return { folder, model, onnx, rows, batch, width, rowShape, sets: SETS, roundMs: ROUND_MS };
}

async function ours({ model: file, rows: path, batch, width, sets, roundMs }) {
  const model = await predictor(file);
  const rows = floatsOf(path);
  const batches = Array.from({ length: sets }, (_, i) => rows.subarray(i * batch * width, (i + 1) * batch * width));
  const out = new Float64Array(model.width * batch);
  const call = (i) => model.predictInto(batches[i % sets], out);
  return {
    name: "ergodic",
    close: () => model.dispose(),
    async round() {
      const value = await timedCalls(call, roundMs);
      call(0);
      return { value, loss: meanSquare(out) };
    },
  };
}

async function theirs(problem, runtime) {
  const peer = await openPeer("onnxruntime.mjs", { ...problem, runtime });
  return { name: peer.ready.version, round: () => peer.run({}), close: () => peer.close() };
}

const cold = fileURLToPath(new URL("cold-prediction.mjs", import.meta.url));

async function coldOurs(problem) {
  return {
    name: "ergodic",
    async round() {
      const { stdout } = await promisify(execFile)(process.execPath, [cold, JSON.stringify(problem)]);
      return JSON.parse(stdout);
    },
  };
}

async function coldTheirs(problem, runtime) {
  const open = () => openPeer("onnxruntime.mjs", { ...problem, runtime, cold: true });
  const first = await open();
  await first.close();
  return {
    name: first.ready.version,
    async round() {
      const peer = await open();
      try {
        return await peer.run({});
      } finally {
        await peer.close();
      }
    },
  };
}

/** Probabilities are equal except for rounding. */
const compare = (mine, other) => ({
  text: `mean square of the probabilities ${mine.loss.toFixed(6)} against ${other.loss.toFixed(6)} (may differ by 1e-5)`,
  passed: Math.abs(mine.loss - other.loss) <= 1e-5,
});

const benchCase = (name, batch, settings, { isCold = false, goal } = {}) => ({
  name: `predict-${name}-${isCold ? "cold" : batch}`,
  measures: `${settings.measures}: ${isCold ? "from the import to the first answer, in a new process" : `a batch of ${batch}, one thread`}`,
  metric: isCold ? "ms" : "µs of processor time",
  better: "less",
  compare,
  makeData: (folder) => makeModel(folder, settings, batch),
  ours: isCold ? coldOurs : ours,
  peers: (problem) =>
    ["onnxruntime-web", "onnxruntime-node"].map((runtime) => ({
      name: runtime,
      goal: runtime === "onnxruntime-web" ? goal : isCold ? undefined : 0.8,
      open: () => (isCold ? coldTheirs : theirs)(problem, runtime),
    })),
});

const pageCase = (name, batch, settings) => ({
  name: `predict-${name}-page-${batch}`,
  measures: `${settings.measures}: a batch of ${batch}, one thread, in a page of Chromium`,
  metric: "µs of processor time",
  better: "less",
  compare: comparePages,
  makeData: (folder) => makeModel(folder, settings, batch),
  ours: oursInPage,
  peers: (problem) => [{ name: "LiteRT.js", goal: 0.8, open: () => liteRt(problem) }],
});

/**
 * The cases of a network: batches of 1 and 64, in Node and in a page, and cold. `goals`: against onnxruntime-web, at
 * batch 1 and 64.
 */
export const predictions = (name, settings, goals) => [
  benchCase(name, 1, settings, { goal: goals[0] }),
  benchCase(name, 64, settings, { goal: goals[1] }),
  benchCase(name, 1, settings, { isCold: true, goal: 5 }),
  ...[1, 64].map((batch) => pageCase(name, batch, settings)),
];
