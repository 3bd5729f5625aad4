/**
 * A network's graph (`networkGraph` of ergodic/extend) as ONNX nodes, with one rule per primitive of the compiler.
 *
 * @throws CapabilityError [ONNX_OPERATION] for operations that ONNX does not have, by name
 */
import { CapabilityError } from "ergodic";
import { arraysBelow, type Expr, reshape, type SymbolicArray } from "ergodic/compiler";
import type { NetworkGraph } from "ergodic/extend";
import { Arrays, type Placed, permuted, TO_FIRST } from "./arrays.ts";
import { elementwise } from "./elementwise.ts";
import { Graph } from "./graph.ts";
import { isPlace, placed, type Slice, sliced } from "./places.ts";
import { convolved, patched, pooled, type Window } from "./windows.ts";

type Rule = (node: SymbolicArray, arrays: Arrays) => Placed;

const last = (name: string): Placed => ({ name, form: "last" });
const first = (name: string): Placed => ({ name, form: "first" });

const rules: Readonly<Record<string, Rule>> = {
  map: mapped,
  reduce: reduced,
  reshape: reshaped,
  transpose: (node, arrays) =>
    last(arrays.graph.node("Transpose", [arrays.last(node.args[0])], { perm: node.attributes as number[] })),
  matmul: ({ args }, arrays) =>
    last(
      arrays.graph.node(
        "MatMul",
        args.map((arg) => arrays.last(arg)),
      ),
    ),
  slice(node, arrays) {
    const [x] = node.args;
    const slice = node.attributes as Slice;
    if (x.rank !== 4 || arrays.formOf(x) === "last") return last(sliced(arrays, arrays.last(x), slice, x.shape, node.shape));
    const { start, step } = slice;
    const turned = { start: permuted(start, TO_FIRST), step: permuted(step, TO_FIRST) };
    return first(sliced(arrays, arrays.first(x), turned, permuted(x.shape, TO_FIRST), permuted(node.shape, TO_FIRST)));
  },
  place(node, arrays) {
    const places = node.attributes as Slice[];
    if (!isPlace(places)) throw lacking("a place with steps");
    const form = node.rank === 4 && node.args.some((arg) => arrays.formOf(arg) === "first") ? "first" : "last";
    if (form === "last")
      return last(
        placed(
          arrays,
          node.args.map((arg) => arrays.last(arg)),
          node.args.map(({ shape }) => shape),
          places,
          node.shape,
        ),
      );
    const turned = places.map(({ start, step }) => ({ start: permuted(start, TO_FIRST), step: permuted(step, TO_FIRST) }));
    return first(
      placed(
        arrays,
        node.args.map((arg) => arrays.first(arg)),
        node.args.map(({ shape }) => permuted(shape, TO_FIRST)),
        turned,
        permuted(node.shape, TO_FIRST),
      ),
    );
  },
  gather: gathered,
  convolution: (node, arrays) => first(convolved(arrays, node.args[0], node.args[1], node.attributes as Window)),
  maxPool: (node, arrays) => first(pooled(arrays, node.args[0], node.attributes as Window, "maximum")),
  averagePool(node, arrays) {
    const { shape, countPadding } = node.attributes as { shape: Window; countPadding: boolean };
    return first(pooled(arrays, node.args[0], shape, countPadding ? "mean of all" : "mean"));
  },
  patches: (node, arrays) => last(patched(arrays, node.args[0], node.attributes as Window)),
  circulant: multiplied,
  cumsum(node, arrays) {
    const { axis, reverse } = node.attributes as { axis: number; reverse: boolean };
    const inputs = [arrays.last(node.args[0]), arrays.graph.constant("int64", [axis], [])];
    return last(arrays.graph.node("CumSum", inputs, { reverse: Number(reverse) }));
  },
  customDerivative: ({ args: [result] }, arrays) => last(arrays.last(result)),
};

/**
 * Writes the network and returns the name of z, float32 [rows, outputs]. `x`: name of the rows, float32 in their own
 * shape.
 */
