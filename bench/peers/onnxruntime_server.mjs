/**
 * A plain server: Node's HTTP and onnxruntime-node, on the same thread (`runs: "here"`) or in a worker ("threaded"). A
 * request is one run of the model. Numbers are copied to and from the worker, which for a few kilobytes is faster than
 * transferring them. `runs: "nothing"`: answers immediately without a model, to measure the cost of HTTP itself.
 */
import { createServer } from "node:http";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { serverFigures } from "../timing.mjs";
import { packages, problem, serve, versionOf } from "./lines.mjs";
import { readRequest, writeAnswer } from "./v2.mjs";

/** Maps rows and their shape to probabilities and their shape. */
async function openSession(onnx) {
  const [module] = await packages("onnxruntime-node");
  const ort = module.default ?? module;
  const session = await ort.InferenceSession.create(onnx, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  return async (values, shape) => {
    const { probabilities } = await session.run({ columns: new ort.Tensor("float32", values, shape) }, ["probabilities"]);
    return { values: probabilities.data, shape: probabilities.dims };
  };
}

/** The same in another thread, which answers in order. */
async function openWorker(onnx) {
  const worker = new Worker(new URL(import.meta.url), { workerData: onnx, argv: [JSON.stringify(problem)] });
  const waiting = [];
  await new Promise((resolve) => worker.once("message", resolve));
  worker.on("message", (answer) => waiting.shift()(answer));
  return (values, shape) => {
    worker.postMessage({ values, shape });
    return new Promise((resolve) => waiting.push(resolve));
  };
}

const opened = {
  here: openSession,
  threaded: openWorker,
  nothing:
    () =>
    (_, [rows]) => ({ values: new Float32Array(problem.classes * rows), shape: [rows, problem.classes] }),
};

async function listen(run) {
  const server = createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", async () => {
      const body = parts.length === 1 ? parts[0] : Buffer.concat(parts);
      const { id, shape, values } = readRequest(body, Number(request.headers["inference-header-content-length"]));
      const answer = await run(values, shape);
      const { bytes, jsonLength } = writeAnswer(id, answer.shape, answer.values);
      response.writeHead(200, {
        "Content-Type": "application/octet-stream",
        "Content-Length": bytes.length,
        "Inference-Header-Content-Length": jsonLength,
      });
      response.end(bytes);
    });
  });
  // Same timeout as ours.
  server.keepAliveTimeout = 65_000;
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server.address().port;
}

if (isMainThread) {
  const port = await listen(await opened[problem.runs](problem.onnx));
  const version = problem.runs === "nothing" ? "Node's HTTP" : `onnxruntime-node ${versionOf("onnxruntime-node")}`;
  await serve(version, serverFigures(), { port });
} else {
  const run = await openSession(workerData);
  let last = Promise.resolve();
  parentPort.on("message", ({ values, shape }) => {
    last = last.then(async () => parentPort.postMessage(await run(values, shape)));
  });
  parentPort.postMessage("ready");
}
