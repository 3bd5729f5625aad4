/**
 * onnxruntime-web (WebAssembly) or onnxruntime-node, on one thread: microseconds of processor time per call with a
 * batch, or milliseconds from the import to the first answer (`cold`).
 */
import { meanSquare, timedCalls } from "../timing.mjs";
import { floats, packages, problem, serve, versionOf } from "./lines.mjs";

const { runtime, onnx, rows: path, batch, width, sets, roundMs, cold } = problem;
const rows = floats(path);
const before = performance.now();
const [module] = await packages(runtime);
const ort = module.default ?? module;
if (runtime === "onnxruntime-web") ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(onnx, { intraOpNumThreads: 1, interOpNumThreads: 1 });

async function call(i) {
  const from = (i % sets) * batch * width;
  const columns = new ort.Tensor("float32", rows.subarray(from, from + batch * width), [batch, width]);
  const { probabilities } = await session.run({ columns }, ["probabilities"]);
  return probabilities.data;
}

const first = await call(0);
const firstMs = performance.now() - before;
await serve(`${runtime} ${versionOf(runtime)}`, async () => {
  if (cold) return { value: firstMs, loss: meanSquare(first) };
  const value = await timedCalls(call, roundMs);
  return { value, loss: meanSquare(await call(0)) };
});