export function writeNetwork(graph: Graph, source: NetworkGraph, x: string): string {
  const nodes = arraysBelow([source.output]);
  const shape = graph.node("Shape", [x]);
  const rows = graph.node("Slice", [shape, graph.constant("int64", [0]), graph.constant("int64", [1])]);
  const arrays = new Arrays(graph, { source, rows });
  for (const node of nodes) if (node.op === "input" && node.attributes === "x") arrays.set(node, x);
  writeArrays(nodes, arrays);
  return arrays.last(source.output);
}

function writeArrays(nodes: readonly SymbolicArray[], arrays: Arrays): void {
  for (const node of nodes) writeArray(node, arrays);
}

function writeArray(node: SymbolicArray, arrays: Arrays): void {
  const { op } = node;
  if (arrays.has(node) || op === "input" || op === "constant" || op === "full") return;
  if (op === "scan") scanned(node, arrays);
  else if (op === "part") arrays.set(node, arrays.partOf(node));
  else {
    const rule = Object.hasOwn(rules, op) ? rules[op] : undefined;
    if (!rule) throw lacking(op);
    const { name, form } = rule(node, arrays);
    arrays.set(node, name, form);
  }
}

const lacking = (what: string): CapabilityError =>
  new CapabilityError(
    "toOnnx",
    `the network has a layer with ${what}, which cannot be exported; do without it`,
    "ONNX_OPERATION",
  );

/** Writes an element-wise expression. The scalars of the expression are the arguments of the node, which broadcast. */
function mapped(node: SymbolicArray, arrays: Arrays): Placed {
  const clip = clipOf(node);
  if (clip) {
    const { x, low, high } = clip;
    const form = x.rank === 4 ? arrays.formOf(x) : "last";
    const [from, to] = [low, high].map((bound) => arrays.graph.scalar("float32", bound));
    return { name: arrays.graph.node("Clip", [form === "first" ? arrays.first(x) : arrays.last(x), from, to]), form };
  }
  const form = node.rank === 4 && node.args.some((arg) => arg.rank === 4 && arrays.formOf(arg) === "first") ? "first" : "last";
  const names = node.args.map((arg) => (form === "last" ? arrays.last(arg) : broadcastFirst(arg, arrays)));
  const name = elementwise(arrays.graph, node.attributes as Expr, names);
  const whole = form === "last" ? node.shape : permuted(node.shape, TO_FIRST);
  return { name: isRepeated(node) ? arrays.expanded(name, whole) : name, form };
}

/** Whether the array is larger than the shape to which its arguments broadcast. */
function isRepeated({ shape, args }: SymbolicArray): boolean {
  return shape.some((extent, axis) => {
    const own = args.map((arg) => arg.shape[axis - shape.length + arg.rank] ?? 1);
    return extent !== 1 && own.every((one) => one === 1);
  });
}

/**
 * Returns an argument of a function of images in the form in which channels come first. The argument has four axes. If
 * it has fewer, it broadcasts along the leading axes.
 */
function broadcastFirst(arg: SymbolicArray, arrays: Arrays): string {
  if (arg.rank === 4) return arrays.first(arg);
  if (arg.rank === 0) return arrays.last(arg);
  const shape = [...new Array<number>(4 - arg.rank).fill(1), ...arg.shape];
  const values = arrays.valuesOf(arg);
  // There is one number per channel, as in a bias, so no axis needs to be moved.
  if (values && arg.rank === 1) return arrays.graph.constant("float32", values, [1, arg.size, 1, 1], String(arg.attributes));
  return arrays.graph.node("Transpose", [arrays.reshapeTo(arrays.last(arg), shape)], { perm: TO_FIRST });
}

/**
 * Recognises min(c, max(d, x)), which can be written as a single Clip. Activations with a lower and an upper limit have
 * this form. If d > c, both forms give c.
 */
function clipOf(node: SymbolicArray): { x: SymbolicArray; low: number; high: number } | undefined {
  const high = boundOf(node, "min");
  const low = high === undefined ? undefined : boundOf(node.args[0], "max");
  if (high === undefined || low === undefined) return undefined;
  return { x: node.args[0].args[0], low, high };
}

