import { CapabilityError, type LinearPredictor, type NetworkPredictor, OptionError, type TreesPredictor } from "ergodic";
import { networkGraph } from "ergodic/extend";
import { type Calibration, writeCalibrated } from "./calibration.ts";
import { Graph, TYPES } from "./graph.ts";
import { writeNetwork } from "./network.ts";
import { as, rawColumns, writePipeline } from "./pipeline.ts";
import { writeTrees } from "./trees.ts";

/** A matrix of outputs or predictions, whose first axis is the rows. */
interface Matrix {
  readonly name: string;
  readonly type: "float32" | "float64";
}

const VERSION = "0.1.0";

/**
 * Converts a linear model, a network or trees to an ONNX file (opset 17), for onnxruntime and other runtimes.
 *
 * The input is `columns`, float32 [batch, raw columns], in the order of the model's raw columns. Numbers are given
 * unchanged. A category is given as the index of its level. Any other number means an unknown level. If the model fills
 * gaps, NaN means a missing cell. If the model's rows have an offset, there is a second input `offset`, float32 [batch,
 * 1]. This offset is added to the output before the link. The outputs:
 *
 *   classes    `probabilities`, float32 [batch, classes]; `class`, int64 [batch], the index of the most probable class
 *   by sign    `scores`, float32 [batch, 1 or classes]; `class`
 *   numbers    `value`, float32 [batch, 1]
 *
 * The metadata contain, as JSON: "classes", the names of classes, or null; "columns", the raw columns, with the levels
 * of categories. "target", "task" and "offset" are strings. "offset" is the name of the column with the offset, and
 * exists only if rows have one. Steps of the pipeline, linear models and calibration use float64. Networks use float32,
 * with batch normalisation folded into the weights. Trees become one TreeEnsembleRegressor, which adds in float32; trees
 * that divide categories are refused. If the model is calibrated, so are the probabilities.
 *
 * @throws CapabilityError [ONNX_MODEL, ONNX_STEP, ONNX_OPERATION, LAYER_FUNCTION] for parts that ONNX cannot express,
 * by name, including conformal sets; MemoryLimitError above 2 GB
 *
 * @example
 * ```ts
 * await writeFile("income.onnx", toOnnx(await predictor("income.safetensors")));
 * ```
 */
export function toOnnx(model: LinearPredictor | NetworkPredictor | TreesPredictor): Uint8Array {
  const { kind } = checkModel(model);
  const { pipeline, classes } = model;
  const graph = new Graph();
  const raw = rawColumns(pipeline.steps, pipeline.inputs);
  graph.input("columns", "float32", ["batch", raw.length]);
  const prepared = writePipeline(graph, pipeline.steps, raw, "columns");
  const plain =
    kind === "linear"
      ? linearOutputs(graph, model as LinearPredictor, prepared)
      : kind === "trees"
        ? treesOutputs(graph, model as TreesPredictor, prepared)
        : networkOutputs(graph, model as NetworkPredictor, prepared);
  const { offset } = pipeline.steps[0] as { offset?: string };
  const z = offset === undefined ? plain : withOffset(graph, plain);
  const { link } = model.description as { link: string };
  if (classes)
    writeClasses(graph, z, link, { count: classes.length, binary: model.task === "binary" }, calibrationOf(model).probabilities);
  else give(graph, link === "exp" ? { ...z, name: graph.node("Exp", [z.name]) } : z, "value", 1);
  return graph.toBytes(
    {
      classes: JSON.stringify(classes ?? null),
      columns: JSON.stringify(raw),
      target: model.targetName,
      task: model.task,
      ...(offset === undefined ? {} : { offset }),
    },
    VERSION,
  );
}

function checkModel(model: unknown): { kind: "linear" | "network" | "trees" } {
  const { kind } = (typeof model === "object" && model !== null ? model : {}) as { kind?: unknown };
  if (kind === "linear" || kind === "network" || kind === "trees") {
    const { classes } = model as LinearPredictor;
    if (calibrationOf(model as LinearPredictor).conformal !== undefined)
      throw refused(
        `has conformal ${classes ? "sets" : "intervals"}, which an ONNX file cannot return`,
        "export the model from before conformal() or ergodic calibrate --alpha",
      );
    return { kind };
  }
  if (typeof kind === "string")
    throw refused(`is a ${kind}, but only linear models, networks and trees can be exported`, "use ergodic to predict with it");
  throw new OptionError(
    "toOnnx",
    `the model is ${model === null ? "null" : typeof model}, but must be a predictor: await predictor("model.safetensors")`,
    "OPTION_TYPE",
  );
}

