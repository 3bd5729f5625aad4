import { type Explanation, explain as explainFunction, explainProgram } from "../engine/compiler/array/explain.ts";
import type { Arrays, FunctionOptions, Shapes } from "../engine/compiler/array/function.ts";
import type { Shape, SymbolicArray } from "../engine/compiler/array/symbolic.ts";
import { checkChoice, checkNumbers, made, refuse } from "../engine/errors/checks.ts";
import { checkKeys, checkNumber } from "../engine/errors/errors.ts";
import { lossOfRows, type NetworkModel } from "./models/neural/network.ts";
import { layOutParameters, outputsOf, updateProgram } from "./models/neural/programs.ts";

/** Properties of a network's rows and outputs that `explain` needs. */
export interface RowFacts {
  /** Shape of one row, e.g. [28, 28, 1]. */
  readonly rowShape: Shape;
  /** Number of outputs: 1 for a numeric target or two classes, otherwise the number of classes. */
  readonly outputs: number;
  /** Number of rows per update. Default: 64. */
  readonly batch?: number;
  /** Arithmetic precision. Default "f32". */
  readonly precision?: "f32" | "f64";
}

/**
 * explain(network, rows) and explain(shapes, f): describes how the compiler translates a model or a function, as text.
 * The stages are trace, gradient, schedule, memory and code (compiler/array/explain.ts).
 *
 *   console.log(String(explain(network(mlp([256], { outputs: 10 })), { rowShape: [784], outputs: 10 })));
 *
 * @param model network to describe
 * @param rows shape of one row and number of outputs
 * @param shapes shapes of the function's inputs by name
 * @param f function of symbolic arrays to describe
 * @param options precision, and the inputs by which to differentiate (`gradient`)
 * @throws the compiler's errors
 */
function explain(model: NetworkModel, rows: RowFacts): Explanation;
function explain<const S extends Shapes>(
  shapes: S,
  f: (inputs: Arrays<S>) => SymbolicArray | Readonly<Record<string, SymbolicArray>>,
  options?: FunctionOptions<S>,
): Explanation;
function explain(
  given: NetworkModel | Shapes,
  second: RowFacts | ((inputs: Arrays<Shapes>) => SymbolicArray | Readonly<Record<string, SymbolicArray>>),
  options?: FunctionOptions<Shapes>,
): Explanation {
  return typeof second === "function"
    ? explainFunction(given as Shapes, second, options)
    : explainNetwork(given as NetworkModel, second);
}

function explainNetwork(model: NetworkModel, rows: RowFacts): Explanation {
  const { layers, options } = made("explain", model, "layers", "a network, or shapes before a function", "network([…])");
  checkKeys("explain", rows, ["rowShape", "outputs", "batch", "precision"]);
  const { rowShape, outputs, batch = 64, precision = "f32" } = rows;
  if (!Array.isArray(rowShape) || rowShape.length === 0)
    refuse("explain", "rowShape", rowShape, "the shape of a row", "rowShape: [28, 28, 1]");
  checkNumbers("explain", "rowShape", rowShape, { low: 1, integer: true }, "rowShape: [28, 28, 1]");
  checkChoice("explain", "precision", precision, ["f32", "f64"]);
  checkNumber("explain", "outputs", outputs, { low: 1, integer: true });
  checkNumber("explain", "batch", batch, { low: 1, integer: true });
  const facts = { network: layers, loss: lossOfRows(options, outputs), outputs, rowShape, scale: { mean: 0, factor: 1 } };
  const layout = layOutParameters(outputsOf(facts, 2, true));
  const { z } = outputsOf(facts, batch, true);
  return explainProgram(updateProgram(facts, batch, precision, layout), { z });
}

export type { Explanation };
export { explain };
