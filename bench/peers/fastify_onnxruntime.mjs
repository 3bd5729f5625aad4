/**
 * The server that one writes in a few lines: Fastify, and a run of onnxruntime-node per request. It reads and answers
 * the binary Open Inference Protocol without checks.
 */
import { serverFigures } from "../timing.mjs";
import { packages, problem, serve, versionOf } from "./lines.mjs";
import { readRequest, writeAnswer } from "./v2.mjs";

const [{ default: fastify }, module] = await packages("fastify", "onnxruntime-node");
const ort = module.default ?? module;
const session = await ort.InferenceSession.create(problem.onnx, { intraOpNumThreads: 1, interOpNumThreads: 1 });
const app = fastify({ keepAliveTimeout: 65_000, bodyLimit: 2 ** 28 });
app.removeAllContentTypeParsers();
app.addContentTypeParser("*", { parseAs: "buffer" }, (_, body, done) => done(null, body));
app.post("/v2/models/:model/infer", async (request, reply) => {
  const { id, shape, values } = readRequest(request.body, Number(request.headers["inference-header-content-length"]));
  const { probabilities } = await session.run({ columns: new ort.Tensor("float32", values, shape) }, ["probabilities"]);
  const { bytes, jsonLength } = writeAnswer(id, probabilities.dims, probabilities.data);
  return reply
    .header("content-type", "application/octet-stream")
    .header("inference-header-content-length", jsonLength)
    .send(bytes);
});
await app.listen({ port: 0, host: "127.0.0.1" });
await serve(`Fastify ${versionOf("fastify")} with onnxruntime-node ${versionOf("onnxruntime-node")}`, serverFigures(), {
  port: app.server.address().port,
});