/** Returns the calibration in the model's description. */
const calibrationOf = ({
  description,
}: Pick<LinearPredictor, "description">): { probabilities?: Calibration; conformal?: unknown } =>
  (description.calibration ?? {}) as object;

const refused = (what: string, advice: string): CapabilityError =>
  new CapabilityError("toOnnx", `the model ${what}; ${advice}`, "ONNX_MODEL");

/** x·weightsᵀ + intercept in float64. */
function linearOutputs(graph: Graph, { weights, intercept }: LinearPredictor, prepared: Matrix): Matrix {
  const x = as(graph, prepared, "float64");
  const outputs = intercept.length;
  const columns = weights.length / outputs;
  const turned = Float64Array.from(
    { length: weights.length },
    (_, i) => weights[(i % outputs) * columns + Math.floor(i / outputs)],
  );
  const product = graph.node("MatMul", [x.name, graph.constant("float64", turned, [columns, outputs], "weights")]);
  return { name: graph.node("Add", [product, graph.constant("float64", intercept, [1, outputs], "intercept")]), type: "float64" };
}

function networkOutputs(graph: Graph, model: NetworkPredictor, prepared: Matrix): Matrix {
  const x = as(graph, prepared, "float32");
  const { rowShape } = model;
  const shaped = rowShape.length === 1 ? x.name : graph.node("Reshape", [x.name, graph.constant("int64", [-1, ...rowShape])]);
  return { name: writeNetwork(graph, networkGraph(model), shaped), type: "float32" };
}

const treesOutputs = (graph: Graph, model: TreesPredictor, prepared: Matrix): Matrix => ({
  name: writeTrees(graph, model, as(graph, prepared, "float32").name),
  type: "float32",
});

/**
 * Adds the offset of each row to z, for a model with one output. The offset is joined to z by Concat, because Concat
 * refuses a wrong number of rows. A direct addition would silently add a single offset to all rows.
 */
function withOffset(graph: Graph, z: Matrix): Matrix {
  const offset = as(graph, { name: graph.input("offset", "float32", ["batch", 1]), type: "float32" }, z.type);
  const both = graph.node("Concat", [z.name, offset.name], { axis: 1 });
  return { ...z, name: graph.node("ReduceSum", [both, graph.constant("int64", [1])], { keepdims: 1 }) };
}

/**
 * Applies the link to the outputs z, [rows, outputs], or writes calibrated probabilities. Also writes the most probable
 * class, which is the first one if several are equally probable. A temperature does not change the class.
 */
function writeClasses(
  graph: Graph,
  given: Matrix,
  link: string,
  { count, binary }: { count: number; binary: boolean },
  calibration: Calibration | undefined,
): void {
  const z = calibration ? as(graph, given, "float64") : given;
  const axis = graph.constant("int64", [1]);
  const number = (value: number): string => graph.scalar(z.type, value);
  const likeliest = (scores: string): string => graph.node("ArgMax", [scores], { axis: 1, keepdims: 0 }, "class");
  graph.output("class", "int64", ["batch"]);
  if (link === "sign") {
    const width = count === 2 && binary ? 1 : count;
    if (width > 1) likeliest(z.name);
    else {
      const above = graph.node("Cast", [graph.node("Greater", [z.name, number(0)])], { to: TYPES.int64 });
      graph.node("Squeeze", [above, axis], {}, "class");
    }
    give(graph, z, "scores", width);
    return;
  }
  const isOne = count === 2 && (link === "sigmoid" || binary);
  let p = z.name;
  if (link !== "probabilities")
    p = graph.node(link === "softmax" ? "Softmax" : "Sigmoid", [z.name], link === "softmax" ? { axis: 1 } : {});
  if (isOne) p = graph.node("Concat", [graph.node("Sub", [number(1), p]), p], { axis: 1 });
  if (link === "sigmoidNormalised" || (link === "probabilities" && !isOne)) {
    const total = graph.node("ReduceSum", [p, axis], { keepdims: 1 });
    const share = graph.node("Div", [p, total]);
    p = graph.node("Where", [graph.node("Greater", [total, number(0)]), share, number(1 / count)]);
  }
  const calibrated = calibration ? writeCalibrated(graph, z.name, link, calibration, count) : p;
  likeliest(calibration?.method === "isotonic" ? calibrated : p);
  give(graph, { name: calibrated, type: z.type }, "probabilities", count);
}

/** Writes the model's output with this name, in float32. */
function give(graph: Graph, { name, type }: Matrix, called: string, width: number): void {
  if (type === "float32") graph.node("Identity", [name], {}, called);
  else graph.node("Cast", [name], { to: TYPES.float32 }, called);
  graph.output(called, "float32", ["batch", width]);
}
