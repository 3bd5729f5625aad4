/**
 * Program of the child process that holds one ONNX model: loads it, then answers runs one after another. The file is
 * plain JavaScript, so that Node can run it directly.
 *
 * Requests: { load } first, then { id, inputs, outputs }. Answers: { loaded } or { failed }, then { id, outputs } or {
 * id, wrong }. Tensors are { type, shape, data }.
 */
import { Worker } from "node:worker_threads";

/**
 * @typedef {{ type: string, shape: readonly number[], data: ArrayBufferView | readonly string[] }} Tensor
 * @typedef {{ module: string, model: string | Uint8Array, threads: number }} Load
 * @typedef {{ id: number, inputs: Record<string, Tensor>, outputs: string[] }} Asked
 */

// A run blocks this thread, so another thread ends the process if its parent dies.
const watching = `
const parent = process.ppid;
setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, "SIGKILL"); }, 500);
`;
new Worker(watching, { eval: true, stdin: false }).unref();
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
// Ctrl-C in a terminal is for the parent, which closes its children in order.
process.on("SIGINT", () => {});

/** @type {any} */
let ort;
/** @type {any} */
let session;

/** @param {unknown} message */
const say = (message) => void process.send?.(message);

/** @param {unknown} error */
const saidBy = (error) => (error instanceof Error ? error.message : String(error));

/** @param {Load} given */
async function load({ module, model, threads }) {
  const found = await import(module);
  ort = found.default ?? found;
  session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    executionProviders: ["cpu"],
    logSeverityLevel: 4,
  });
  say({ loaded: { inputs: session.inputMetadata, outputs: session.outputMetadata } });
}

/**
 * 16-bit numbers are sent as bits, because only newer hosts have arrays of them.
 * @param {Tensor} tensor
 */
function toTensor({ type, shape, data }) {
  const { Float16Array: Halves } = /** @type {any} */ (globalThis);
  const own =
    type === "float16" && Halves && data instanceof Uint16Array ? new Halves(data.buffer, data.byteOffset, data.length) : data;
  return new ort.Tensor(type, own, shape);
}

/**
 * @param {{ type: string, dims: readonly number[], data: any }} tensor
 * @returns {Tensor}
 */
function fromTensor({ type, dims, data }) {
  const isHalves = type === "float16" && !(data instanceof Uint16Array);
  return { type, shape: [...dims], data: isHalves ? new Uint16Array(data.buffer, data.byteOffset, data.length) : data };
}

/** @param {Asked} asked */
async function run({ id, inputs, outputs }) {
  try {
    const feeds = Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [name, toTensor(tensor)]));
    const made = await session.run(feeds, outputs);
    say({ id, outputs: Object.fromEntries(outputs.map((name) => [name, fromTensor(made[name])])) });
  } catch (error) {
    say({ id, wrong: saidBy(error) });
  }
}

process.on("message", (/** @type {any} */ message) => {
  if (message.load) load(message.load).catch((error) => say({ failed: saidBy(error), code: error?.code }));
  else run(message);
});
