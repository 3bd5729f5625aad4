import { float32Bytes, float64Bytes, unsigned, type WasmType } from "./encoder.ts";
import type { Graph, Node } from "./graph.ts";
import type { LaneKind, Lanes, Value } from "./lanes.ts";

export const simd = (opcode: number, ...immediates: readonly number[]): number[] => [0xfd, ...unsigned(opcode), ...immediates];

const OPERATIONS = {
  abs: [0x99, 0x8b, 236, 224],
  neg: [0x9a, 0x8c, 237, 225],
  sqrt: [0x9f, 0x91, 239, 227],
  floor: [0x9c, 0x8e, 0x75, 0x68],
  nearest: [0x9e, 0x90, 0x94, 0x6a],
  add: [0xa0, 0x92, 240, 228],
  sub: [0xa1, 0x93, 241, 229],
  mul: [0xa2, 0x94, 242, 230],
  div: [0xa3, 0x95, 243, 231],
  min: [0xa4, 0x96, 244, 232],
  max: [0xa5, 0x97, 245, 233],
} as const;
const COMPARISONS = {
  equal: [0x61, 0x5b, 71, 65],
  notEqual: [0x62, 0x5c, 72, 66],
  less: [0x63, 0x5d, 73, 67],
  lessEqual: [0x65, 0x5f, 75, 69],
} as const;
const COLUMN: Record<LaneKind, number> = { f64: 0, f32: 1, f64x2: 2, f32x4: 3 };

/**
 * Pairs of one-argument functions that share work. Each entry contains the name of the function that computes both
 * results, and the lane in which its own result is returned.
 */
const SHARED_CALLS: Readonly<Record<string, readonly [both: string, lane: number]>> = {
  softplus: ["softplusAndSigmoid", 0],
  sigmoid: ["softplusAndSigmoid", 1],
};

/** Returns the index of a function of functions/, for float64x2 (53 digits) or float32x4 (24). */
export type FunctionTable = (name: string, digits: Digits) => number;

/** Number of binary digits required of a function. */
export type Digits = 53 | 24;

/** Implements the vocabulary of lanes.ts as WebAssembly instructions, for the four kinds of lanes. */
export class Instructions implements Lanes {
  readonly graph: Graph;
  readonly kind: LaneKind;
  readonly wide: boolean;
  readonly type: WasmType;
  readonly maskType: WasmType;
  readonly #functions: FunctionTable;
  readonly #constants = new Map<number | string, Node>();

  constructor(graph: Graph, kind: LaneKind, functions: FunctionTable) {
    this.graph = graph;
    this.kind = kind;
    this.wide = kind === "f64x2" || kind === "f32x4";
    this.type = this.wide ? "v128" : (kind as WasmType);
    this.maskType = this.wide ? "v128" : "i32";
    this.#functions = functions;
  }

