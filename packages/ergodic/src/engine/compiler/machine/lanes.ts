/**
 * Instructions with which primitives write their code. The same operations exist for float64x2, float32x4, float64 and
 * float32, so that all lanes and the scalar tail compute the same bits. Comparisons return masks: lanes whose bits are
 * all set or all clear or, in scalar code, an i32 of 0 or 1.
 */

/** A node of the machine graph (machine/graph.ts). */
export interface Value {
  readonly id: number;
}

export type LaneKind = "f64x2" | "f32x4" | "f64" | "f32";

export interface Lanes {
  readonly kind: LaneKind;
  constant(x: number): Value;
  add(a: Value, b: Value): Value;
  sub(a: Value, b: Value): Value;
  mul(a: Value, b: Value): Value;
  div(a: Value, b: Value): Value;
  /** NaN if either is NaN. */
  min(a: Value, b: Value): Value;
  max(a: Value, b: Value): Value;
  neg(a: Value): Value;
  abs(a: Value): Value;
  sqrt(a: Value): Value;
  floor(a: Value): Value;
  /** Rounds to the nearest integer, ties to even. */
  nearest(a: Value): Value;
  less(a: Value, b: Value): Value;
  lessEqual(a: Value, b: Value): Value;
  equal(a: Value, b: Value): Value;
  notEqual(a: Value, b: Value): Value;
  /** Combines masks. */
  and(a: Value, b: Value): Value;
  or(a: Value, b: Value): Value;
  not(a: Value): Value;
  select(mask: Value, yes: Value, no: Value): Value;
  /**
   * Calls a function from functions/. The function is evaluated in float64x2, and the result is rounded to this kind.
   */
  call(name: string, ...args: Value[]): Value;
}
