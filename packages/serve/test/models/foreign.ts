/**
 * ONNX files as other exporters write them: operations of both domains, attributes of all kinds, and none of this
 * library's names.
 */
import { Message } from "../../src/onnx/protobuf.ts";

export type Type = "float32" | "float64" | "float16" | "int64" | "bool" | "string" | "uint8" | "int32";
const TYPES: Readonly<Record<Type, number>> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
};

export type Attribute =
  | number
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly text: string }
  | { readonly texts: readonly string[] };

/** An extent, its name, or neither. */
type Extent = number | string;

export class Foreign {
  readonly #graph = new Message();
  readonly #nodes: Message[] = [];
  readonly #constants: Message[] = [];
  readonly #ports: [field: 11 | 12, port: Message][] = [];
  #count = 0;

  input(name: string, type: Type, shape: readonly Extent[]): string {
    this.#ports.push([11, port(name, type, shape)]);
    return name;
  }

  output(value: string, name: string, type: Type, shape: readonly Extent[]): this {
    this.node("Identity", [value], {}, [name]);
    this.#ports.push([12, port(name, type, shape)]);
    return this;
  }

  /** Declares a value as an output that is a list of maps from integers to numbers. */
  maps(value: string): this {
    const numbers = new Message().message(1, new Message().integer(1, TYPES.float32));
    const map = new Message().integer(1, TYPES.int64).message(2, numbers);
    const list = new Message().message(1, new Message().message(5, map));
    this.#ports.push([12, new Message().text(1, value).message(2, new Message().message(4, list))]);
    return this;
  }

  /** Name of the first output. `ml`: of the domain ai.onnx.ml. */
  node(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    outputs?: string[],
    ml = false,
  ) {
    const names = outputs ?? [`v${this.#count++}`];
    const node = new Message();
    for (const input of inputs) node.text(1, input);
    for (const output of names) node.text(2, output);
    node.text(4, op);
    for (const [key, value] of Object.entries(attributes)) node.message(5, attribute(key, value));
    if (ml) node.text(7, "ai.onnx.ml");
    this.#nodes.push(node);
    return names[0];
  }

  floats(values: ArrayLike<number>, shape: readonly number[] = [values.length], type: "float32" | "float64" = "float32"): string {
    const array = type === "float32" ? Float32Array.from(values) : Float64Array.from(values);
    return this.#constant(type, shape, new Uint8Array(array.buffer));
  }

  integers(values: readonly number[], shape: readonly number[] = [values.length]): string {
    return this.#constant("int64", shape, new Uint8Array(BigInt64Array.from(values, BigInt).buffer));
  }

  bytes(): Uint8Array {
    for (const node of this.#nodes) this.#graph.message(1, node);
    this.#graph.text(2, "graph");
    for (const constant of this.#constants) this.#graph.message(5, constant);
    for (const [field, one] of this.#ports) this.#graph.message(field, one);
    return new Message()
      .integer(1, 8)
      .text(2, "another exporter")
      .message(7, this.#graph)
      .message(8, new Message().text(1, "").integer(2, 17))
      .message(8, new Message().text(1, "ai.onnx.ml").integer(2, 3))
      .finish("Foreign");
  }

  #constant(type: Type, shape: readonly number[], bytes: Uint8Array): string {
    const name = `c${this.#count++}`;
    this.#constants.push(new Message().integers(1, shape).integer(2, TYPES[type]).text(8, name).bytes(9, bytes));
    return name;
  }
}

function attribute(key: string, value: Attribute): Message {
  const message = new Message().text(1, key);
  if (typeof value === "number") return message.integer(3, value).integer(20, 2);
  if ("float" in value) return message.float(2, value.float).integer(20, 1);
  if ("text" in value) return message.text(4, value.text).integer(20, 3);
  if ("floats" in value) {
    for (const one of value.floats) message.float(7, one);
    return message.integer(20, 6);
  }
  if ("texts" in value) {
    for (const one of value.texts) message.text(9, one);
    return message.integer(20, 8);
  }
  for (const one of value) message.integer(8, one);
  return message.integer(20, 7);
}

function port(name: string, type: Type, shape: readonly Extent[]): Message {
  const dimensions = new Message();
  for (const extent of shape) {
    const one = new Message();
    if (typeof extent === "number") one.integer(1, extent);
    else if (extent !== "") one.text(2, extent);
    dimensions.message(1, one);
  }
  const tensor = new Message().integer(1, TYPES[type]).message(2, dimensions);
  return new Message().text(1, name).message(2, new Message().message(1, tensor));
}
