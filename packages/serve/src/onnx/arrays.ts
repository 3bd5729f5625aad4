/**
 * The compiler's arrays as ONNX values.
 *
 * Our images have the channels last, but ONNX's convolutions and pools need them first. At first, an array of four axes
 * has one of these two forms. If an operation needs the other form, the array is converted, after which both forms are
 * available. The results of element-wise functions have the form of the arguments, so a convolutional network is
 * transposed only at its ends.
 */
import assert from "node:assert/strict";
import { CapabilityError } from "ergodic";
import type { SymbolicArray } from "ergodic/compiler";
import type { NetworkGraph } from "ergodic/extend";
import type { Graph } from "./graph.ts";

export type Form = "last" | "first";

/** Orders of axes that convert one form to the other. */
export const TO_FIRST = [0, 3, 1, 2] as const;
const TO_LAST = [0, 2, 3, 1] as const;

/** Name of a value, and its form. */
export interface Placed {
  readonly name: string;
  readonly form: Form;
}

export const permuted = <T>(list: readonly T[], order: readonly number[]): T[] => order.map((axis) => list[axis]);

/** Context that all graphs of a network share. */
export interface Surroundings {
  readonly source: NetworkGraph;
  /** Name of int64[1]: the number of rows. */
  readonly rows: string;
}

export class Arrays {
  readonly graph: Graph;
  readonly around: Surroundings;
  readonly #values = new Map<SymbolicArray, Placed>();
  readonly #others = new Map<SymbolicArray, string>();
  readonly #parts = new Map<SymbolicArray, readonly string[]>();

  constructor(graph: Graph, around: Surroundings) {
    this.graph = graph;
    this.around = around;
  }

  has(node: SymbolicArray): boolean {
    return this.#values.has(node);
  }

  /** Records the name of a node's value. */
  set(node: SymbolicArray, name: string, form: Form = "last"): void {
    this.#values.set(node, { name, form });
  }

  formOf(node: SymbolicArray): Form {
    return this.#values.get(node)?.form ?? "last";
  }

  /** Returns the name of an array whose axes are in our order. */
  last(node: SymbolicArray): string {
    return this.#in("last", node);
  }

  /** Returns the name of an array of four axes, with channels before height and width. */
  first(node: SymbolicArray): string {
    return this.#in("first", node);
  }

  /** Records the results of a scan, in the order of its parts. */
  setParts(node: SymbolicArray, names: readonly string[]): void {
    this.#parts.set(node, names);
  }

  partOf(node: SymbolicArray): string {
    return this.#parts.get(node.args[0])![node.attributes as number];
  }

  #in(form: Form, node: SymbolicArray): string {
    const own = this.#values.get(node) ?? { name: this.#leaf(node), form: "last" };
    this.#values.set(node, own);
    if (own.form === form) return own.name;
    const other =
      this.#others.get(node) ?? this.graph.node("Transpose", [own.name], { perm: form === "first" ? TO_FIRST : TO_LAST });
    this.#others.set(node, other);
    return other;
  }

  #leaf(node: SymbolicArray): string {
    const values = this.valuesOf(node);
    if (values) return this.graph.constant("float32", values, node.shape, hintOf(node));
    assert(node.op === "full", `${node.op} "${String(node.attributes)}" was written before it was asked for`);
    return this.expanded(this.graph.scalar("float32", node.attributes as number), node.shape);
  }

  /** Returns the values of weights and constants. Returns undefined for computed values. */
  valuesOf(node: SymbolicArray): ArrayLike<number> | undefined {
    if (node.op === "constant") return node.attributes as Float64Array;
    if (node.op !== "input") return undefined;
    const { numbers } = this.around.source;
    return Object.hasOwn(numbers, String(node.attributes)) ? numbers[String(node.attributes)] : undefined;
  }

  /**
   * Returns the values of an array, which must be known when the model is written. @throws CapabilityError if they are
   * computed
   */
  known(node: SymbolicArray, what: string): ArrayLike<number> {
    const values = this.valuesOf(node);
    if (values) return values;
    throw new CapabilityError(
      "toOnnx",
      `the ${what} of a layer are computed from its input, which ONNX cannot store; give the layer its own weights`,
      "ONNX_OPERATION",
    );
  }

  growsWithRows(extent: number): boolean {
    return extent % this.around.source.batch === 0;
  }

  /** Reshapes an array. Axes that grow with the rows become −1. */
  reshapeTo(name: string, shape: readonly number[]): string {
    const extents = shape.map((extent) => (this.growsWithRows(extent) ? -1 : extent));
    if (extents.filter((extent) => extent === -1).length > 1)
      throw new CapabilityError("toOnnx", "an array has two axes that grow with the rows; keep rows apart", "ONNX_OPERATION");
    return this.graph.node("Reshape", [name, this.graph.constant("int64", extents)]);
  }

  /** Repeats an array along axes of extent 1 and along new leading axes. */
  expanded(name: string, shape: readonly number[]): string {
    const { graph } = this;
    if (!shape.some((extent) => this.growsWithRows(extent))) return graph.node("Expand", [name, graph.constant("int64", shape)]);
    const { batch } = this.around.source;
    const parts = shape.map((extent) =>
      this.growsWithRows(extent)
        ? graph.node("Mul", [this.around.rows, graph.constant("int64", [extent / batch])])
        : graph.constant("int64", [extent]),
    );
    return graph.node("Expand", [name, graph.node("Concat", parts, { axis: 0 })]);
  }
}

const hintOf = ({ op, attributes }: SymbolicArray): string => (op === "input" ? String(attributes) : "constant");
