/**
 * Accumulators of sums and maxima in a loop. Sums use float64 throughout (float32 lanes are promoted, a float32x4 to
 * two float64x2). Maxima are exact in any type, so they use the vectors' own kind of lanes. Each unrolled copy of the
 * body has its own accumulator. At the end, the accumulators are combined in a fixed order.
 */
import { float64Bytes, unsigned } from "../machine/encoder.ts";
import type { FunctionCode, Graph, Node } from "../machine/graph.ts";
import { type Instructions, simd } from "../machine/instructions.ts";

const SWAP_HALVES = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7];

export class Accumulator {
  readonly #graph: Graph;
  readonly #f: FunctionCode;
  readonly #isSum: boolean;
  /** Locals of type v128, indexed by copy and half. `#scalar` is the local of the scalar loop. */
  readonly #vectors = new Map<string, { local: number; single: boolean }>();
  readonly #scalar: number;

  constructor(graph: Graph, f: FunctionCode, op: string) {
    this.#graph = graph;
    this.#f = f;
    this.#isSum = op === "sum";
    this.#scalar = this.#newLocal("f64");
  }

  /** Makes the locals that a loop needs. WebAssembly initialises them to 0. */
  prepare(m: Instructions, copies: number): void {
    const halves = this.#isSum && m.kind === "f32x4" ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      for (let half = 0; half < halves; half++) {
        const key = `${copy}.${half}`;
        if (m.wide && !this.#vectors.has(key)) {
          this.#vectors.set(key, { local: this.#newLocal("v128", m), single: m.kind === "f32x4" && !this.#isSum });
        }
      }
    }
  }

  #newLocal(type: "f64" | "v128", m?: Instructions): number {
    const local = this.#f.newLocal(type);
    if (!this.#isSum) {
      this.#f.emit(m ? m.constant(-Infinity) : this.#graph.node("f64", [0x44, ...float64Bytes(-Infinity)]));
      this.#f.set(local);
    }
    return local;
  }

  /** Emits accumulator ← accumulator ∘ x. */
  accumulate(m: Instructions, x: Node, copy: number): void {
    if (!m.wide) {
      this.#join(this.#scalar, "f64", m.kind === "f32" ? this.#graph.node("f64", [0xbb], [x]) : x);
      return;
    }
    const parts =
      this.#isSum && m.kind === "f32x4" ? [promoteLow(this.#graph, x), promoteLow(this.#graph, swapped(this.#graph, x))] : [x];
    parts.forEach((part, half) => {
      const { local, single } = this.#vectors.get(`${copy}.${half}`)!;
      this.#join(local, single ? "f32x4" : "f64x2", part);
    });
  }

  #join(local: number, kind: "f64" | "f64x2" | "f32x4", x: Node): void {
    const type = kind === "f64" ? "f64" : "v128";
    this.#f.emit(this.#joined(kind, this.#graph.local(type, local, 1), x));
    this.#f.set(local);
  }

  #joined(kind: "f64" | "f64x2" | "f32x4", a: Node, b: Node): Node {
    if (kind === "f64") return this.#graph.node("f64", [this.#isSum ? 0xa0 : 0xa5], [a, b]);
    return this.#graph.node("v128", simd(kind === "f64x2" ? (this.#isSum ? 240 : 245) : 233), [a, b]);
  }

  /** Emits slot ← slot ∘ all accumulators. */
  finish(block: Node, slot: number): void {
    const g = this.#graph;
    let total = g.node("f64", [0x2b, 0, ...unsigned(slot)], [block], { level: 1 });
    let wide: Node | undefined;
    let single = false;
    for (const { local, single: isSingle } of this.#vectors.values()) {
      const part = g.local("v128", local, 1);
      single = isSingle;
      wide = wide ? this.#joined(single ? "f32x4" : "f64x2", wide, part) : part;
    }
    if (wide) {
      const pair = single ? this.#joined("f64x2", promoteLow(g, wide), promoteLow(g, swapped(g, wide))) : wide;
      const lane = (i: number): Node => g.node("f64", simd(33, i), [pair]);
      total = this.#joined("f64", total, this.#joined("f64", lane(0), lane(1)));
    }
    total = this.#joined("f64", total, g.local("f64", this.#scalar, 1));
    this.#f.emit(block);
    this.#f.emit(total);
    this.#f.push(0x39, 0, ...unsigned(slot));
  }
}

const promoteLow = (g: Graph, x: Node): Node => g.node("v128", simd(95), [x]);
const swapped = (g: Graph, x: Node): Node => g.node("v128", simd(13, ...SWAP_HALVES), [x, x]);