function boundOf(node: SymbolicArray, op: "min" | "max"): number | undefined {
  const expression = node.op === "map" && node.args.length === 1 ? (node.attributes as Expr) : undefined;
  if (expression?.op !== op || expression.args.length !== 2) return undefined;
  const bound = expression.args.find((arg) => arg.op === "constant");
  return bound && expression.args.some((arg) => arg.op === "scalar") && node.size === node.args[0].size ? bound.value : undefined;
}

const REDUCTIONS = { sum: "ReduceSum", maximum: "ReduceMax", minimum: "ReduceMin" } as const;

function reduced(node: SymbolicArray, arrays: Arrays): Placed {
  const { kind, from, to } = node.attributes as { kind: keyof typeof REDUCTIONS; from: number; to: number };
  const [x] = node.args;
  const axes = Array.from({ length: to - from }, (_, i) => from + i);
  // If at most one of the axes height, width and channels has an extent above 1, their order does not matter.
  const isFirst = x.rank === 4 && arrays.formOf(x) === "first" && from > 0 && (to === 4 || (from === 1 && to === 3));
  const name = isFirst ? arrays.first(x) : arrays.last(x);
  const own = isFirst ? axes.map((axis) => TO_FIRST.indexOf(axis as 1)) : axes;
  if (kind === "sum") return last(arrays.graph.node("ReduceSum", [name, arrays.graph.constant("int64", own)], { keepdims: 0 }));
  return last(arrays.graph.node(REDUCTIONS[kind], [name], { axes: own, keepdims: 0 }));
}

function reshaped(node: SymbolicArray, arrays: Arrays): Placed {
  return pointwise(node, arrays) ?? shuffled(node, arrays) ?? last(arrays.reshapeTo(arrays.last(node.args[0]), node.shape));
}

/** Writes a matrix product between two reshapes as a 1 × 1 convolution, if the images already have channels first. */
function pointwise(node: SymbolicArray, arrays: Arrays): Placed | undefined {
  const [product] = node.args;
  if (node.rank !== 4 || product.op !== "matmul" || product.rank !== 2) return undefined;
  const [cells, weights] = product.args;
  const [rows, height, width, outChannels] = node.shape;
  const inChannels = cells.shape[1];
  if (cells.op !== "reshape" || cells.rank !== 2 || outChannels !== product.shape[1] || !arrays.valuesOf(weights))
    return undefined;
  const image = reshape(cells, [rows, height, width, inChannels]);
  writeArray(image, arrays);
  if (arrays.formOf(image) === "last") return undefined;
  const values = arrays.known(weights, "weights");
  const turned = Float32Array.from(
    { length: weights.size },
    (_, i) => values[(i % inChannels) * outChannels + Math.floor(i / inChannels)],
  );
  const filters = arrays.graph.constant("float32", turned, [outChannels, inChannels, 1, 1], String(weights.attributes));
  return first(arrays.graph.node("Conv", [arrays.first(image), filters], { kernel_shape: [1, 1] }));
}

/**
 * Writes a channel shuffle. A shuffle splits the channels into groups, exchanges the two resulting axes and joins them
 * again.
 */
function shuffled(node: SymbolicArray, arrays: Arrays): Placed | undefined {
  const [turned] = node.args;
  if (node.rank !== 4 || turned.op !== "transpose" || String(turned.attributes) !== "0,1,2,4,3") return undefined;
  const [split] = turned.args;
  const [rows, height, width, groups, each] = split.shape;
  if (groups * each !== node.shape[3] || height !== node.shape[1] || width !== node.shape[2]) return undefined;
  const image = reshape(split, node.shape);
  writeArray(image, arrays);
  if (arrays.formOf(image) === "last") return undefined;
  const parted = arrays.reshapeTo(arrays.first(image), [rows, groups, each, height, width]);
  const exchanged = arrays.graph.node("Transpose", [parted], { perm: [0, 2, 1, 3, 4] });
  return first(arrays.reshapeTo(exchanged, permuted(node.shape, TO_FIRST)));
}

/**
 * Writes a lookup of table rows by index. An index out of range gives NaN. By contrast, ONNX counts negative indices
 * from the end and refuses all other indices out of range.
 */
