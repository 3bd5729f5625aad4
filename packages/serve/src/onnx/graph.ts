/**
 * An ONNX graph under construction (nodes in the order of computation, constants, inputs and outputs), and the file
 * that contains it.
 *
 * Values are identified by name. Equal short constants are merged. The file does not contain nodes that no output
 * needs. Source: onnx.proto3 and Operators.md of ONNX; opset 17, version 8 of the representation.
 */
import { Message } from "./protobuf.ts";

/** ONNX's numbers for element types. */
export const TYPES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float64: 11,
} as const;

export type TypeName = keyof typeof TYPES;

/** An extent, or its name if the extent is known only when the model runs. */
export type Dimension = number | string;

const OPSET = 17;
const REPRESENTATION = 8;
/** Numbers for attribute kinds. */
const KINDS = { float: 1, integer: 2, graph: 5, floats: 6, integers: 7, texts: 8 } as const;
/** Operators of trees, their domain, and its version. */
const [TREES, TREES_DOMAIN, TREES_VERSION] = [/^TreeEnsemble/, "ai.onnx.ml", 3];

/** An attribute. Numbers are integers, unless they are marked as floats. */
export type Attribute =
  | number
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly texts: readonly string[] }
  | Graph;

interface Node {
  readonly op: string;
  /** Names of the inputs. An empty name means an omitted argument. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

interface Constant {
  readonly type: TypeName;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

interface Port {
  readonly name: string;
  readonly type: TypeName;
  /** Undefined if the extent is not stated. */
  readonly shape: readonly (Dimension | undefined)[];
}

/** Largest size in bytes up to which constants are compared. */
const SHORT = 4096;

/** Data that a graph shares with the graphs that its nodes contain. */
interface Shared {
  count: number;
  readonly constants: Map<string, Constant>;
  readonly known: Map<string, string>;
}

export class Graph {
  readonly #shared: Shared;
  readonly #nodes: Node[] = [];
  readonly #inputs: Port[] = [];
  readonly #outputs: Port[] = [];

  /**
   * `around`: graph whose node contains this one. The constants are stored in that graph, and this graph can refer to
   * its values.
   */
  constructor(around?: Graph) {
    this.#shared = around ? around.#shared : { count: 0, constants: new Map(), known: new Map() };
  }

  input(name: string, type: TypeName, shape: Port["shape"]): string {
    this.#inputs.push({ name, type, shape });
    return name;
  }

  output(name: string, type: TypeName, shape: Port["shape"]): void {
    this.#outputs.push({ name, type, shape });
  }

  /** Returns a name that no other value has. */
  fresh(hint: string): string {
    return `${hint}_${this.#shared.count++}`;
  }

  /** Adds a node and returns the name of its result. */
  node(op: string, inputs: readonly string[], attributes: Node["attributes"] = {}, as = this.fresh(op)): string {
    this.nodes(op, inputs, [as], attributes);
    return as;
  }

  nodes(op: string, inputs: readonly string[], outputs: readonly string[], attributes: Node["attributes"] = {}): void {
    this.#nodes.push({ op, inputs, outputs, attributes });
  }

  /** Adds a constant of this shape, row-major, and returns its name. */
  constant(type: TypeName, values: ArrayLike<number>, shape: readonly number[] = [values.length], hint = "constant"): string {
    const bytes = bytesOf(type, values);
    const key = bytes.length <= SHORT ? `${type} ${shape.join()} ${bytes.join()}` : undefined;
    const before = key === undefined ? undefined : this.#shared.known.get(key);
    if (before !== undefined) return before;
    const name = this.fresh(hint);
    this.#shared.constants.set(name, { type, shape, bytes });
    if (key !== undefined) this.#shared.known.set(key, name);
    return name;
  }

  scalar(type: TypeName, value: number): string {
    return this.constant(type, [value], []);
  }

