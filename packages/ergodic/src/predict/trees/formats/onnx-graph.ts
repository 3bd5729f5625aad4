/**
 * Finds the trees in the graph of an ONNX file: one node TreeEnsembleRegressor or TreeEnsembleClassifier between nodes
 * that convert types, name classes or scale scores to a sum of 1. Field numbers are those of onnx.proto.
 */

import { DataError } from "../../../engine/errors/errors.ts";
import { checkPart, type Origin, shownPart, unsupported } from "./faults.ts";
import { MOST_COLUMNS } from "./foreign-trees.ts";
import { Message } from "./protobuf.ts";

const [FLOAT, DOUBLE] = [1, 11];

/** The node with the trees, and the rest of its graph. */
export interface TreeGraph {
  readonly operator: "TreeEnsembleRegressor" | "TreeEnsembleClassifier";
  readonly attributes: Attributes;
  /** Type of the graph's input, and of the input of the trees. */
  readonly input: "f32" | "f64";
  readonly compared: "f32" | "f64";
  /** Number of columns, if the graph states it. */
  readonly columns: number | undefined;
  /** Whether scores are scaled to a sum of 1. */
  readonly isNormalised: boolean;
}

export function treeGraph(bytes: Uint8Array, origin: Origin): TreeGraph {
  const graph = new Message(bytes, origin).message(7);
  const nodes = graph.messages(1);
  const operators = nodes.map((node) => node.text(4));
  const at = operators.findIndex((name) => name === "TreeEnsembleRegressor" || name === "TreeEnsembleClassifier");
  const other = operators.find((name, k) => k !== at && !["Cast", "Identity", "ZipMap", "Normalizer"].includes(name));
  if (at < 0 || other !== undefined) throw notTrees(origin, other ?? operators[0]);
  const constants = new Set(graph.messages(5).map((tensor) => tensor.text(8)));
  const inputs = graph.messages(11).filter((input) => !constants.has(input.text(1)));
  if (inputs.length !== 1)
    throw unsupported(origin, `${inputs.length} inputs`, "convert the model with one input for all columns");
  const tensor = inputs[0].message(2).message(1);
  const type = tensor.integer(1) === DOUBLE ? "f64" : "f32";
  const compared = typeBefore(nodes, at, inputs[0].text(1), type, origin);
  const [tree] = nodes.slice(at, at + 1);
  return {
    operator: operators[at] as TreeGraph["operator"],
    attributes: new Attributes(tree, origin),
    input: type,
    compared,
    columns: columnsOf(tensor, origin),
    isNormalised: normalises(nodes.slice(at + 1), tree, origin),
  };
}

/** The existing advice for models that this library does not run, with the operator that it cannot run. */
function notTrees({ where }: Origin, operator: string | undefined): DataError {
  const which = operator === undefined ? "" : ` with the operator ${JSON.stringify(operator.slice(0, 60))}`;
  const advice = "run it with onnxPredictor of @ergodic/serve/onnx, in a page with onnxruntime-web";
  return new DataError(where, `is an ONNX model${which}; ${advice}`, "MODEL_FORMAT");
}

function columnsOf(tensor: Message, origin: Origin): number | undefined {
  const sizes = tensor.message(2).messages(1);
  const columns = sizes[1]?.integer(1);
  if (columns === undefined || columns === 0) return undefined;
  const fits = columns > 0 && columns <= MOST_COLUMNS && sizes.length === 2;
  checkPart(origin, fits, `has an input of ${columns} columns in ${sizes.length} axes`);
  return columns;
}