  #operation(name: keyof typeof OPERATIONS, ...args: Value[]): Node {
    const opcode = OPERATIONS[name][COLUMN[this.kind]];
    return this.graph.node(this.type, this.wide ? simd(opcode) : [opcode], args);
  }

  #comparison(name: keyof typeof COMPARISONS, ...args: Value[]): Node {
    const opcode = COMPARISONS[name][COLUMN[this.kind]];
    return this.graph.node(this.maskType, this.wide ? simd(opcode) : [opcode], args);
  }

  constant(x: number): Node {
    const key = Object.is(x, -0) ? "-0" : x;
    const known = this.#constants.get(key);
    if (known) return known;
    const made = this.#newConstant(x);
    this.#constants.set(key, made);
    return made;
  }

  #newConstant(x: number): Node {
    if (this.kind === "f64") return this.graph.node("f64", [0x44, ...float64Bytes(x)]);
    if (this.kind === "f32") return this.graph.node("f32", [0x43, ...float32Bytes(x)]);
    const lane = this.kind === "f64x2" ? float64Bytes(x) : [...float32Bytes(x), ...float32Bytes(x)];
    return this.graph.node("v128", simd(12, ...lane, ...lane));
  }

  add = (a: Value, b: Value): Node => this.#operation("add", a, b);
  sub = (a: Value, b: Value): Node => this.#operation("sub", a, b);
  mul = (a: Value, b: Value): Node => this.#operation("mul", a, b);
  div = (a: Value, b: Value): Node => this.#operation("div", a, b);
  min = (a: Value, b: Value): Node => this.#operation("min", a, b);
  max = (a: Value, b: Value): Node => this.#operation("max", a, b);
  neg = (a: Value): Node => this.#operation("neg", a);
  abs = (a: Value): Node => this.#operation("abs", a);
  sqrt = (a: Value): Node => this.#operation("sqrt", a);
  floor = (a: Value): Node => this.#operation("floor", a);
  nearest = (a: Value): Node => this.#operation("nearest", a);
  less = (a: Value, b: Value): Node => this.#comparison("less", a, b);
  lessEqual = (a: Value, b: Value): Node => this.#comparison("lessEqual", a, b);
  equal = (a: Value, b: Value): Node => this.#comparison("equal", a, b);
  notEqual = (a: Value, b: Value): Node => this.#comparison("notEqual", a, b);
  and = (a: Value, b: Value): Node => this.graph.node(this.maskType, this.wide ? simd(78) : [0x71], [a, b]);
  or = (a: Value, b: Value): Node => this.graph.node(this.maskType, this.wide ? simd(80) : [0x72], [a, b]);
  not = (a: Value): Node => this.graph.node(this.maskType, this.wide ? simd(77) : [0x45], [a]);

  select(mask: Value, yes: Value, no: Value): Node {
    return this.graph.node(this.type, this.wide ? simd(82) : [0x1b], [yes, no, mask]);
  }

  /** Converts a mask to 0 or 1. */
  number(mask: Value): Node {
    if (this.wide) return this.graph.node("v128", simd(78), [mask, this.constant(1)]);
    return this.graph.node(this.type, [this.kind === "f64" ? 0xb8 : 0xb3], [mask]);
  }

  /** Converts a number to a mask that is true for any number except 0. */
  condition(x: Value): Node {
    return this.notEqual(x, this.constant(0));
  }

  /** Copies a float64 to all lanes. If lanes are float32, the number is rounded to float32 first. */
  spread(x: Value): Node {
    const single = this.kind === "f32" || this.kind === "f32x4";
    const lane = single ? this.graph.node("f32", [0xb6], [x]) : (x as Node);
    return this.wide ? this.graph.node("v128", simd(single ? 19 : 20), [lane]) : lane;
  }

  call(name: string, ...args: Value[]): Node {
    // In scalar float64, one call computes a loss and its derivative, with one result per lane.
    const shared = this.kind === "f64" ? SHARED_CALLS[name] : undefined;
    if (shared) {
      const [both, lane] = shared;
      const code = [0x10, ...unsigned(this.#functions(both, 53))];
      const pair = this.graph.node("v128", code, [this.graph.node("v128", simd(20), args)]);
      return this.graph.node("f64", simd(33, lane), [pair]);
    }
    const single = this.kind === "f32" || this.kind === "f32x4";
    const code = [0x10, ...unsigned(this.#functions(name, single ? 24 : 53))];
    if (this.wide) return this.graph.node("v128", code, args);
    const spread = args.map((a) => this.graph.node("v128", simd(single ? 19 : 20), [a]));
    return this.graph.node(this.type, simd(single ? 31 : 33, 0), [this.graph.node("v128", code, spread)]);
  }

  /** Combines two calls of one function on float64 scalars into a single call, with one lane per call. */
  callPair(name: string, first: readonly Value[], second: readonly Value[]): [Node, Node] {
    const packed = first.map((a, i) => this.graph.node("v128", simd(34, 1), [this.graph.node("v128", simd(20), [a]), second[i]]));
    const both = this.graph.node("v128", [0x10, ...unsigned(this.#functions(name, 53))], packed);
    return [this.graph.node("f64", simd(33, 0), [both]), this.graph.node("f64", simd(33, 1), [both])];
  }
}

/**
 * Extends float64x2 with operations that functions/ need: operations on bits as integers, and constants given by their
 * bits.
 */
export class Wide extends Instructions {
  constructor(graph: Graph) {
    super(graph, "f64x2", () => {
      throw new Error("functions do not call functions");
    });
  }

  #simd(opcode: number, args: Value[], ...immediates: number[]): Node {
    return this.graph.node("v128", simd(opcode, ...immediates), args);
  }

  bits(pattern: bigint): Node {
    const lane = [...new Uint8Array(BigUint64Array.of(pattern).buffer)];
    return this.#simd(12, [], ...lane, ...lane);
  }

  /** limit < x ? limit : x; a NaN x stays. */
  atMost = (x: Value, limit: number): Node => this.#simd(246, [x, this.constant(limit)]);
  /** x < limit ? limit : x; a NaN x stays. */
  atLeast = (x: Value, limit: number): Node => this.#simd(247, [x, this.constant(limit)]);
  addBits = (a: Value, b: Value): Node => this.#simd(206, [a, b]);
  subBits = (a: Value, b: Value): Node => this.#simd(209, [a, b]);
  shiftLeft = (a: Value, by: number): Node => this.#simd(203, [a, this.graph.integer(by)]);
  shiftRight = (a: Value, by: number): Node => this.#simd(205, [a, this.graph.integer(by)]);
  /** Promotes the lower two of four float32. */
  promoteLow = (a: Value): Node => this.#simd(95, [a]);
  promoteHigh = (a: Value): Node =>
    this.#simd(95, [this.#simd(13, [a, a], 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)]);
  /** Demotes two pairs of float64 to four float32. */
  demote(low: Value, high: Value): Node {
    return this.#simd(
      13,
      [this.#simd(94, [low]), this.#simd(94, [high])],
      0,
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      16,
      17,
      18,
      19,
      20,
      21,
      22,
      23,
    );
  }

  /** Returns lane 0 of each argument. */
  lowHalves = (a: Value, b: Value): Node => this.#simd(13, [a, b], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);

  /** Returns |x| with the sign of `of`. */
  signed = (x: Value, of: Value): Node => this.or(x, this.and(of, this.bits(0x8000000000000000n)));

  /**
   * Returns c[0] + c[1]·x + c[2]·x² + …. Even and odd powers are summed separately, which gives two short dependency
   * chains instead of a long one.
   */
  polynomial(x: Value, c: readonly number[]): Node {
    if (c.length === 1) return this.constant(c[0]);
    const square = this.mul(x, x);
    const chain = (from: number): Node => {
      let last = c.length - 1;
      if ((last - from) % 2 !== 0) last--;
      let value = this.constant(c[last]);
      for (let i = last - 2; i >= from; i -= 2) value = this.add(this.mul(value, square), this.constant(c[i]));
      return value;
    };
    return this.add(chain(0), this.mul(chain(1), x));
  }

  /** a·b = high + low, exactly, for |a|, |b| < 2^990 (Dekker). */
  product(a: Value, b: Value): { high: Node; low: Node } {
    const high = this.mul(a, b);
    const [aHigh, aLow] = this.#halves(a);
    const [bHigh, bLow] = this.#halves(b);
    const cross = this.add(this.mul(aHigh, bLow), this.mul(aLow, bHigh));
    const low = this.add(this.add(this.sub(this.mul(aHigh, bHigh), high), cross), this.mul(aLow, bLow));
    return { high, low };
  }

  #halves(a: Value): [Node, Node] {
    const scaled = this.mul(a, this.constant(2 ** 27 + 1));
    const high = this.sub(scaled, this.sub(scaled, a));
    return [high, this.sub(a, high)];
  }
}
