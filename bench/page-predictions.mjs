/**
 * Predictions of networks on the main thread of a page in Chromium: ours and those of LiteRT.js, whose files tflite.mjs
 * writes from the same weights. Everything else is as in predictions.mjs. A round's figure is the processor time of the
 * page's tasks in the browser's own trace, divided by the number of calls.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { openPage } from "./browser.mjs";
import { Skipped } from "./peer.mjs";
import { sized } from "./size.mjs";
import { tfliteOf } from "./tflite.mjs";

const LITERT = "@litertjs/core";
/** Strides of a MobileNetV2 of form "small": 16; 24, 24; 32, 32; 64, 64. */
const STRIDES = [1, 2, 1, 2, 1, 1, 1];

/** Both functions run in the page; `globalThis.call(i)` returns the probabilities of batch i. */
async function loadOurs({ batch, width, sets }) {
  const { predictor } = await import("/dist/entries/predict.js");
  const read = async (name) => (await fetch(`/data/${name}`)).arrayBuffer();
  const rows = new Float32Array(await read("rows"));
  const model = await predictor(new Uint8Array(await read("model.safetensors")));
  const batches = Array.from({ length: sets }, (_, i) => rows.subarray(i * batch * width, (i + 1) * batch * width));
  const out = new Float64Array(model.width * batch);
  globalThis.call = (i) => {
    model.predictInto(batches[i % sets], out);
    return out;
  };
}

async function loadTheirs({ rowShape, batch, width, sets }) {
  const { loadAndCompile, loadLiteRt, Tensor } = await import("/data/litert.js");
  await loadLiteRt("/litert/wasm/");
  const model = await loadAndCompile("/data/model.tflite", { accelerator: "wasm", cpuOptions: { numThreads: 1 } });
  const rows = new Float32Array(await (await fetch("/data/rows")).arrayBuffer());
  globalThis.call = async (i) => {
    const from = (i % sets) * batch * width;
    const tensor = new Tensor(rows.subarray(from, from + batch * width), [batch, ...rowShape]);
    const [answer] = await model.run(tensor);
    const probabilities = await answer.data();
    tensor.delete();
    answer.delete();
    return probabilities;
  };
}

/** @returns the number of calls in a round. */
async function warmUp({ milliseconds, few }) {
  for (let i = 0; i < 2 * few; i++) await globalThis.call(i);
  const before = performance.now();
  for (let i = 0; i < few; i++) await globalThis.call(i);
  return Math.max(few, Math.ceil((few * milliseconds) / (performance.now() - before)));
}

async function callAll(calls) {
  for (let i = 0; i < calls; i++) await globalThis.call(i);
  const first = Array.from(await globalThis.call(0));
  // A trace that is stopped during a task does not contain that task.
  await new Promise((resolve) => setTimeout(resolve, 50));
  return first;
}

async function contestant(name, { folder, roundMs, ...problem }, load, folders = {}) {
  const page = await openPage({ "/data/": folder, ...folders });
  try {
    await page.evaluate(load, problem);
    const { result: calls } = await page.evaluate(warmUp, { milliseconds: roundMs, few: sized(20, 1) });
    return {
      name: `${name} in ${page.version}`,
      close: page.close,
      async round() {
        const { result: first, tasks } = await page.evaluate(callAll, calls);
        return { value: (1000 * tasks.reduce((sum, { cpu }) => sum + cpu, 0)) / (calls + 1), first };
      },
    };
  } catch (error) {
    await page.close();
    throw error;
  }
}

/** The judge: compares the probabilities of the first batch. */
export function comparePages(ours, theirs) {
  const [mine, other] = [ours, theirs].map(({ rounds }) => rounds[0].first);
  const apart = mine.reduce((most, p, i) => Math.max(most, Math.abs(p - other[i])), 0);
  return {
    text: `probabilities differ by ${apart.toExponential(1)} at most (may by 1e-5)`,
    passed: mine.length === other.length && apart <= 1e-5,
  };
}

/** Our side of a problem of predictions.mjs. */
export const oursInPage = (problem) => contestant("ergodic", problem, loadOurs);

/** Returns the float32 arrays of a saved model (safetensors) and their shapes, by name. */
function networkOf(file) {
  const bytes = readFileSync(file);
  const start = 8 + Number(bytes.readBigUInt64LE());
  const { __metadata__, ...tensors } = JSON.parse(bytes.subarray(8, start));
  const all = Object.entries(tensors).filter(([, { dtype }]) => dtype === "F32");
  const numbers = all.map(
    ([
      name,
      {
        data_offsets: [from, to],
      },
    ]) => [name, new Float32Array(new Uint8Array(bytes.subarray(start + from, start + to)).buffer)],
  );
  return { numbers: Object.fromEntries(numbers), shapes: Object.fromEntries(all.map(([name, { shape }]) => [name, shape])) };
}

/** LiteRT.js. @throws Skipped if it is not installed */
export async function liteRt(problem) {
  let main;
  try {
    main = createRequire(import.meta.url).resolve(LITERT);
  } catch {
    throw new Skipped(`Node lacks ${LITERT}; install the peers with bench/peers/install.sh`);
  }
  const { build } = await import("esbuild");
  const { folder, batch, rowShape } = problem;
  await build({ entryPoints: [main], outfile: join(folder, "litert.js"), bundle: true, format: "esm", logLevel: "error" });
  const strides = rowShape.length === 3 ? STRIDES : undefined;
  writeFileSync(join(folder, "model.tflite"), await tfliteOf(networkOf(problem.model), { rowShape, batch, strides }));
  const root = dirname(dirname(main));
  const { version } = createRequire(import.meta.url)(join(root, "package.json"));
  return contestant(`LiteRT.js ${version}`, problem, loadTheirs, { "/litert/": root });
}
