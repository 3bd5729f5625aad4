/**
 * Encodes a loop step as a function of the block. The function consists of nested loops. The loops process the chosen
 * axis (nest.ts) in vectors, and the remaining elements of this axis in scalars.
 *
 * It first builds a tree of loops and bodies over a machine graph, and then writes this tree. Values that do not change
 * in a loop are computed before that loop, as far out as possible. Arrays with the same strides share a pointer, and
 * instructions contain the arrays' offsets in the block as immediates.
 */

import { Lowering } from "../../emit/lowering.ts";
import { LANES, type Place } from "../../emit/storage.ts";
import { type EncodedFunction, signed, unsigned } from "../../machine/encoder.ts";
import { FunctionCode, Graph, invariantsBelow, type Node } from "../../machine/graph.ts";
import { type FunctionTable, Instructions } from "../../machine/instructions.ts";
import type { LaneKind } from "../../machine/lanes.ts";
import { costOf } from "../cost.ts";
import type { Access, LoopStep, Value } from "../lowered.ts";
import { loadLanes, storeLanes } from "./lanes.ts";
import { accessesOf, type Nest, nestOf } from "./nest.ts";
import { Total } from "./total.ts";

/** Largest number of operations per vector for which a body is unrolled. */
const SMALL_BODY = 8;

/** Location of a value: at an offset in the block, or relative to a pointer that the block holds. */
export type Home =
  | { readonly kind: "block"; readonly at: number }
  | { readonly kind: "buffer"; readonly pointer: number; readonly offset: number };

interface Pointer {
  readonly strides: readonly number[];
  node: Node;
}

interface Loop {
  readonly kind: "loop";
  readonly level: number;
  readonly count: number;
  readonly counter: number;
  readonly moved: readonly { readonly local: number; readonly from: Node; readonly bytes: number }[];
  readonly parts: readonly Part[];
}
interface Body {
  readonly kind: "body";
  readonly lanes: Instructions;
  readonly copies: readonly {
    readonly stores: readonly { readonly place: Place; readonly stride: number; readonly value: Node }[];
    readonly totals: readonly { readonly total: Total; readonly value: Node; readonly copy: number }[];
  }[];
}
interface Begin {
  readonly kind: "begin";
  readonly totals: readonly Total[];
}
interface Finish {
  readonly kind: "finish";
  readonly stores: () => readonly {
    readonly lanes: Instructions;
    readonly place: Place;
    readonly stride: number;
    readonly value: Node;
  }[];
}
type Part = Loop | Body | Begin | Finish;

/**
 * Piece of the vectorised axis that has its own loop body. A piece has a kind of lanes, a number of copies, and the
 * offset of its first element.
 */
interface Segment {
  readonly lanes: Instructions;
  readonly copies: number;
  readonly first: number;
}

export interface LoopContext {
  readonly precision: "f32" | "f64";
  readonly functions: FunctionTable;
  home(value: number): Home;
}

export function encodeLoop(step: LoopStep, context: LoopContext): EncodedFunction {
  return new LoopCode(step, context).encoded();
}

class LoopCode {
  readonly #step: LoopStep;
  readonly #context: LoopContext;
  readonly #nest: Nest;
  readonly #accesses: readonly Access[];
  readonly #graph = new Graph();
  readonly #f = new FunctionCode(["i32"]);
  readonly #block = this.#graph.local("i32", 0, 0);
  readonly #bytes: number;
  readonly #pointers = new Map<string, Pointer>();
  readonly #pointerOf: readonly { readonly pointer: Pointer; readonly offset: number }[];
  readonly #wide: Instructions;
  readonly #single: Instructions;
  readonly #cost: number;
  #level = 0;

  constructor(step: LoopStep, context: LoopContext) {
    this.#step = step;
    this.#context = context;
    this.#nest = nestOf(step);
    this.#accesses = accessesOf(step);
    this.#cost = costOf([...step.stores, ...step.reductions].map((s) => s.expr));
    this.#bytes = context.precision === "f64" ? 8 : 4;
    this.#wide = new Instructions(this.#graph, context.precision === "f64" ? "f64x2" : "f32x4", context.functions);
    this.#single = new Instructions(this.#graph, context.precision, context.functions);
    this.#pointerOf = this.#accesses.map((access, i) => this.#pointer(access, i));
  }

