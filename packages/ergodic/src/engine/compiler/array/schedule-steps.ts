import { assert, CompileError } from "../../errors/errors.ts";
import { forEachBelow } from "../walk.ts";
import { costOf } from "./cost.ts";
import { copyStep, isContiguous, joinedCopies, LoopBuilder } from "./loop-builder.ts";
import type { Access, ArrayProgram, LoopStep, Lowered, Step, Value } from "./lowered.ts";
import { expressionOf, type Reduce } from "./operations/map-reduce.ts";
import type { Slice } from "./operations/places.ts";
import { isCovered } from "./operations/places.ts";
import { type ArrayPrimitive, arrayPrimitiveOf, type Layout, type ViewCode } from "./primitive.ts";
import { lowerScan, type ScanValues } from "./schedule-scan.ts";
import { arraysBelow, type Shape, type SymbolicArray, sameShape, sizeOf, stridesOf } from "./symbolic.ts";
import { withoutMarks } from "./without-marks.ts";

/**
 * Largest number of operations in one expression. Longer expressions are computed in several parts, and each part is
 * stored. The limit bounds the code length of a loop and the recursion depth, however long a chain is.
 */
const LONGEST = 256;
/** An element-wise value of at most this many operations is recomputed for each of its users. */
const CHEAP = 8;
/** Unrelated loops of at most this many elements are joined, because their separate loops would be mostly overhead. */
const SMALL = 2048;
/** Largest number of arrays in one loop; more would not fit in registers. */
const MOST_ARRAYS = 20;
/** Number of earlier steps in which to look for a loop that can also compute a value. The limit prevents quadratic time. */
const FARTHEST = 256;

interface Group {
  kind: "group";
  shape: Shape;
  reduced: readonly [number, number] | undefined;
  /** Stored maps, copies and reductions. Arguments precede their users. */
  nodes: SymbolicArray[];
  leaves: Set<SymbolicArray>;
}
type Item = Group | { kind: "other"; node: SymbolicArray };

/**
 * Schedules a graph of arrays as a sequence of steps. Decides which arrays are stored, which element-wise work and
 * reductions share a loop, and in which order the steps run.
 *
 * The stored arrays are the results of kernels and reductions, arrays that kernels, views and outputs need, and
 * element-wise values that are expensive and used more than once. All other values are recomputed at each use. Stored
 * element-wise values and reductions over the same shape share one loop, unless the loop needs an array that is
 * computed later. Values that only their own loop uses are not stored.
 */
export function schedule(program: ArrayProgram): Lowered {
  return new Scheduler({ ...program, outputs: withoutMarks(program.outputs) }).lowered();
}

class Scheduler {
  readonly #program: ArrayProgram;
  readonly #nodes: readonly SymbolicArray[];
  readonly #users = new Map<SymbolicArray, SymbolicArray[]>();
  readonly #outputs: ReadonlySet<SymbolicArray>;
  /** Nodes that are in memory once computed. */
  readonly #kept = new Set<SymbolicArray>();
  readonly #inlineCost = new Map<SymbolicArray, number>();
  /** Number of nodes inlined into each node, including nodes without cost. */
  readonly #inlineLength = new Map<SymbolicArray, number>();
  /** Views that must be copied, because strides cannot express them. */
  readonly #copied = new Set<SymbolicArray>();
  readonly #items: Item[] = [];
  readonly #position = new Map<SymbolicArray, number>();
  readonly #values: Value[] = [];
  readonly #valueOf = new Map<SymbolicArray, number>();
  readonly #steps: Step[] = [];
  /** Layouts of views that strides can express, relative to the stored array below them. */
  readonly #layouts = new Map<SymbolicArray, Layout & { base: SymbolicArray }>();

