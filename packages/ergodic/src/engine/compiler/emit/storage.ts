/**
 * Loads and stores of each storage type in each kind of lanes: conversion, rounding, saturation.
 *
 * Integers are rounded to nearest (ties to even). With random bits, integers are rounded to floor(x) + (u < x −
 * floor(x)). This rounding is unbiased up to the 24 or 32 bits of u. Both methods saturate and store NaN as 0.
 */
import { unsigned } from "../machine/encoder.ts";
import type { FunctionCode, Node } from "../machine/graph.ts";
import { type Instructions, simd } from "../machine/instructions.ts";
import type { StorageType } from "../program.ts";

export const SHIFT: Record<StorageType, number> = { i8: 0, i16: 1, f32: 2, f64: 3 };
export const LANES = { f64x2: 2, f32x4: 4, f64: 1, f32: 1 } as const;
const MERGE_LOW_HALVES = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
const SWAP_HALVES = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7];

/** Location of an element: an address and a byte offset. */
export interface Place {
  address: Node;
  offset: number;
}

/** Loads one vector (or one number) of elements from `place`. */
export function load(m: Instructions, type: StorageType, { address, offset }: Place): Node {
  const v = (opcode: number, ...args: Node[]): Node => m.graph.node("v128", simd(opcode), args);
  const read = (opcode: number, extra = 0): Node => m.graph.node("v128", simd(opcode, 0, ...unsigned(offset + extra)), [address]);
  const number = (opcode: number, as: "i32" | "f32" | "f64"): Node =>
    m.graph.node(as, [opcode, 0, ...unsigned(offset)], [address]);
  if (m.kind === "f32x4") {
    if (type === "f32") return read(0);
    if (type === "f64") return m.graph.node("v128", simd(13, ...MERGE_LOW_HALVES), [v(94, read(0)), v(94, read(0, 16))]);
    return v(250, type === "i16" ? read(3) : v(167, v(135, read(92))));
  }
  if (m.kind === "f64x2") {
    if (type === "f64") return read(0);
    if (type === "f32") return v(95, read(93));
    return v(254, v(167, type === "i16" ? read(92) : v(135, read(8))));
  }
  const single = m.kind === "f32";
  if (type === "f32") return single ? number(0x2a, "f32") : m.graph.node("f64", [0xbb], [number(0x2a, "f32")]);
  if (type === "f64") return single ? m.graph.node("f32", [0xb6], [number(0x2b, "f64")]) : number(0x2b, "f64");
  return m.graph.node(m.type, [single ? 0xb2 : 0xb7], [number(type === "i8" ? 0x2c : 0x2e, "i32")]);
}

/**
 * Returns the values to write. All values are computed before any part of the element is stored. `bits`: random bits,
 * if rounding is random.
 */
export function storable(m: Instructions, type: StorageType, x: Node, bits?: Node): Node[] {
  const v = (opcode: number, ...args: Node[]): Node => m.graph.node("v128", simd(opcode), args);
  if (m.kind === "f32x4" && type === "f64") return [v(95, x), v(95, m.graph.node("v128", simd(13, ...SWAP_HALVES), [x, x]))];
  if (m.kind === "f64x2" && type === "f32") return [v(94, x)];
  if (m.kind === "f32" && type === "f64") return [m.graph.node("f64", [0xbb], [x])];
  if (m.kind === "f64" && type === "f32") return [m.graph.node("f32", [0xb6], [x])];
  if (type === "f32" || type === "f64") return [x];
  const whole = bits ? roundAtRandom(m, x, bits) : m.nearest(x);
  if (m.wide) {
    const integers = v(m.kind === "f32x4" ? 248 : 252, whole);
    const narrow = v(133, integers, integers);
    return [type === "i16" ? narrow : v(101, narrow, narrow)];
  }
  const limit = type === "i8" ? 127 : 32767;
  const i32 = (opcode: number, ...args: Node[]): Node => m.graph.node("i32", [opcode], args);
  const integer = m.graph.node("i32", [0xfc, m.kind === "f32" ? 0 : 2], [whole]);
  const [high, low] = [m.graph.integer(limit), m.graph.integer(-limit - 1)];
  const bounded = i32(0x1b, integer, high, i32(0x48, integer, high));
  return [i32(0x1b, bounded, low, i32(0x4a, bounded, low))];
}

function roundAtRandom(m: Instructions, x: Node, bits: Node): Node {
  const below = m.floor(x);
  return m.add(below, m.number(m.less(uniform(m, bits), m.sub(x, below))));
}

/** Converts random 32-bit lanes to uniform numbers in [0, 1) that the lanes represent exactly. */
function uniform(m: Instructions, bits: Node): Node {
  const { graph } = m;
  const top = (): Node => graph.node("v128", simd(173), [bits, graph.integer(8)]);
  const first = (lanes: Node): Node => graph.node("i32", simd(27, 0), [lanes]);
  if (m.kind === "f32x4") return m.mul(graph.node("v128", simd(250), [top()]), m.constant(2 ** -24));
  if (m.kind === "f64x2") return m.mul(graph.node("v128", simd(255), [bits]), m.constant(2 ** -32));
  if (m.kind === "f32") return m.mul(graph.node("f32", [0xb2], [first(top())]), m.constant(2 ** -24));
  return m.mul(graph.node("f64", [0xb8], [first(bits)]), m.constant(2 ** -32));
}

/** Returns the next state of four xorshift32 generators. The state also serves as the random bits. */
export function nextBits(m: Instructions, state: Node): Node {
  const shifted = (x: Node, opcode: number, by: number): Node =>
    m.graph.node("v128", simd(81), [x, m.graph.node("v128", simd(opcode), [x, m.graph.integer(by)])]);
  return shifted(shifted(shifted(state, 171, 13), 173, 17), 171, 5);
}

/** Emits instructions that store the values which `storable` returned. */
export function store(
  f: FunctionCode,
  m: Instructions,
  type: StorageType,
  { address, offset }: Place,
  values: readonly Node[],
): void {
  values.forEach((value, i) => {
    f.emit(address);
    f.emit(value);
    const at = unsigned(offset + 16 * i);
    if (!m.wide) f.push({ i8: 0x3a, i16: 0x3b, f32: 0x38, f64: 0x39 }[type], 0, ...at);
    else if (LANES[m.kind] << SHIFT[type] >= 16) f.push(...simd(11, 0, ...at));
    else f.push(...simd({ 8: 91, 4: 90, 2: 89 }[LANES[m.kind] << SHIFT[type]]!, 0, ...at, 0));
  });
}
