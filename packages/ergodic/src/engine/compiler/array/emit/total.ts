import { float32Bytes, float64Bytes } from "../../machine/encoder.ts";
import type { FunctionCode, Graph, Node } from "../../machine/graph.ts";
import { type Instructions, simd } from "../../machine/instructions.ts";
import type { LaneKind } from "../../machine/lanes.ts";
import type { ReductionKind } from "../operations/map-reduce.ts";

/** A level deeper than any loop. This level prevents reads of accumulators from being hoisted or reused. */
const ALWAYS = 1000;
const MERGE_LOW_HALVES = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
const SWAP_HALVES = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7];
const SWAP_WORDS = [4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11];
const COLUMN = { f64: 0, f32: 1, f64x2: 2, f32x4: 3 } as const;
const JOIN: Record<ReductionKind, readonly number[]> = {
  sum: [0xa0, 0x92, 240, 228],
  minimum: [0xa4, 0x96, 244, 232],
  maximum: [0xa5, 0x97, 245, 233],
};
const START: Record<ReductionKind, number> = { sum: 0, minimum: Infinity, maximum: -Infinity };

/**
 * Accumulators of one reduction in a loop. Sums use float64 (a float32x4 is split into two float64x2). Maxima and
 * minima use the type of the numbers, in which they are exact. Each copy of an unrolled body has its own accumulator.
 * The accumulators are combined in a fixed order.
 */
export class Total {
  readonly #graph: Graph;
  readonly #f: FunctionCode;
  readonly #reduction: ReductionKind;
  readonly #locals = new Map<string, { local: number; kind: LaneKind }>();

  constructor(graph: Graph, f: FunctionCode, reduction: ReductionKind) {
    this.#graph = graph;
    this.#f = f;
    this.#reduction = reduction;
  }

  /** Makes the accumulators for `copies` copies of a body. */
  prepare(lanes: LaneKind, copies: number): void {
    const [kind, halves] = this.#kindOf(lanes);
    for (let copy = 0; copy < copies; copy++) {
      for (let half = 0; half < halves; half++) {
        const key = this.#key(lanes, copy, half);
        if (!this.#locals.has(key)) this.#locals.set(key, { local: this.#f.newLocal(typeOf(kind)), kind });
      }
    }
  }

  #key(lanes: LaneKind, copy: number, half: number): string {
    return `${lanes} ${copy}.${half}`;
  }

  #kindOf(lanes: LaneKind): [LaneKind, halves: number] {
    if (this.#reduction !== "sum") return [lanes, 1];
    return lanes === "f32x4" ? ["f64x2", 2] : lanes === "f64x2" ? ["f64x2", 1] : ["f64", 1];
  }

  begin(): void {
    for (const { local, kind } of this.#locals.values()) {
      const start = START[this.#reduction];
      const double = float64Bytes(start);
      const single = float32Bytes(start);
      if (kind === "f64") this.#f.push(0x44, ...double);
      else if (kind === "f32") this.#f.push(0x43, ...single);
      else
        this.#f.push(...simd(12, ...(kind === "f64x2" ? [...double, ...double] : [...single, ...single, ...single, ...single])));
      this.#f.set(local);
    }
  }

  accumulate(m: Instructions, x: Node, copy: number): void {
    const isSum = this.#reduction === "sum";
    const g = this.#graph;
    const parts =
      isSum && m.kind === "f32x4"
        ? [promoted(g, x), promoted(g, shuffled(g, x, SWAP_HALVES))]
        : [isSum && m.kind === "f32" ? g.node("f64", [0xbb], [x]) : x];
    parts.forEach((part, half) => {
      const { local, kind } = this.#locals.get(this.#key(m.kind, copy, half))!;
      this.#f.emit(this.#join(kind, this.#read(local, kind), part));
      this.#f.set(local);
    });
  }

  #read(local: number, kind: LaneKind): Node {
    return this.#graph.local(typeOf(kind), local, ALWAYS);
  }

  #join(kind: LaneKind, a: Node, b: Node): Node {
    const opcode = JOIN[this.#reduction][COLUMN[kind]];
    return this.#graph.node(typeOf(kind), kind === "f64" || kind === "f32" ? [opcode] : simd(opcode), [a, b]);
  }

  /** Combines all accumulators into one number, in the program's type. */
  whole(precision: "f32" | "f64"): Node {
    const g = this.#graph;
    const all = [...this.#locals.values()];
    const wide = all.filter(({ kind }) => kind === "f64x2" || kind === "f32x4");
    const parts = all.filter((one) => !wide.includes(one)).map(({ local, kind }) => this.#read(local, kind));
    const scalar: LaneKind = this.#reduction === "sum" ? "f64" : precision;
    if (wide.length > 0) {
      const { kind } = wide[0];
      let vector = wide.map(({ local }) => this.#read(local, kind)).reduce((a, b) => this.#join(kind, a, b));
      vector = this.#join(kind, vector, shuffled(g, vector, SWAP_HALVES));
      if (kind === "f32x4") vector = this.#join(kind, vector, shuffled(g, vector, SWAP_WORDS));
      parts.unshift(g.node(scalar, simd(kind === "f64x2" ? 33 : 31, 0), [vector]));
    }
    const total = parts.reduce((a, b) => this.#join(scalar, a, b));
    return scalar === "f64" && precision === "f32" ? g.node("f32", [0xb6], [total]) : total;
  }

  /** Returns the elements that one copy has accumulated, in the kind of lanes that the copy uses. */
  lanesOf(lanes: LaneKind, copy: number): Node {
    const g = this.#graph;
    const halves = [0, 1].map((half) => this.#locals.get(this.#key(lanes, copy, half)));
    const first = this.#read(halves[0]!.local, halves[0]!.kind);
    if (this.#reduction !== "sum" || lanes === "f64x2" || lanes === "f64") return first;
    if (lanes === "f32") return g.node("f32", [0xb6], [first]);
    const second = this.#read(halves[1]!.local, "f64x2");
    const demoted = (x: Node): Node => g.node("v128", simd(94), [x]);
    return g.node("v128", simd(13, ...MERGE_LOW_HALVES), [demoted(first), demoted(second)]);
  }
}

const typeOf = (kind: LaneKind): "v128" | "f64" | "f32" => (kind === "f64" || kind === "f32" ? kind : "v128");
const promoted = (g: Graph, x: Node): Node => g.node("v128", simd(95), [x]);
const shuffled = (g: Graph, x: Node, lanes: readonly number[]): Node => g.node("v128", simd(13, ...lanes), [x, x]);