  encoded(): EncodedFunction {
    const parts = this.#build(0);
    this.#f.keep(invariantsBelow(rootsOf(parts), 0));
    for (const part of parts) this.#write(part);
    return { parameters: ["i32"], results: [], locals: this.#f.locals, code: this.#f.code, exportAs: [] };
  }

  #pointer(access: Access, i: number): { pointer: Pointer; offset: number } {
    const home = this.#context.home(access.value);
    const strides = this.#nest.axes.map((axis) => axis.strides[i]);
    const key = `${home.kind === "block" ? "block" : home.pointer} ${strides.join(" ")}`;
    const node =
      home.kind === "block" ? this.#block : this.#graph.node("i32", [0x28, 0, ...unsigned(home.pointer)], [this.#block]);
    const pointer = this.#pointers.get(key) ?? { strides, node };
    this.#pointers.set(key, pointer);
    return { pointer, offset: (home.kind === "block" ? home.at : home.offset * this.#bytes) + access.offset * this.#bytes };
  }

  /** Builds the loops and bodies for all axes from `depth` onwards. */
  #build(depth: number, segment?: Segment, totals: readonly Total[] = [], isInside = false): Part[] {
    const { axes, vector, firstReduced } = this.#nest;
    if (depth === axes.length) return [this.#body(segment!, totals)];
    if (depth === firstReduced && !isInside) return this.#buildReduced(depth, segment);
    if (depth === vector) return this.#buildVector(depth, totals);
    return this.#repeated(depth, axes[depth].extent, 1, () => this.#build(depth + 1, segment, totals));
  }

  /**
   * Builds the loops over the reduced axes, with their accumulators. The result of the loops is one number, or all
   * elements of a segment.
   */
  #buildReduced(depth: number, segment: Segment | undefined): Part[] {
    const totals = this.#step.reductions.map(({ reduction }) => new Total(this.#graph, this.#f, reduction));
    for (const total of totals) if (segment) total.prepare(segment.lanes.kind, segment.copies);
    const inner = this.#build(depth, segment, totals, true);
    const first = this.#step.loads.length + this.#step.stores.length;
    const { precision } = this.#context;
    // The pointers are computed here because this point is outside the loops over the reduced axes.
    const places = totals.map((_, i) =>
      Array.from({ length: segment?.copies ?? 1 }, (_, copy) =>
        this.#place(first + i, segment ? this.#element(segment, copy) : 0),
      ),
    );
    const finish = (): ReturnType<Finish["stores"]> =>
      totals.flatMap((total, i) =>
        places[i].map((place, copy) => {
          const stride = this.#nest.axes[this.#nest.vector].strides[first + i];
          if (!segment) return { lanes: this.#single, place, stride: 0, value: total.whole(precision) };
          return { lanes: segment.lanes, place, stride, value: total.lanesOf(segment.lanes.kind, copy) };
        }),
      );
    return [{ kind: "begin", totals }, ...inner, { kind: "finish", stores: finish }];
  }

  /**
   * Builds the loops of the vectorised axis: over unrolled vectors, over the remaining vectors, and over the remaining
   * scalars.
   */
  #buildVector(depth: number, totals: readonly Total[]): Part[] {
    const { extent } = this.#nest.axes[depth];
    const width = LANES[this.#wide.kind];
    const copies = this.#unrolled(depth);
    const vectors = Math.floor(extent / width);
    const rounds = Math.floor(vectors / copies);
    const isLooped = rounds > 1;
    const parts: Part[] = [];
    const inside = (segment: Segment): Part[] => {
      for (const total of totals) total.prepare(segment.lanes.kind, segment.copies);
      return this.#build(depth + 1, segment, totals);
    };
    let first = 0;
    const saved = [...this.#pointers.values()].map((pointer) => [pointer, pointer.node] as const);
    const level = this.#level;
    if (isLooped) {
      parts.push(...this.#repeated(depth, rounds, copies * width, () => inside({ lanes: this.#wide, copies, first: 0 }), false));
    }
    const rest = vectors - (isLooped ? rounds * copies : 0);
    for (let left = rest; left > 0; ) {
      const now = Math.min(left, copies);
      parts.push(...inside({ lanes: this.#wide, copies: now, first }));
      first += now * width;
      left -= now;
    }
    const tail = extent - vectors * width;
    if (tail > 0) parts.push(...inside({ lanes: this.#single, copies: tail, first }));
    for (const [pointer, node] of saved) pointer.node = node;
    this.#level = level;
    return parts;
  }

  #unrolled(depth: number): number {
    const { reductions } = this.#step;
    const cost = this.#cost;
    // Accumulates several columns in registers while looping over the reduced axes: up to a cache line of columns, if
    // there are enough registers.
    if (this.#nest.firstReduced === depth + 1) return cost <= 2 * SMALL_BODY ? (reductions.length === 1 ? 4 : 2) : 1;
    if (reductions.length > 0 && this.#nest.firstReduced <= depth) return cost <= SMALL_BODY ? 4 : cost <= 2 * SMALL_BODY ? 2 : 1;
    return cost <= SMALL_BODY ? 2 : 1;
  }

  /**
   * Builds a loop of `count` iterations. After each iteration, pointers advance by `step` elements of the axis. If
   * `back` is false, the pointers are not moved back after the loop.
   */
  #repeated(depth: number, count: number, step: number, inside: () => Part[], back = true): Part[] {
    if (count === 1) return inside();
    const level = ++this.#level;
    const before: [Pointer, Node][] = [];
    const moved: { local: number; from: Node; bytes: number }[] = [];
    for (const pointer of this.#pointers.values()) {
      const stride = pointer.strides[depth];
      if (stride === 0) continue;
      const local = this.#f.newLocal("i32");
      moved.push({ local, from: pointer.node, bytes: stride * step * this.#bytes });
      before.push([pointer, pointer.node]);
      pointer.node = this.#graph.local("i32", local, level);
    }
    const parts = inside();
    if (back) {
      for (const [pointer, node] of before) pointer.node = node;
      this.#level--;
    }
    return [{ kind: "loop", level, count, counter: this.#f.newLocal("i32"), moved, parts }];
  }

  #body({ lanes, copies, first }: Segment, totals: readonly Total[]): Body {
    const { vector, axes } = this.#nest;
    const { loads, stores, reductions } = this.#step;
    const width = LANES[lanes.kind];
    const made = Array.from({ length: copies }, (_, copy) => {
      const element = first + copy * width;
      const lowering = new Lowering(lanes, (expr) => {
        if (expr.op !== "scalar") return undefined;
        const i = Number(expr.name);
        return loadLanes(lanes, this.#place(i, element), axes[vector].strides[i] * this.#bytes);
      });
      return {
        stores: stores.map(({ expr }, i) => ({
          place: this.#place(loads.length + i, element),
          stride: axes[vector].strides[loads.length + i],
          value: lowering.number(expr),
        })),
        totals: reductions.map(({ expr }, i) => ({ total: totals[i], value: lowering.number(expr), copy })),
      };
    });
    return { kind: "body", lanes, copies: made };
  }

  #element({ lanes, first }: Segment, copy: number): number {
    return first + copy * LANES[lanes.kind as LaneKind];
  }

  /** Returns the location of access i, `element` elements further along the vectorised axis. */
  #place(i: number, element: number): Place {
    const { pointer, offset } = this.#pointerOf[i];
    const at = offset + element * pointer.strides[this.#nest.vector] * this.#bytes;
    if (at >= 0) return { address: pointer.node, offset: at };
    return { address: this.#graph.node("i32", [0x6a], [pointer.node, this.#graph.integer(at)]), offset: 0 };
  }

  #write(part: Part): void {
    if (part.kind === "loop") this.#writeLoop(part);
    else if (part.kind === "body") this.#writeBody(part);
    else if (part.kind === "begin") for (const total of part.totals) total.begin();
    else {
      const stores = part.stores();
      this.#f.keep(stores.map((s) => s.value));
      for (const { lanes, place, stride, value } of stores) storeLanes(this.#f, lanes, place, stride * this.#bytes, value);
    }
  }

  #writeLoop({ level, count, counter, moved, parts }: Loop): void {
    const f = this.#f;
    for (const { local, from } of moved) {
      f.emit(from);
      f.set(local);
    }
    f.push(0x41, ...signed(count));
    f.set(counter);
    f.keep(invariantsBelow(rootsOf(parts), level - 1));
    f.push(0x03, 0x40);
    // Values that change only with this loop are computed before the inner loops.
    if (parts.some((part) => part.kind === "loop")) f.keep(invariantsBelow(rootsOf(parts), level));
    for (const part of parts) this.#write(part);
    for (const { local, bytes } of moved) {
      f.get(local);
      f.push(0x41, ...signed(bytes), 0x6a);
      f.set(local);
    }
    f.get(counter);
    f.push(0x41, 1, 0x6b, 0x22, ...unsigned(counter), 0x0d, 0, 0x0b);
    f.forget(level);
  }

  /** Computes all values of a copy before storing any of them, because an array can be overwritten in place. */
  #writeBody({ lanes, copies }: Body): void {
    for (const { stores, totals } of copies) {
      this.#f.keep([...stores.map((s) => s.value), ...totals.map((t) => t.value)]);
      for (const { place, stride, value } of stores) storeLanes(this.#f, lanes, place, stride * this.#bytes, value);
      for (const { total, value, copy } of totals) total.accumulate(lanes, value, copy);
    }
  }
}

/** Returns the values that the parts compute, except accumulators. */
function rootsOf(parts: readonly Part[]): Node[] {
  return parts.flatMap((part) => {
    if (part.kind === "loop") return rootsOf(part.parts);
    if (part.kind !== "body") return [];
    return part.copies.flatMap((c) => [...c.stores.map((s) => s.value), ...c.totals.map((t) => t.value)]);
  });
}

export const homeOf = ({ home }: Value, place: number | undefined, pointers: Readonly<Record<string, number>>): Home =>
  home.kind === "buffer" ? { kind: "buffer", pointer: pointers[home.name], offset: home.offset } : { kind: "block", at: place! };
