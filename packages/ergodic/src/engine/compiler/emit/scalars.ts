/** Scalar arithmetic in float64 on the block's slots, and the functions that run before each pass and at the end. */
import type { Expr } from "../expression.ts";
import { isFunction } from "../functions/known.ts";
import type { Layout } from "../layout.ts";
import { type EncodedFunction, float64Bytes, unsigned } from "../machine/encoder.ts";
import { FunctionCode, Graph, type Node } from "../machine/graph.ts";
import { type FunctionTable, Instructions } from "../machine/instructions.ts";
import type { Plan } from "../plan.ts";
import { reductionOf } from "../primitive.ts";
import { Lowering, pairsBelow } from "./lowering.ts";

/**
 * Lowers scalars in float64. Scalars that have a slot and are not in `fresh` are read from their slots. Scalars in
 * `fresh` and `roots` are computed by this lowering.
 */
export function scalarLowering(
  m: Instructions,
  layout: Layout,
  block: Node,
  fresh: readonly Expr[],
  roots: readonly Expr[] = fresh,
): Lowering {
  const pairs = pairsBelow(roots, isFunction);
  const computed = new Set(fresh);
  const slot = (offset: number): Node => m.graph.node("f64", [0x2b, 0, ...unsigned(offset)], [block]);
  return new Lowering(
    m,
    (expr) => {
      if (expr.op === "scalar") return slot(layout.scalars[expr.name]);
      if (expr.op === "count") return slot(layout.count);
      const offset = layout.slots.get(expr);
      return offset === undefined || computed.has(expr) ? undefined : slot(offset);
    },
    pairs,
  );
}

class SlotWriter {
  readonly f = new FunctionCode(["i32"]);
  readonly #graph = new Graph();
  readonly #block = this.#graph.local("i32", 0, 0);
  readonly lowering: Lowering;

  constructor(layout: Layout, table: FunctionTable, fresh: readonly Expr[], roots?: readonly Expr[]) {
    this.lowering = scalarLowering(new Instructions(this.#graph, "f64", table), layout, this.#block, fresh, roots);
  }

  /** Computes all values before writing any of them, because a result can share the slot of an input. */
  write(values: readonly { slot: number; value: Expr }[]): void {
    const nodes = values.map(({ value }) => this.lowering.number(value));
    this.f.keep(nodes);
    values.forEach(({ slot }, i) => {
      this.f.emit(this.#block);
      this.f.emit(nodes[i]);
      this.f.push(0x39, 0, ...unsigned(slot));
    });
  }

  clear(slot: number, to: number): void {
    this.f.emit(this.#block);
    this.f.push(0x44, ...float64Bytes(to), 0x39, 0, ...unsigned(slot));
  }

  clearInteger(offset: number): void {
    this.f.emit(this.#block);
    this.f.push(0x41, 0, 0x36, 0, ...unsigned(offset));
  }

  encoded(name: string): EncodedFunction {
    return { parameters: ["i32"], results: [], locals: this.f.locals, code: this.f.code, exportAs: [name] };
  }
}

/**
 * Encodes begin_p, which computes the scalars that pass p needs, clears its accumulators and resets the position to 0.
 */
export function encodeBegin(name: string, pass: number, program: Plan, layout: Layout, table: FunctionTable): EncodedFunction {
  const writer = new SlotWriter(layout, table, layout.before[pass]);
  writer.write(layout.before[pass].map((value) => ({ slot: layout.slots.get(value)!, value })));
  for (const reduced of program.passes[pass]) writer.clear(layout.slots.get(reduced)!, reductionOf(reduced)!.start);
  if (program.usesIndex) writer.clearInteger(layout.position);
  return writer.encoded(name);
}

/** Encodes end, which writes the results. */
export function encodeEnd(name: string, program: Plan, layout: Layout, table: FunctionTable): EncodedFunction {
  const computed = layout.before.flat();
  // Without begin_p, the slots contain only reductions, so all scalars are computed here.
  const roots = program.results.map((r) => r.value);
  const writer = new SlotWriter(layout, table, isStaged(program) ? [] : computed, roots);
  writer.write(program.results.map(({ scalar, value }) => ({ slot: layout.scalars[scalar], value })));
  return writer.encoded(name);
}

/** Returns whether passes need a begin_p. If passes need no begin_p, run_0 computes its scalars itself. */
export function isStaged(program: Plan): boolean {
  return program.usesIndex || program.passes.some((reductions) => reductions.length > 0);
}
