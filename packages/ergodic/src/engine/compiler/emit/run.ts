/**
 * run_p: one pass over `count` elements.
 *
 * The prologue reads pointers into locals, and computes and splats loop-invariant values once. Up to three loops
 * follow: unrolled vectors, single vectors, single elements. Each loop processes the elements that the previous loop
 * did not process. All loops use the same operations, so they give the same bits. If an operand is indexed, there is
 * only the loop over single elements, and this loop is unrolled. Pointers of direct operands advance. Within an
 * unrolled body, offsets are immediates.
 */
import type { Expr } from "../expression.ts";
import type { Layout } from "../layout.ts";
import { type EncodedFunction, unsigned } from "../machine/encoder.ts";
import { FunctionCode, Graph, invariantsBelow, type Node } from "../machine/graph.ts";
import { type FunctionTable, Instructions, simd } from "../machine/instructions.ts";
import type { LaneKind } from "../machine/lanes.ts";
import { operations } from "../operations.ts";
import type { Plan } from "../plan.ts";
import type { Operand, ProgramSpec } from "../program.ts";
import { inputsOf } from "../rebuild.ts";
import { Accumulator } from "./accumulators.ts";
import { Lowering } from "./lowering.ts";
import { isStaged, scalarLowering } from "./scalars.ts";
import { LANES, load, nextBits, type Place, SHIFT, storable, store } from "./storage.ts";

/**
 * A body is unrolled four times if it has at most this many operations per vector. A body with up to twice this number
 * is unrolled twice. Longer bodies gain nothing.
 */
const SMALL_BODY = 6;

interface Copy {
  stores: { operand: Operand; place: Place; values: Node[] }[];
  reduced: { accumulator: Accumulator; value: Node }[];
  random?: Node;
}

interface Loop {
  lanes: Instructions;
  /** Elements per iteration. */
  step: number;
  copies: Copy[];
}

export function encodeRun(
  name: string,
  pass: number,
  spec: ProgramSpec,
  program: Plan,
  layout: Layout,
  functions: FunctionTable,
): EncodedFunction {
  return new RunCode(pass, spec, program, layout, functions).encoded(name);
}

class RunCode {
  readonly #graph = new Graph();
  readonly #f = new FunctionCode(["i32", "i32"]);
  readonly #block = this.#graph.local("i32", 1, 0);
  readonly #layout: Layout;
  readonly #functions: FunctionTable;
  readonly #program: Plan;
  readonly #precision: "f32" | "f64";
  readonly #operands: Operand[];
  readonly #stores: Plan["stores"];
  readonly #reductions: readonly Expr[];
  readonly #accumulators: Accumulator[];
  readonly #scalars: Lowering;
  readonly #indexed: boolean;
  readonly #pointers = new Map<string, Node>();
  #indexPointer: Node | undefined;
  #position: Node | undefined;
  #random: Node | undefined;
  #randomLocal = -1;
  readonly #advanced: { local: number; bytes: number }[] = [];

