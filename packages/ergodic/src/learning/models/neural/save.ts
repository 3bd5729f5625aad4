/**
 * Saves a trained network as plain data: its prediction program as a plan of kernels (compiler/array/serialise.ts), and
 * the weights that it uses.
 *
 * Values that depend only on parameters are computed here, once. A factor per channel that follows a product or a
 * convolution is folded into the weights. Batch normalisation therefore needs no computation when the network predicts.
 */

import { arraysBelow, input, interpret, type Shape, type SymbolicArray } from "../../../engine/compiler/array/index.ts";
import type { ArrayProgram } from "../../../engine/compiler/array/lowered.ts";
import { expressionOf } from "../../../engine/compiler/array/operations/map-reduce.ts";
import { arrayPrimitiveOf } from "../../../engine/compiler/array/primitive.ts";
import { type EncodedPlan, encodePlan } from "../../../engine/compiler/array/serialise.ts";
import { substituteArrays } from "../../../engine/compiler/array/substitute.ts";
import { add, type Expr, mul, scalar } from "../../../engine/compiler/index.ts";
import type { Json, JsonObject, Link, SavedModel, Tensor } from "../../../engine/contract/index.ts";
import type { Dataset } from "../../../engine/data/dataset.ts";
import { CompileError } from "../../../engine/errors/errors.ts";
import { twoValues } from "../choose-loss.ts";
import { layOutParameters, type NetworkFacts, outputsOf, type ParameterLayout } from "./programs.ts";
import { scalesJson } from "./scales.ts";

/** Arrays of numbers in a file. Each array is stored under the node that it replaces. */
export type Weights = Map<SymbolicArray, { readonly name: string; readonly values: Float64Array }>;

const NONE = new Float64Array(0);

/**
 * Products and convolutions. In both, argument 1 is the weights. The last axis of the weights is the channels of the
 * result.
 */
const WEIGHTED = new Set(["matmul", "convolution", "depthwise"]);

export function saveNetwork(facts: NetworkFacts, model: JsonObject, data: Dataset, parameters: Float64Array): SavedModel {
  const { loss, outputs, rowShape } = facts;
  const layout = layOutParameters(outputsOf(facts, 2, true));
  const values = valuesOf(layout, parameters);
  const weights: Weights = new Map();
  const { plan, constants } = encodeRows((batch) => predictionProgram(facts, batch, values, weights));
  const link: Link = outputs > 1 && !loss.joint ? (loss.link === "sigmoid" ? "sigmoidNormalised" : "sign") : loss.link;
  const used = new Set(plan.values.flatMap(({ home }) => (home.kind === "buffer" ? [home.name] : [])));
  const numbers = [...weights].filter(([, { name }]) => used.has(name)).map(([{ shape }, kept]) => ({ shape, ...kept }));
  return {
    kind: "network",
    description: {
      model,
      loss: loss.toJSON(),
      equation: loss.equation,
      task: outputs > 1 ? "multiclass" : loss.task,
      link,
      target: {
        name: data.target.name,
        levels: data.target.levels ?? (loss.task === "binary" ? twoValues(data.target.values) : null),
      },
      rowShape: [...rowShape],
      outputs,
      parameters: layout.parameters.reduce((sum, p) => sum + p.size, 0),
      scales: scalesJson(facts),
      shapes: Object.fromEntries(numbers.map(({ name, shape }) => [name, [...shape]])),
      program: plan as unknown as Json,
      pipeline: data.pipeline.toJSON() as Json,
    },
    tensors: Object.fromEntries([
      ...Object.entries(constants).map(([name, numbers]): [string, Tensor] => [name, Float32Array.from(numbers)]),
      ...numbers.map(({ name, values }): [string, Tensor] => [name, Float32Array.from(values)]),
    ]),
  };
}

/** @throws CompileError if the outputs of a row depend on other rows or on random numbers */
function encodeRows(program: (batch: number) => ArrayProgram): EncodedPlan {
  try {
    return encodePlan(program);
  } catch (error) {
    if (!(error instanceof CompileError && error.code === "COMPILE_PLAN")) throw error;
    throw new CompileError(
      "network",
      `a layer draws random numbers or mixes rows during prediction; do so only if scope.training is true. ${error.message.replace(/ \[\w+\]$/, "")}`,
      "COMPILE_PLAN",
    );
  }
}

function valuesOf({ parameters, states }: ParameterLayout, all: Float64Array): Record<string, Float64Array> {
  return Object.fromEntries([
    ...parameters.map((p) => [`parameter:${p.path}`, all.subarray(p.offset, p.offset + p.size)]),
    ...states.map((s) => [`state:${s.path}`, all.subarray(s.offset, s.offset + s.size)]),
  ]);
}

/**
 * Program of z on x for a batch. `weights` collects the values computed from parameters alone, which are the same for
 * every batch. If `values` is not given, only the names of the file's tensors are collected.
 */
export function predictionProgram(
  facts: Omit<NetworkFacts, "loss">,
  batch: number,
  values: Readonly<Record<string, Float64Array>> | undefined,
  weights: Weights,
): ArrayProgram {
  const { z } = outputsOf(facts, batch, false);
  const [folded] = foldFactors(z, batch);
  const replacements = new Map<SymbolicArray, SymbolicArray>();
  for (const node of largestFixed([folded], batch)) {
    const known = weights.get(node) ?? { name: nameOf(node, weights), values: values ? numbersOf(node, values) : NONE };
    weights.set(node, known);
    replacements.set(node, input(known.name, node.shape));
  }
  const [value] = substituteArrays([folded], replacements);
  return { name: "prediction", precision: "f32", outputs: [{ value, buffer: "z", offset: 0 }] };
}