function gathered({ args: [table, indices] }: SymbolicArray, arrays: Arrays): Placed {
  const { graph } = arrays;
  const numbers = arrays.last(indices);
  const [zero, count] = [0, table.shape[0]].map((bound) => graph.scalar("float32", bound));
  const inside = graph.node("And", [graph.node("GreaterOrEqual", [numbers, zero]), graph.node("Less", [numbers, count])]);
  const whole = graph.node("Cast", [graph.node("Floor", [graph.node("Where", [inside, numbers, zero])])], { to: 7 });
  const rows = graph.node("Gather", [arrays.last(table), whole], { axis: 0 });
  const spread = arrays.reshapeTo(inside, [...indices.shape, ...table.shape.slice(1).map(() => 1)]);
  return last(graph.node("Where", [spread, rows, graph.scalar("float32", Number.NaN)]));
}

/**
 * Writes a block-circulant product as a product with the full matrix, which contains k times as many numbers. ONNX has
 * no shorter form.
 */
function multiplied(node: SymbolicArray, arrays: Arrays): Placed {
  const { p, q, k } = node.attributes as { p: number; q: number; k: number };
  const blocks = arrays.known(node.args[1], "circulant weights");
  const whole = new Float32Array(q * k * p * k);
  for (let i = 0; i < p; i++)
    for (let j = 0; j < q; j++)
      for (let a = 0; a < k; a++)
        for (let b = 0; b < k; b++) whole[(j * k + b) * p * k + i * k + a] = blocks[(i * q + j) * k + ((a - b + k) % k)];
  const matrix = arrays.graph.constant("float32", whole, [q * k, p * k], String(node.args[1].attributes));
  return last(arrays.graph.node("MatMul", [arrays.last(node.args[0]), matrix]));
}

interface ScanParts {
  readonly length: number;
  readonly reverse: boolean;
  readonly carries: readonly SymbolicArray[];
  readonly over: readonly SymbolicArray[];
  readonly constants: readonly SymbolicArray[];
  readonly next: readonly SymbolicArray[];
  readonly outputs: readonly SymbolicArray[];
}

/**
 * Writes a loop with carried state. The results of the loop are the final carries, the outputs, and the carries before
 * each step.
 */
function scanned(node: SymbolicArray, arrays: Arrays): void {
  const { length, reverse, carries, over, constants, next, outputs } = node.attributes as ScanParts;
  const { graph, around } = arrays;
  const inner = new Graph(graph);
  const body = new Arrays(inner, around);
  const extents = (shape: readonly number[]) => shape.map((extent) => (arrays.growsWithRows(extent) ? undefined : extent));
  const given = (leaf: SymbolicArray, kind: string): void =>
    body.set(leaf, inner.input(inner.fresh(kind), "float32", extents(leaf.shape)));
  for (const leaf of carries) given(leaf, "carry");
  for (const leaf of over) given(leaf, "element");
  const first = carries.length;
  constants.forEach((leaf, i) => void body.set(leaf, arrays.last(node.args[first + over.length + i])));
  // ONNX needs a sequence from which the number of steps follows.
  if (over.length === 0) inner.input(inner.fresh("step"), "float32", []);
  writeArrays(arraysBelow([...next, ...outputs]), body);
  const made = [...next, ...outputs, ...carries];
  for (const value of made) {
    const name = inner.node("Identity", [body.last(value)]);
    inner.output(name, "float32", extents(value.shape));
  }
  const elements =
    over.length > 0
      ? over.map((_, i) => arrays.last(node.args[first + i]))
      : [graph.constant("float32", new Float32Array(length))];
  const names = made.map(() => graph.fresh("Scan"));
  graph.nodes("Scan", [...carries.map((_, i) => arrays.last(node.args[i])), ...elements], names, {
    body: inner,
    num_scan_inputs: elements.length,
    scan_input_directions: elements.map(() => Number(reverse)),
    scan_output_directions: [...outputs, ...carries].map(() => Number(reverse)),
  });
  arrays.setParts(node, names);
}
