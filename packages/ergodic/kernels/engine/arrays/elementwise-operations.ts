/**
 * Element-wise operations on registers: d = op(a, b, c) for the lanes in [d, end), 16 bytes at a time.
 *
 * Results have the same bits as compiled code (src/engine/compiler/primitives/, functions/): sums and products are each
 * rounded once, without fused multiply-add; min and max are NaN if either argument is NaN. Conditions are numbers: 0 is
 * false, anything else (including NaN) is true. Comparisons and logic return 0 or 1. d can be the same as a, b or c.
 */
import * as op from "../../../src/engine/memory/fields";
import { atan, cos, digamma, erf, erfc, exp, expm1, lgamma, log, log1p, pow, sigmoid, sin, softplus, tanh, trigamma } from "../numbers/functions";

function splat<T>(x: f64): v128 {
  return v128.splat<T>(<T>x);
}

function isTrue<T>(x: v128): v128 {
  return v128.ne<T>(x, splat<T>(0));
}

/** Turns a mask into 0 or 1. */
function number<T>(mask: v128): v128 {
  return v128.and(mask, splat<T>(1));
}

function sign<T>(x: v128): v128 {
  const zero = splat<T>(0);
  const below = v128.bitselect(splat<T>(-1), x, v128.lt<T>(x, zero));
  return v128.bitselect(splat<T>(1), below, v128.lt<T>(zero, x));
}

/** Operations with one argument, including the functions. */
function unary<T>(code: i32, d: usize, a: usize, end: usize): void {
  const by = a - d;
  switch (code) {
    case op.OP_COPY: for (; d < end; d += 16) v128.store(d, v128.load(d + by)); return;
    case op.OP_NEG: for (; d < end; d += 16) v128.store(d, v128.neg<T>(v128.load(d + by))); return;
    case op.OP_SQUARE: for (; d < end; d += 16) { const x = v128.load(d + by); v128.store(d, v128.mul<T>(x, x)); } return;
    case op.OP_ABS: for (; d < end; d += 16) v128.store(d, v128.abs<T>(v128.load(d + by))); return;
    case op.OP_SIGN: for (; d < end; d += 16) v128.store(d, sign<T>(v128.load(d + by))); return;
    case op.OP_FLOOR: for (; d < end; d += 16) v128.store(d, v128.floor<T>(v128.load(d + by))); return;
    case op.OP_SQRT: for (; d < end; d += 16) v128.store(d, v128.sqrt<T>(v128.load(d + by))); return;
    case op.OP_NOT: for (; d < end; d += 16) v128.store(d, number<T>(v128.not(isTrue<T>(v128.load(d + by))))); return;
    case op.OP_EXP: for (; d < end; d += 16) v128.store(d, exp<T>(v128.load(d + by))); return;
    case op.OP_EXPM1: for (; d < end; d += 16) v128.store(d, expm1<T>(v128.load(d + by))); return;
    case op.OP_TANH: for (; d < end; d += 16) v128.store(d, tanh<T>(v128.load(d + by))); return;
    case op.OP_SIGMOID: for (; d < end; d += 16) v128.store(d, sigmoid<T>(v128.load(d + by))); return;
    case op.OP_LOG: for (; d < end; d += 16) v128.store(d, log<T>(v128.load(d + by))); return;
    case op.OP_LOG1P: for (; d < end; d += 16) v128.store(d, log1p<T>(v128.load(d + by))); return;
    case op.OP_SOFTPLUS: for (; d < end; d += 16) v128.store(d, softplus<T>(v128.load(d + by))); return;
    case op.OP_COS: for (; d < end; d += 16) v128.store(d, cos<T>(v128.load(d + by))); return;
    case op.OP_SIN: for (; d < end; d += 16) v128.store(d, sin<T>(v128.load(d + by))); return;
    case op.OP_ROUND: for (; d < end; d += 16) v128.store(d, v128.nearest<T>(v128.load(d + by))); return;
    case op.OP_ATAN: for (; d < end; d += 16) v128.store(d, atan<T>(v128.load(d + by))); return;
    case op.OP_ERF: for (; d < end; d += 16) v128.store(d, erf<T>(v128.load(d + by))); return;
    case op.OP_ERFC: for (; d < end; d += 16) v128.store(d, erfc<T>(v128.load(d + by))); return;
    case op.OP_LGAMMA: for (; d < end; d += 16) v128.store(d, lgamma<T>(v128.load(d + by))); return;
    case op.OP_DIGAMMA: for (; d < end; d += 16) v128.store(d, digamma<T>(v128.load(d + by))); return;
    case op.OP_TRIGAMMA: for (; d < end; d += 16) v128.store(d, trigamma<T>(v128.load(d + by))); return;
    default: unreachable();
  }
}

export function operate<T>(code: i32, d: usize, a: usize, b: usize, c: usize, end: usize): void {
  const x = a - d, y = b - d, z = c - d;
  switch (code) {
    case op.OP_ADD: for (; d < end; d += 16) v128.store(d, v128.add<T>(v128.load(d + x), v128.load(d + y))); return;
    case op.OP_SUB: for (; d < end; d += 16) v128.store(d, v128.sub<T>(v128.load(d + x), v128.load(d + y))); return;
    case op.OP_MUL: for (; d < end; d += 16) v128.store(d, v128.mul<T>(v128.load(d + x), v128.load(d + y))); return;
    case op.OP_DIV: for (; d < end; d += 16) v128.store(d, v128.div<T>(v128.load(d + x), v128.load(d + y))); return;
    case op.OP_MIN: for (; d < end; d += 16) v128.store(d, v128.min<T>(v128.load(d + x), v128.load(d + y))); return;
    case op.OP_MAX: for (; d < end; d += 16) v128.store(d, v128.max<T>(v128.load(d + x), v128.load(d + y))); return;
    case op.OP_LESS: for (; d < end; d += 16) v128.store(d, number<T>(v128.lt<T>(v128.load(d + x), v128.load(d + y)))); return;
    case op.OP_LESS_EQUAL: for (; d < end; d += 16) v128.store(d, number<T>(v128.le<T>(v128.load(d + x), v128.load(d + y)))); return;
    case op.OP_EQUAL: for (; d < end; d += 16) v128.store(d, number<T>(v128.eq<T>(v128.load(d + x), v128.load(d + y)))); return;
    case op.OP_AND:
      for (; d < end; d += 16) v128.store(d, number<T>(v128.and(isTrue<T>(v128.load(d + x)), isTrue<T>(v128.load(d + y)))));
      return;
    case op.OP_OR:
      for (; d < end; d += 16) v128.store(d, number<T>(v128.or(isTrue<T>(v128.load(d + x)), isTrue<T>(v128.load(d + y)))));
      return;
    case op.OP_WHERE:
      for (; d < end; d += 16) v128.store(d, v128.bitselect(v128.load(d + y), v128.load(d + z), isTrue<T>(v128.load(d + x))));
      return;
    case op.OP_POW: for (; d < end; d += 16) v128.store(d, pow<T>(v128.load(d + x), v128.load(d + y))); return;
    default: unary<T>(code, d, a, end);
  }
}
