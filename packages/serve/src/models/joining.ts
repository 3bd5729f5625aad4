/** Decides whether requests to a foreign model can be joined along their first axis. */
import type { OnnxPort, OnnxPredictor } from "../onnx/index.ts";
import type { ProbeInput } from "./probe-rows.ts";
import { rowFault, takesRow } from "./row-check.ts";

/** Decision that is made when the model is loaded. */
export interface Joining {
  readonly joins: boolean;
  /** Reason for the decision, as a sentence without a full stop. */
  readonly because: string;
  /** Whether requests are joined without evidence that rows are independent. Large requests are then not split. */
  readonly isUnchecked?: boolean;
}

export interface JoiningOptions {
  /** Number of rows of the largest batch. */
  readonly maxBatch: number;
  /** The caller's decision for this model. Default: the model is checked. */
  readonly join?: boolean | undefined;
  /** Time for the check in milliseconds. Default 10,000. */
  readonly budgetMs?: number;
  /** Clock. Default: the machine's clock. */
  readonly now?: () => number;
}

const BUDGET_MS = 10_000;
/** Extents that are tried for further axes of variable size, in this order. */
const EXTENTS = [32, 16, 8, 4, 64, 224, 2, 1];

/**
 * The decision is based on the caller's option, on known facts about the model, or on a check of its rows
 * (row-check.ts).
 */
export async function joiningOf(predictor: OnnxPredictor, options: JoiningOptions): Promise<Joining> {
  const { maxBatch, join } = options;
  const apart = (because: string): Joining => ({ joins: false, because });
  if (join === false) return apart("it is set by the option join");
  const fault = axisFault(predictor);
  if (fault !== undefined) return apart(fault);
  if (join === true) return { joins: true, because: "it is set by the option join", isUnchecked: true };
  if (maxBatch === 1) return apart("maxBatch is 1");
  if (isExported(predictor)) return { joins: true, because: "Ergodic exported the model, and its rows are independent" };
  const other = predictor.inputs.find(({ type }) => !isFloat(type));
  if (other) return apart(`its input "${other.name}" is ${other.type}, and only models of floating-point numbers are checked`);
  const found = await rowsFault(predictor, options);
  return found === undefined ? { joins: true, because: "a check found its rows independent" } : apart(found);
}

/** Returns the reason why requests cannot be joined along their first axes. Returns undefined if they can. */
function axisFault({ inputs }: OnnxPredictor): string | undefined {
  if (inputs.length === 0) return "it has no input";
  for (const { name, shape } of inputs) {
    const [first, ...others] = shape;
    if (first === undefined) return `its input "${name}" has no known axis`;
    if (typeof first === "number") return `the first axis of its input "${name}" is fixed at ${first}`;
    if (first !== "" && others.includes(first)) return `its input "${name}" has the axis "${first}" twice`;
  }
  const names = new Set(inputs.map(({ shape }) => shape[0]));
  if (inputs.length > 1 && (names.size > 1 || names.has("")))
    return `the first axes of its inputs may differ: ${inputs.map(({ shape }) => `"${shape[0]}"`).join(", ")}`;
  return undefined;
}

/** Whether the file was written by toOnnx and its inputs and outputs have not been changed since. */
function isExported({ producer, inputs, outputs }: OnnxPredictor): boolean {
  const isOne =
    (names: readonly string[]) =>
    ({ name, shape }: OnnxPort) =>
      names.includes(name) && shape[0] === "batch";
  return (
    producer === "ergodic" &&
    inputs[0].name === "columns" &&
    inputs.every(isOne(["columns", "offset"])) &&
    outputs.every(isOne(["class", "probabilities", "scores", "value"]))
  );
}

const isFloat = (type: string): type is ProbeInput["type"] => ["float16", "float32", "float64"].includes(type);

/**
 * Returns the reason if rows are not independent or could not be checked. Returns undefined if the check found no
 * fault.
 */
async function rowsFault(predictor: OnnxPredictor, { maxBatch, budgetMs = BUDGET_MS, now }: JoiningOptions) {
  const isOpen = predictor.inputs.some(({ shape }) => shape.slice(1).some((extent) => typeof extent === "string"));
  const limits = { maxRows: maxBatch, budgetMs, timeoutMs: predictor.timeoutMs, now: now ?? (() => performance.now()) };
  if (!isOpen) return rowFault(predictor, probesOf(predictor, 1), limits);
  for (const extent of EXTENTS) {
    const inputs = probesOf(predictor, extent);
    if (await takesRow(predictor, inputs)) return rowFault(predictor, inputs, limits);
  }
  return `it computed no row when its flexible axes had size ${EXTENTS.join(", ")}`;
}

/** `extent`: extent used for axes of any size. */
const probesOf = ({ inputs }: OnnxPredictor, extent: number): ProbeInput[] =>
  inputs.map(({ name, type, shape }) => ({
    name,
    type: type as ProbeInput["type"],
    shape: shape.slice(1).map((own) => (typeof own === "string" ? extent : own)),
  }));