  constructor(program: ArrayProgram) {
    this.#program = program;
    const roots = program.outputs.map((o) => o.value);
    this.#nodes = arraysBelow(roots);
    this.#outputs = new Set(roots);
    for (const node of this.#nodes) for (const arg of new Set(node.args)) push(this.#users, arg, node);
  }

  lowered(): Lowered {
    for (const node of this.#nodes) this.#decide(node);
    for (const node of this.#nodes) this.#arrange(node);
    this.#placeOutputs();
    for (const item of this.#items) {
      if (item.kind === "group") this.#emitGroup(item);
      else this.#emitOther(item.node);
    }
    this.#copyOutputs();
    return { values: this.#values, steps: this.#steps };
  }

  /** Decides whether the node gets its own memory. */
  #decide(node: SymbolicArray): void {
    const { code } = node.op === "input" ? { code: { form: "input" as const } } : arrayPrimitiveOf(node);
    if (
      node.op === "input" ||
      node.op === "constant" ||
      node.op === "reduce" ||
      code.form === "kernel" ||
      code.form === "special"
    ) {
      // The results of a scan are in its parts.
      if (node.op !== "scan") this.#kept.add(node);
      return;
    }
    if (code.form === "view") {
      const layout = this.#viewLayout(node, code);
      if (layout) this.#layouts.set(node, layout);
      else {
        this.#copied.add(node);
        this.#kept.add(node);
      }
      return;
    }
    const own = node.op === "full" ? 0 : costOf([expressionOf(node)]);
    const cost = own + this.#inlined(node.args, this.#inlineCost);
    const length = Math.max(1, own) + this.#inlined(node.args, this.#inlineLength);
    this.#inlineCost.set(node, cost);
    this.#inlineLength.set(node, length);
    if (length > LONGEST || this.#isNeededWhole(node, cost)) this.#kept.add(node);
  }

  #inlined(args: readonly SymbolicArray[], amounts: ReadonlyMap<SymbolicArray, number>): number {
    return args.reduce((sum, arg) => sum + (this.#kept.has(arg) ? 0 : (amounts.get(arg) ?? 0)), 0);
  }

  #isNeededWhole(node: SymbolicArray, cost: number): boolean {
    if (this.#outputs.has(node)) return true;
    const users = this.#users.get(node) ?? [];
    if (users.some((user) => user.op !== "map" && user.op !== "reduce")) return true;
    if (cost > CHEAP && users.length > 1) return true;
    // If a user broadcasts the node along an axis, inlining would recompute the node for each repetition.
    return cost > 0 && users.some((user) => user.op === "map" && user.size > node.size);
  }

  /** Returns the layout of the node in the memory of the stored array below it. */
  #layoutOf(node: SymbolicArray): Layout & { base: SymbolicArray } {
    if (this.#kept.has(node)) return { base: node, offset: 0, strides: stridesOf(node.shape) };
    const layout = this.#layouts.get(node);
    assert(layout, `${node.op} is not in memory`);
    return layout;
  }

  /** Returns the layout of a view; undefined if it must be copied. */
  #viewLayout(node: SymbolicArray, code: ViewCode): (Layout & { base: SymbolicArray }) | undefined {
    const below = this.#layoutOf(node.args[0]);
    const own = code.layout(node, below);
    return own && { base: below.base, ...own };
  }

  /**
   * Returns the stored arrays that the expression reads, each with whether it is read directly (not through a view).
   */
  #leaves(node: SymbolicArray): ReadonlyMap<SymbolicArray, boolean> {
    const found = new Map<SymbolicArray, boolean>();
    const add = (leaf: SymbolicArray, direct: boolean): void => void found.set(leaf, direct && (found.get(leaf) ?? true));
    const start = this.#copied.has(node) ? [node.args[0]] : node.args;
    forEachBelow(start, (arg) => {
      if (this.#kept.has(arg)) add(arg, true);
      else if (arg.op === "map" || arg.op === "full") return true;
      else add(this.#layoutOf(arg).base, false);
      return false;
    });
    return found;
  }

  /** Appends the node to the order, or adds it to a loop. */
  #arrange(node: SymbolicArray): void {
    if (node.op === "scan") {
      this.#items.push({ kind: "other", node });
      this.#position.set(node, this.#items.length - 1);
      return;
    }
    if (!this.#kept.has(node) || node.op === "input" || node.op === "constant") return;
    if (node.op === "part") {
      this.#position.set(node, this.#position.get(node.args[0])!);
      return;
    }
    if (node.op !== "map" && node.op !== "full" && node.op !== "reduce" && !this.#copied.has(node)) {
      this.#items.push({ kind: "other", node });
      this.#position.set(node, this.#items.length - 1);
      return;
    }
    const shape = node.op === "reduce" || this.#copied.has(node) ? node.args[0].shape : node.shape;
    const reduce = node.op === "reduce" ? (node.attributes as Reduce) : undefined;
    const reduced = reduce ? ([reduce.from, reduce.to] as const) : undefined;
    const leaves = this.#leaves(node);
    let first = Math.max(0, this.#items.length - FARTHEST);
    for (const leaf of leaves.keys()) first = Math.max(first, this.#position.get(leaf) ?? 0);
    for (let at = this.#items.length - 1; at >= first; at--) {
      const group = this.#items[at];
      if (group.kind !== "group" || !this.#mayJoin(group, at, shape, reduced, leaves)) continue;
      group.nodes.push(node);
      group.reduced ??= reduced;
      for (const leaf of leaves.keys()) group.leaves.add(leaf);
      this.#position.set(node, at);
      return;
    }
    this.#items.push({ kind: "group", shape, reduced, nodes: [node], leaves: new Set(leaves.keys()) });
    this.#position.set(node, this.#items.length - 1);
  }

  #mayJoin(
    group: Group,
    at: number,
    shape: Shape,
    reduced: readonly [number, number] | undefined,
    leaves: ReadonlyMap<SymbolicArray, boolean>,
  ): boolean {
    if (!sameShape(group.shape, shape)) return false;
    if (reduced && group.reduced && (reduced[0] !== group.reduced[0] || reduced[1] !== group.reduced[1])) return false;
    let shares = sizeOf(shape) <= SMALL;
    let fresh = 0;
    for (const [leaf, direct] of leaves) {
      const produced = this.#position.get(leaf) ?? -1;
      if (produced > at) return false;
      if (produced === at) {
        if (!direct || leaf.op === "reduce" || this.#copied.has(leaf) || !sameShape(leaf.shape, shape)) return false;
        shares = true;
      } else if (group.leaves.has(leaf)) shares ||= leaf.size * 4 >= sizeOf(shape);
      else fresh++;
    }
    return shares && group.leaves.size + group.nodes.length + fresh < MOST_ARRAYS;
  }

  /** Makes values for inputs and constants, and for outputs that are computed in the caller's memory. */
  #placeOutputs(): void {
    const { outputs, inputs = {} } = this.#program;
    for (const node of this.#nodes) {
      if (node.op === "input") {
        const name = String(node.attributes);
        const { buffer, offset } = inputs[name] ?? { buffer: name, offset: 0 };
        this.#newValue(node, { kind: "buffer", name: buffer, offset });
      } else if (node.op === "constant") this.#newValue(node, { kind: "constant", values: node.attributes as Float64Array });
    }
    const read = new Set(this.#values.map((v) => (v.home.kind === "buffer" ? v.home.name : "")));
    for (const { value, buffer, offset } of outputs) {
      const base = this.#wholeBelow(value);
      if (!base || read.has(buffer) || this.#valueOf.has(base) || base.op === "part") continue;
      this.#newValue(base, { kind: "buffer", name: buffer, offset });
    }
  }

  /** Returns the stored array whose memory layout is exactly the layout of the output. */
  #wholeBelow(node: SymbolicArray): SymbolicArray | undefined {
    if (node.op === "full" && !this.#kept.has(node)) return undefined;
    const layout = this.#layoutOf(node);
    return layout.offset === 0 && layout.base.size === node.size && isContiguous(node.shape, layout) ? layout.base : undefined;
  }

  #newValue(node: SymbolicArray, home: Value["home"] = { kind: "workspace" }, size = node.size): number {
    const made = this.#values.push({ node, size, home }) - 1;
    this.#valueOf.set(node, made);
    return made;
  }

  #value(node: SymbolicArray): number {
    return this.#valueOf.get(node) ?? this.#newValue(node);
  }

  #access(node: SymbolicArray): Access {
    const layout = this.#layoutOf(node);
    return { value: this.#value(layout.base), offset: layout.offset, strides: layout.strides };
  }

  /** Returns an access to an array that is broadcast to `shape`. */
  #spread(node: SymbolicArray, shape: Shape): Access {
    const { value, offset, strides } = this.#access(node);
    const missing = shape.length - node.rank;
    return {
      value,
      offset,
      strides: shape.map((_, i) => (i < missing || node.shape[i - missing] === 1 ? 0 : strides[i - missing])),
    };
  }

  #emitGroup(group: Group): void {
    const loop = new LoopBuilder(
      group.shape,
      (node) => this.#kept.has(node),
      (node) => this.#spread(node, group.shape),
    );
    const stores: LoopStep["stores"][number][] = [];
    const reductions: LoopStep["reductions"][number][] = [];
    const reduced = group.reduced ?? [0, 0];
    for (const node of group.nodes) {
      if (node.op === "reduce") {
        const { kind, from, to } = node.attributes as Reduce;
        const kept = stridesOf(node.shape);
        const strides = group.shape.map((_, i) => (i < from ? kept[i] : i < to ? 0 : kept[i - (to - from)]));
        reductions.push({
          reduction: kind,
          to: { value: this.#value(node), offset: 0, strides },
          expr: loop.expression(node.args[0]),
        });
        continue;
      }
      const expr = this.#copied.has(node) ? loop.expression(node.args[0]) : loop.computed(node);
      if (!this.#isStored(node, group)) continue;
      stores.push({ to: { value: this.#value(node), offset: 0, strides: stridesOf(group.shape) }, expr });
    }
    this.#steps.push({ kind: "loop", shape: group.shape, reduced, loads: loop.loads, stores, reductions });
  }

  /** Whether the node needs memory. A value that only its own loop uses does not. */
  #isStored(node: SymbolicArray, group: Group): boolean {
    if (this.#outputs.has(node)) return true;
    const at = this.#position.get(node)!;
    const isUsedOutside = (user: SymbolicArray): boolean => {
      if (this.#kept.has(user) && user.op !== "part") return this.#position.get(user) !== at || !group.nodes.includes(user);
      if (user.op === "map") return (this.#users.get(user) ?? []).some(isUsedOutside);
      return true;
    };
    return (this.#users.get(node) ?? []).some(isUsedOutside);
  }

  #emitOther(node: SymbolicArray): void {
    const primitive = arrayPrimitiveOf(node);
    if (node.op === "place") this.#emitPlace(node);
    else if (node.op === "scan") this.#emitScan(node);
    else this.#emitKernel(node, primitive);
  }

  #emitPlace(node: SymbolicArray): void {
    const value = this.#value(node);
    if (!isCovered(node)) this.#steps.push({ kind: "zero", value });
    const whole = stridesOf(node.shape);
    const copies = (node.attributes as Slice[]).map(({ start, step }, i) => {
      const to: Access = {
        value,
        offset: start.reduce((sum, from, axis) => sum + from * whole[axis], 0),
        strides: whole.map((stride, axis) => stride * step[axis]),
      };
      const part = node.args[i];
      return copyStep(part.shape, part.op === "full" ? (part.attributes as number) : this.#access(part), to);
    });
    this.#steps.push(...joinedCopies(copies));
  }

  #emitScan(node: SymbolicArray): void {
    const parts = (this.#users.get(node) ?? []).filter((user) => user.op === "part");
    const values: ScanValues = {
      argument: (i) => this.#contiguous(node.args[i]).value,
      part: (index, shape) => {
        const part = parts.find((p) => p.attributes === index);
        return part ? this.#value(part) : shape ? this.#scratch(shape) : undefined;
      },
      scratch: (shape) => this.#scratch(shape),
    };
    this.#steps.push(lowerScan(node, this.#program.precision, values, schedule));
  }

  #scratch(shape: Shape): number {
    return this.#values.push({ node: this.#nodes[0], size: sizeOf(shape), home: { kind: "workspace" } }) - 1;
  }

  #emitKernel(node: SymbolicArray, { code }: ArrayPrimitive): void {
    if (code.form !== "kernel")
      throw new CompileError(
        "compile",
        `the primitive ${node.op} has no code of its own; this is a fault of the library`,
        "COMPILE_CODE",
      );
    const args = node.args.map((arg, i) => {
      const access = this.#access(arg);
      return code.accepts?.(node, i, access) || isContiguous(arg.shape, access) ? access : this.#contiguous(arg);
    });
    const calls = code.calls(node, args, this.#program.precision);
    this.#steps.push({ kind: "kernel", name: node.op, calls, args, result: this.#value(node) });
  }

  /** Returns the array in contiguous form, copied if necessary. */
  #contiguous(node: SymbolicArray): Access {
    const access = this.#access(node);
    const strides = stridesOf(node.shape);
    // Kernels receive an address, so they can read part of a larger value. A scan requires whole values.
    const isWhole = access.offset === 0 && this.#values[access.value].size === node.size;
    if (isContiguous(node.shape, access) && isWhole) return access;
    const to: Access = { value: this.#scratch(node.shape), offset: 0, strides };
    this.#steps.push(copyStep(node.shape, access, to));
    return to;
  }

  /** Copies outputs that were not computed in place, after all reads of the memory that they overwrite. */
  #copyOutputs(): void {
    for (const { value, buffer, offset } of this.#program.outputs) {
      const base = this.#wholeBelow(value);
      const home = base && this.#valueOf.has(base) ? this.#values[this.#valueOf.get(base)!].home : undefined;
      if (home?.kind === "buffer" && home.name === buffer && home.offset === offset) continue;
      const to = this.#values.push({ node: value, size: value.size, home: { kind: "buffer", name: buffer, offset } }) - 1;
      const from = value.op === "full" ? (value.attributes as number) : this.#access(value);
      this.#steps.push(copyStep(value.shape, from, { value: to, offset: 0, strides: stridesOf(value.shape) }));
    }
  }
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
