/** Small ONNX files for tests, made by our own writer, and the location of onnxruntime-node. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { type Dimension, Graph, type TypeName } from "../../src/onnx/graph.ts";
import type { OnnxPredictor, OnnxTensor } from "../../src/onnx/index.ts";
import { producerOf } from "../../src/onnx/producer.ts";

/** scripts/prepare-tests.mjs installs the package without its install script. */
export const runtime = fileURLToPath(
  new URL("../../../../node_modules/.cache-node/onnxruntime/node_modules/onnxruntime-node", import.meta.url),
);
export const hasRuntime = existsSync(runtime);
if (!hasRuntime)
  console.error(
    "tests: SKIPPED what runs onnxruntime-node: it is not under node_modules/.cache-node (CI=true npm test brings it)",
  );

/** y = x of any type. */
export function same(type: TypeName, shape: readonly Dimension[]): Uint8Array {
  const graph = new Graph();
  graph.node("Identity", [graph.input("x", type, shape)], {}, "y");
  graph.output("y", type, shape);
  return graph.toBytes({}, "0");
}

/** sum [batch, 1] = Σ a, product [batch, 3] = a · b. */
export function two(): Uint8Array {
  const graph = new Graph();
  const [a, b] = ["a", "b"].map((name) => graph.input(name, "float32", ["batch", 3]));
  graph.node("ReduceSum", [a, graph.constant("int64", [1])], { keepdims: 1 }, "sum");
  graph.node("Mul", [a, b], {}, "product");
  graph.output("sum", "float32", ["batch", 1]);
  graph.output("product", "float32", ["batch", 3]);
  return graph.toBytes({}, "0");
}

/**
 * steps, int64 []: y = x after that many additions of 0, about 100 ns to 1 µs each, so that a run can have any length.
 */
export function slow(): Uint8Array {
  const graph = new Graph();
  const steps = graph.input("steps", "int64", []);
  const body = new Graph(graph);
  body.input("i", "int64", []);
  const go = body.input("go", "bool", []);
  const carried = body.input("carried", "float32", ["batch"]);
  body.output(body.node("Identity", [go]), "bool", []);
  body.output(body.node("Add", [carried, graph.scalar("float32", 0)]), "float32", ["batch"]);
  graph.nodes("Loop", [steps, "", graph.input("x", "float32", ["batch"])], ["y"], { body });
  graph.output("y", "float32", ["batch"]);
  return graph.toBytes({}, "0");
}

/** The part of onnxruntime-node that is used here. */
interface Runtime {
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> };
  readonly Tensor: new (type: string, data: OnnxTensor["data"], shape: readonly number[]) => object;
}
interface Session {
  readonly inputMetadata: OnnxPredictor["inputs"];
  readonly outputMetadata: OnnxPredictor["outputs"];
  run(feeds: Record<string, object>): Promise<Record<string, Omit<OnnxTensor, "shape"> & { dims: number[] }>>;
}

/**
 * Opens a model in this process, for tests of many models that are not about the child process. The result has only the
 * properties that serve reads when it decides whether requests can be joined.
 */
export async function inThisProcess(model: Uint8Array): Promise<OnnxPredictor> {
  const { InferenceSession, Tensor } = createRequire(import.meta.url)(runtime) as Runtime;
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 4 });
  const run: OnnxPredictor["run"] = async (inputs) => {
    const feeds = Object.entries(inputs).map(([name, { type, shape, data }]) => [name, new Tensor(type, data, shape)]);
    const made = Object.entries(await session.run(Object.fromEntries(feeds)));
    return Object.fromEntries(made.map(([name, { type, dims, data }]) => [name, { type, shape: dims, data }]));
  };
  return {
    inputs: session.inputMetadata,
    outputs: session.outputMetadata,
    producer: producerOf(model),
    timeoutMs: 30_000,
    run,
  } as unknown as OnnxPredictor;
}