/** Follows the input to the trees, and returns the type in which they compare. */
function typeBefore(nodes: readonly Message[], at: number, input: string, type: "f32" | "f64", origin: Origin): "f32" | "f64" {
  let [name, now] = [input, type];
  for (const node of nodes.slice(0, at)) {
    const fits = node.texts(1)[0] === name && ["Cast", "Identity"].includes(node.text(4));
    if (!fits) throw unsupported(origin, `the operator ${node.text(4)} before its trees`, "convert the model without it");
    if (node.text(4) === "Cast") {
      const to = new Attributes(node, origin).integer("to", FLOAT);
      if (to !== FLOAT && to !== DOUBLE)
        throw unsupported(origin, `a Cast to type ${to} before its trees`, "convert it to float");
      now = to === DOUBLE ? "f64" : "f32";
    }
    name = node.texts(2)[0];
  }
  checkPart(origin, nodes[at].texts(1)[0] === name, "has trees that do not read its input");
  return now;
}

/** Checks the nodes after the trees, and returns whether one of them scales scores to a sum of 1. */
function normalises(nodes: readonly Message[], tree: Message, origin: Origin): boolean {
  const names = new Set(tree.texts(2));
  let found = false;
  for (const node of nodes) {
    checkPart(origin, names.has(node.texts(1)[0]), `has a node ${node.text(4)} that does not read the trees`);
    for (const name of node.texts(2)) names.add(name);
    if (node.text(4) !== "Normalizer") continue;
    const norm = new Attributes(node, origin).text("norm", "MAX");
    if (norm !== "L1") throw unsupported(origin, `a Normalizer with the norm ${JSON.stringify(norm)}`, "convert it with L1");
    found = true;
  }
  return found;
}

/** Attributes of a node, by name. */
export class Attributes {
  readonly #origin: Origin;
  readonly #all: ReadonlyMap<string, Message>;

  constructor(node: Message, origin: Origin) {
    this.#origin = origin;
    this.#all = new Map(node.messages(5).map((attribute) => [attribute.text(1), attribute]));
  }

  text(name: string, otherwise: string): string {
    const own = this.#all.get(name);
    return own ? own.text(4) : otherwise;
  }

  integer(name: string, otherwise: number): number {
    return this.#all.get(name)?.integer(3) ?? otherwise;
  }

  /** A list of strings. Absent lists are empty. */
  texts(name: string): string[] {
    return this.#all.get(name)?.texts(9) ?? [];
  }

  /** A list of `count` whole numbers. Without `count`, an absent list is empty. */
  integers(name: string, count?: number): number[] {
    return this.#counted(name, this.#all.get(name)?.integers(8) ?? [], count);
  }

  /** A list of `count` numbers in float32, or in float64 if the attribute NAME_as_tensor has them. */
  numbers(name: string, count?: number): { values: ArrayLike<number>; isDouble: boolean } {
    const tensor = this.#all.get(`${name}_as_tensor`)?.message(5);
    if (!tensor) return { values: this.#counted(name, this.#all.get(name)?.floats(7) ?? [], count), isDouble: false };
    const type = tensor.integer(2);
    checkPart(
      this.#origin,
      type === FLOAT || type === DOUBLE,
      `has "${name}_as_tensor" of type ${shownPart(type)}, but floats are wanted`,
    );
    const isDouble = type === DOUBLE;
    const raw = new Message(wrapped(tensor.bytes(9)), this.#origin);
    const inRaw = tensor.has(9);
    const values = isDouble ? (inRaw ? raw.doubles(1) : tensor.doubles(10)) : inRaw ? raw.floats(1) : tensor.floats(4);
    return { values: this.#counted(name, values, count), isDouble };
  }

  #counted<T>(name: string, values: T[], count: number | undefined): T[] {
    const fits = count === undefined || values.length === count;
    checkPart(this.#origin, fits, `has ${values.length} values in "${name}", but ${count} are wanted`);
    return values;
  }
}

/** Returns a message whose field 1 is these bytes, so that packed numbers are read in one way. */
function wrapped(bytes: Uint8Array): Uint8Array {
  const head = [10];
  let left = bytes.length;
  for (; left > 127; left = Math.floor(left / 128)) head.push((left % 128) + 128);
  const whole = new Uint8Array(head.length + 1 + bytes.length);
  whole.set([...head, left]);
  whole.set(bytes, head.length + 1);
  return whole;
}