  /** Returns the file. `metadata`: strings by name, for readers of the model. @throws MemoryLimitError above 2 GB */
  toBytes(metadata: Readonly<Record<string, string>>, version: string): Uint8Array {
    const model = new Message().integer(1, REPRESENTATION).text(2, "ergodic").text(3, version).message(7, this.#message("model"));
    model.message(8, new Message().text(1, "").integer(2, OPSET));
    if (this.#needed().some(({ op }) => TREES.test(op)))
      model.message(8, new Message().text(1, TREES_DOMAIN).integer(2, TREES_VERSION));
    for (const [key, value] of Object.entries(metadata)) model.message(14, new Message().text(1, key).text(2, value));
    return model.finish("toOnnx");
  }

  #message(name: string): Message {
    const nodes = this.#needed();
    const used = new Set(nodes.flatMap((node) => [...namesIn(node)]));
    const message = new Message();
    for (const [i, node] of nodes.entries()) message.message(1, nodeMessage(node, `${name}_${i}`));
    message.text(2, name);
    // Inner graphs use constants of the outermost graph.
    if (name === "model")
      for (const [key, constant] of this.#shared.constants) if (used.has(key)) message.message(5, tensorMessage(key, constant));
    for (const port of this.#inputs) message.message(11, portMessage(port));
    for (const port of this.#outputs) message.message(12, portMessage(port));
    return message;
  }

  /** Returns the nodes on which an output depends. */
  #needed(): Node[] {
    const wanted = new Set(this.#outputs.map(({ name }) => name));
    const kept: Node[] = [];
    for (const node of [...this.#nodes].reverse()) {
      if (!node.outputs.some((output) => wanted.has(output))) continue;
      kept.push(node);
      for (const input of namesIn(node)) wanted.add(input);
    }
    return kept.reverse();
  }

  /** Returns all names that the nodes and outputs of the graph use, including names from outside the graph. */
  names(): Set<string> {
    return new Set([...this.#outputs.map(({ name }) => name), ...this.#needed().flatMap((node) => [...namesIn(node)])]);
  }

  /** Returns the graph as a message for the node that contains it. */
  inner(name: string): Message {
    return this.#message(name);
  }
}

function* namesIn({ inputs, attributes }: Node): Generator<string> {
  yield* inputs;
  for (const value of Object.values(attributes)) if (value instanceof Graph) yield* value.names();
}

function nodeMessage({ op, inputs, outputs, attributes }: Node, name: string): Message {
  const message = new Message();
  for (const input of inputs) message.text(1, input);
  for (const output of outputs) message.text(2, output);
  message.text(3, name).text(4, op);
  for (const [key, value] of Object.entries(attributes)) message.message(5, attributeMessage(key, value, name));
  return TREES.test(op) ? message.text(7, TREES_DOMAIN) : message;
}

function attributeMessage(key: string, value: Attribute, node: string): Message {
  const message = new Message().text(1, key);
  if (typeof value === "number") return message.integer(3, value).integer(20, KINDS.integer);
  if (value instanceof Graph) return message.message(6, value.inner(`${node}_${key}`)).integer(20, KINDS.graph);
  if ("float" in value) return message.float(2, value.float).integer(20, KINDS.float);
  if ("floats" in value) {
    for (const one of value.floats) message.float(7, one);
    return message.integer(20, KINDS.floats);
  }
  if ("texts" in value) {
    for (const one of value.texts) message.text(9, one);
    return message.integer(20, KINDS.texts);
  }
  for (const one of value) message.integer(8, one);
  return message.integer(20, KINDS.integers);
}

const tensorMessage = (name: string, { type, shape, bytes }: Constant): Message =>
  new Message().integers(1, shape).integer(2, TYPES[type]).text(8, name).bytes(9, bytes);

function portMessage({ name, type, shape }: Port): Message {
  const dimensions = new Message();
  for (const extent of shape) {
    const dimension = new Message();
    if (typeof extent === "number") dimension.integer(1, extent);
    else if (extent !== undefined) dimension.text(2, extent);
    dimensions.message(1, dimension);
  }
  const tensor = new Message().integer(1, TYPES[type]).message(2, dimensions);
  return new Message().text(1, name).message(2, new Message().message(1, tensor));
}

/** Returns the values as little-endian bytes. In practice, all hosts of WebAssembly are little-endian. */
function bytesOf(type: TypeName, values: ArrayLike<number>): Uint8Array {
  if (type === "float32") return new Uint8Array(Float32Array.from(values).buffer);
  if (type === "float64") return new Uint8Array(Float64Array.from(values).buffer);
  return new Uint8Array(BigInt64Array.from(Array.from(values, BigInt)).buffer);
}