  constructor(pass: number, spec: ProgramSpec, program: Plan, layout: Layout, functions: FunctionTable) {
    this.#layout = layout;
    this.#functions = functions;
    this.#program = program;
    this.#precision = spec.precision;
    this.#stores = pass === program.passes.length - 1 ? program.stores : [];
    this.#reductions = program.passes[pass];
    const read = inputsOf([...this.#reductions, ...this.#stores.map((s) => s.value)]).vectors;
    const used = new Set([...read, ...this.#stores.map((s) => s.operand)]);
    this.#operands = spec.operands.filter((o) => used.has(o.name));
    this.#indexed = this.#operands.some((o) => o.access === "indexed");
    const computedHere = isStaged(program) ? [] : layout.before.flat();
    this.#scalars = scalarLowering(new Instructions(this.#graph, "f64", functions), layout, this.#block, computedHere);
    this.#accumulators = this.#reductions.map((r) => new Accumulator(this.#graph, this.#f, r.op));
  }

  encoded(name: string): EncodedFunction {
    this.#readBlock();
    const loops = this.#loops();
    const all = loops.flatMap((l) => l.copies);
    this.#f.keep(
      invariantsBelow(
        all.flatMap((c) => [
          ...c.stores.flatMap((s) => s.values),
          ...c.reduced.map((r) => r.value),
          ...c.stores.map((s) => s.place.address),
        ]),
      ),
    );
    for (const loop of loops) {
      const copies = loop.copies.length;
      for (const accumulator of this.#accumulators) accumulator.prepare(loop.lanes, copies);
    }
    if (this.#position) this.#advancePosition();
    for (const loop of loops) this.#emitLoop(loop);
    for (const [i, a] of this.#accumulators.entries()) a.finish(this.#block, this.#layout.slots.get(this.#reductions[i])!);
    if (this.#random) {
      this.#f.emit(this.#block);
      this.#f.emit(this.#random);
      this.#f.push(...simd(11, 0, ...unsigned(this.#layout.random)));
    }
    return { parameters: ["i32", "i32"], results: [], locals: this.#f.locals, code: this.#f.code, exportAs: [name] };
  }

  #readInteger(offset: number): number {
    const local = this.#f.newLocal("i32");
    this.#f.emit(this.#block);
    this.#f.push(0x28, 0, ...unsigned(offset));
    this.#f.set(local);
    return local;
  }

  #readBlock(): void {
    for (const { name, type, access } of this.#operands) {
      const local = this.#readInteger(this.#layout.pointers[name]);
      this.#pointers.set(name, this.#graph.local("i32", local, access === "direct" ? 1 : 0));
      if (access === "direct") this.#advanced.push({ local, bytes: 1 << SHIFT[type] });
    }
    if (this.#indexed) {
      const local = this.#readInteger(this.#layout.indices);
      this.#indexPointer = this.#graph.local("i32", local, 1);
      this.#advanced.push({ local, bytes: 4 });
    }
    if (this.#program.usesIndex) {
      const local = this.#readInteger(this.#layout.position);
      this.#position = this.#graph.local("i32", local, 1);
      this.#advanced.push({ local, bytes: 1 });
    }
    if (this.#stores.some((s) => this.#operands.find((o) => o.name === s.operand)!.rounding)) {
      const local = this.#f.newLocal("v128");
      this.#f.emit(this.#block);
      this.#f.push(...simd(0, 0, ...unsigned(this.#layout.random)));
      this.#f.set(local);
      this.#randomLocal = local;
      this.#random = this.#graph.local("v128", local, 1);
    }
  }

  /**
   * Advances the stored position to the start of the pass's next piece. The local still holds the position of the
   * current piece.
   */
  #advancePosition(): void {
    this.#f.emit(this.#block);
    this.#f.emit(this.#position!);
    this.#f.get(0);
    this.#f.push(0x6a, 0x36, 0, ...unsigned(this.#layout.position));
  }

  #loops(): Loop[] {
    const roots = [...this.#reductions, ...this.#stores.map((s) => s.value)];
    const cost = operations(roots) + (this.#random ? 12 : 0);
    const copies = cost <= SMALL_BODY ? 4 : cost <= 2 * SMALL_BODY ? 2 : 1;
    const single = this.#precision;
    if (this.#indexed) return (copies > 1 ? [copies, 1] : [1]).map((n) => this.#loop(single, n));
    const wide = single === "f32" ? "f32x4" : "f64x2";
    return [...(copies > 1 ? [this.#loop(wide, copies)] : []), this.#loop(wide, 1), this.#loop(single, 1)];
  }

  #loop(kind: LaneKind, copies: number): Loop {
    const lanes = new Instructions(this.#graph, kind, this.#functions);
    let random = this.#random;
    const made = Array.from({ length: copies }, (_, copy): Copy => {
      const body = this.#body(lanes, copy);
      const stores = this.#stores.map(({ operand: name, value }) => {
        const operand = this.#operands.find((o) => o.name === name)!;
        if (operand.rounding) random = nextBits(lanes, random!);
        const values = storable(lanes, operand.type, body.number(value), operand.rounding ? random : undefined);
        return { operand, place: this.#place(operand, copy * LANES[kind]), values };
      });
      const reduced = this.#reductions.map((r, i) => ({ accumulator: this.#accumulators[i], value: body.number(r.args[0]) }));
      return { stores, reduced, random };
    });
    return { lanes, step: copies * LANES[kind], copies: made };
  }

  #body(lanes: Instructions, copy: number): Lowering {
    const first = copy * LANES[lanes.kind];
    return new Lowering(lanes, (expr) => {
      if (expr.rank === 0) return lanes.spread(this.#scalars.number(expr));
      if (expr.op === "index") return this.#elementIndex(lanes, first);
      if (expr.op !== "vector") return undefined;
      const operand = this.#operands.find((o) => o.name === expr.name)!;
      return load(lanes, operand.type, this.#place(operand, first));
    });
  }

  #place({ name, type, access }: Operand, element: number): Place {
    const pointer = this.#pointers.get(name)!;
    if (access === "direct") return { address: pointer, offset: element << SHIFT[type] };
    const at = this.#graph.node("i32", [0x28, 0, ...unsigned(4 * element)], [this.#indexPointer!]);
    const bytes = type === "i8" ? at : this.#graph.node("i32", [0x74], [at, this.#graph.integer(SHIFT[type])]);
    return { address: this.#graph.node("i32", [0x6a], [pointer, bytes]), offset: 0 };
  }

  #elementIndex(m: Instructions, first: number): Node {
    const g = this.#graph;
    if (!m.wide) {
      const at = g.node("i32", [0x6a], [this.#position!, g.integer(first)]);
      return g.node(m.type, [m.kind === "f32" ? 0xb2 : 0xb7], [at]);
    }
    const lanes = [0, 1, 2, 3].flatMap((i) => [first + i, 0, 0, 0]);
    const at = g.node("v128", simd(174), [g.node("v128", simd(17), [this.#position!]), g.node("v128", simd(12, ...lanes))]);
    return g.node("v128", simd(m.kind === "f32x4" ? 250 : 254), [at]);
  }

  /** while (count ≥ step) { body; advance; count −= step } */
  #emitLoop({ lanes, step, copies }: Loop): void {
    const f = this.#f;
    const enough = (): void => {
      f.get(0);
      f.push(0x41, step, 0x4f);
    };
    enough();
    f.push(0x04, 0x40, 0x03, 0x40);
    for (const [i, copy] of copies.entries()) this.#emitCopy(lanes, copy, i);
    f.forget(1);
    for (const { local, bytes } of this.#advanced) {
      f.get(local);
      f.emit(this.#graph.integer(step * bytes));
      f.push(0x6a);
      f.set(local);
    }
    f.get(0);
    f.push(0x41, step, 0x6b, 0x22, 0);
    f.push(0x41, step, 0x4f, 0x0d, 0, 0x0b, 0x0b);
  }

  #emitCopy(lanes: Instructions, { stores, reduced, random }: Copy, copy: number): void {
    const f = this.#f;
    f.keep([...stores.flatMap((s) => s.values), ...reduced.map((r) => r.value)]);
    if (random) {
      f.emit(random);
      f.set(this.#randomLocal);
    }
    for (const { operand, place, values } of stores) store(f, lanes, operand.type, place, values);
    for (const { accumulator, value } of reduced) accumulator.accumulate(lanes, value, copy);
  }
}