/**
 * Evaluates a node with the interpreter. Networks often contain large products with a factor per channel. These
 * products are computed directly.
 */
function numbersOf(node: SymbolicArray, values: Readonly<Record<string, Float64Array>>): Float64Array {
  const factor = node.args.find(({ rank, size }) => rank === 1 && size === node.shape.at(-1));
  const scaled = node.args.find((arg) => arg !== factor && arg.size === node.size);
  if (!isMap(node, product) || !factor || !scaled) return interpret([node], values)[0];
  const [whole, each] = [numbersOf(scaled, values), numbersOf(factor, values)];
  return whole.map((x, i) => x * each[i % each.length]);
}

/**
 * Name of a parameter: its path. A computed value has the name of the first parameter on which it depends: "0.weight
 * folded".
 */
function nameOf(node: SymbolicArray, weights: Weights): string {
  const first = arraysBelow([node]).find(({ op }) => op === "input")!;
  const path = String(first.attributes).replace(/^\w+:/, "");
  if (node === first) return path;
  const taken = new Set([...weights.values()].map(({ name }) => name));
  let name = `${path} folded`;
  for (let n = 2; taken.has(name); n++) name = `${path} folded ${n}`;
  return name;
}

/** Returns the nodes that depend on parameters but not on the number of rows. */
function fixedNodes(roots: readonly SymbolicArray[], batch: number): Set<SymbolicArray> {
  const fixed = new Set<SymbolicArray>();
  const growsWithRows = (shape: Shape): boolean => shape.some((extent) => extent % batch === 0);
  for (const node of arraysBelow(roots)) {
    const isOwn =
      node.op === "input" ? node.attributes !== "x" : node.op !== "random" && node.args.every((arg) => fixed.has(arg));
    if (isOwn && !growsWithRows(node.shape)) fixed.add(node);
  }
  return fixed;
}

/** Returns the largest fixed nodes that contain a parameter. */
function largestFixed(roots: readonly SymbolicArray[], batch: number): SymbolicArray[] {
  const fixed = fixedNodes(roots, batch);
  const found = new Set<SymbolicArray>();
  for (const node of arraysBelow(roots)) {
    if (fixed.has(node)) continue;
    for (const arg of node.args) if (fixed.has(arg) && holdsParameter(arg)) found.add(arg);
  }
  return [...found];
}

const holdsParameter = (node: SymbolicArray): boolean => arraysBelow([node]).some(({ op }) => op === "input");

/**
 * Rewrites (x W + bias) · factor as x (W · factor) + bias · factor, unless the unscaled value is also used elsewhere.
 */
function foldFactors(root: SymbolicArray, batch: number): SymbolicArray[] {
  const fixed = fixedNodes([root], batch);
  const users = new Map<SymbolicArray, number>();
  const nodes = arraysBelow([root]);
  for (const node of nodes) for (const arg of new Set(node.args)) users.set(arg, (users.get(arg) ?? 0) + 1);
  const made = new Map<SymbolicArray, SymbolicArray>();
  for (const node of nodes) {
    const args = node.args.map((arg) => made.get(arg)!);
    const folded = isMap(node, product) ? foldedInto(node, { users, fixed, made }) : undefined;
    const isSame = args.every((arg, i) => arg === node.args[i]);
    made.set(node, folded ?? (isSame ? node : arrayPrimitiveOf(node).rebuild(node, args)));
  }
  return [made.get(root)!];
}

const isMap = (node: SymbolicArray, expression: Expr): boolean => node.op === "map" && expressionOf(node) === expression;
const product = mul(scalar("0"), scalar("1"));
const term = add(scalar("0"), scalar("1"));

interface Folding {
  readonly users: ReadonlyMap<SymbolicArray, number>;
  readonly fixed: ReadonlySet<SymbolicArray>;
  readonly made: ReadonlyMap<SymbolicArray, SymbolicArray>;
}

function foldedInto(node: SymbolicArray, folding: Folding): SymbolicArray | undefined {
  const { fixed, made } = folding;
  const [scaled, factor] = fixed.has(node.args[1]) ? node.args : [node.args[1], node.args[0]];
  const isFactor = fixed.has(factor) && factor.rank === 1 && factor.size === scaled.shape.at(-1) && scaled.size === node.size;
  return isFactor ? timesFactor(scaled, made.get(factor)!, folding) : undefined;
}

/**
 * Returns x · factor, with the factor folded into the weights of x. Returns undefined if x is not a product or is also
 * used elsewhere.
 */
function timesFactor(x: SymbolicArray, factor: SymbolicArray, folding: Folding): SymbolicArray | undefined {
  const { users, fixed, made } = folding;
  if (fixed.has(x) || users.get(x) !== 1 || x.shape.at(-1) !== factor.size) return undefined;
  if (WEIGHTED.has(x.op)) {
    const [from, weights] = x.args;
    if (!fixed.has(weights) || weights.shape.at(-1) !== factor.size) return undefined;
    return arrayPrimitiveOf(x).rebuild(x, [made.get(from)!, mul(made.get(weights)!, factor)]);
  }
  // A 1 × 1 convolution is a matrix product between two reshapes.
  if (x.op === "reshape") {
    const inner = timesFactor(x.args[0], factor, folding);
    return inner && arrayPrimitiveOf(x).rebuild(x, [inner]);
  }
  if (!isMap(x, term)) return undefined;
  const [sum, bias] = fixed.has(x.args[1]) ? x.args : [x.args[1], x.args[0]];
  if (!fixed.has(bias) || sum.size !== x.size || (bias.size !== 1 && bias.shape.at(-1) !== factor.size)) return undefined;
  const inner = timesFactor(sum, factor, folding);
  return inner && add(inner, mul(made.get(bias)!, factor));
}
