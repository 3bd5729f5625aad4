/**
 * Comparisons, logic, where, minimum, maximum, |x| and sign. If the arguments of `min` or `max` are equal, the first
 * argument gets the whole derivative. The derivative of |x| at 0 is 0. `min` and `max` are NaN if either argument is
 * NaN.
 */
import { constant, type Expr, isConstant } from "../expression.ts";
import {
  type Binary,
  type Chain,
  type Primitive,
  type PrintForm,
  primitive,
  primitiveOf,
  type Ternary,
  type Unary,
} from "../primitive.ts";
import { mul, neg } from "./arithmetic.ts";

const [ANY, EVERY, COMPARISON, SUM, ATOM] = [1, 2, 3, 4, 9];
const truth = (x: number): boolean => x !== 0;
const isCondition = (x: Expr): boolean => primitiveOf(x)?.condition === true;

function comparison(name: string, symbol: string, holds: (a: number, b: number) => boolean, code: Primitive["code"]) {
  return primitive({
    name,
    reference: (a, b) => Number(holds(a, b)),
    derivative: () => null,
    print: { strength: COMPARISON, needs: [SUM, SUM], write: (a, b) => `${a} ${symbol} ${b}` },
    cost: 1,
    condition: true,
    code,
  });
}

/** 1 where a < b, else 0; 0 with NaN. */
export const less: Binary = /* @__PURE__ */ comparison(
  "less",
  "<",
  (a, b) => a < b,
  (m, a, b) => m.less(a, b),
);
/** 1 where a <= b, else 0; 0 with NaN. */
export const lessEqual: Binary = /* @__PURE__ */ comparison(
  "lessEqual",
  "≤",
  (a, b) => a <= b,
  (m, a, b) => m.lessEqual(a, b),
);
/** 1 where a = b, else 0; 0 with NaN. */
export const equal: Binary = /* @__PURE__ */ comparison(
  "equal",
  "=",
  (a, b) => a === b,
  (m, a, b) => m.equal(a, b),
);

const infix = (strength: number, symbol: string): PrintForm => ({
  strength,
  needs: [strength, strength],
  write: (a, b) => `${a} ${symbol} ${b}`,
});

/** 1 where all are nonzero, else 0. */
export const and: Chain = /* @__PURE__ */ primitive({
  name: "and",
  chains: true,
  reference: (a, b) => Number(truth(a) && truth(b)),
  simplify: (a, b) => (isConstant(a, 0) || isConstant(b, 0) ? constant(0) : a === b && isCondition(a) ? a : null),
  derivative: () => null,
  print: infix(EVERY, "∧"),
  cost: 1,
  condition: true,
  conditions: [0, 1],
  code: (m, a, b) => m.and(a, b),
});

/** 1 where any is nonzero, else 0. */
export const or: Chain = /* @__PURE__ */ primitive({
  name: "or",
  chains: true,
  reference: (a, b) => Number(truth(a) || truth(b)),
  simplify: (a, b) => (a === b && isCondition(a) ? a : null),
  derivative: () => null,
  print: infix(ANY, "∨"),
  cost: 1,
  condition: true,
  conditions: [0, 1],
  code: (m, a, b) => m.or(a, b),
});

/** 1 where x is 0, else 0. */
export const not: Unary = /* @__PURE__ */ primitive({
  name: "not",
  reference: (x) => Number(!truth(x)),
  simplify: (x) => (x.op === "not" && isCondition(x.args[0]) ? x.args[0] : null),
  derivative: () => null,
  print: { strength: ATOM, needs: [ATOM], write: (x) => `¬${x}` },
  cost: 1,
  condition: true,
  conditions: [0],
  code: (m, x) => m.not(x),
});

/** `yes` where the condition holds, else `no`; both are computed. */
export const where: Ternary = /* @__PURE__ */ primitive({
  name: "where",
  reference: (condition, yes, no) => (truth(condition) ? yes : no),
  simplify(condition, yes, no) {
    if (condition.op === "constant" && yes.rank === no.rank) return truth(condition.value) ? yes : no;
    if (yes === no && yes.rank >= condition.rank) return yes;
    if (condition.op === "not") return where(condition.args[0], no, yes);
    return null;
  },
  derivative(adjoint, { args: [condition] }, i) {
    if (i === 0) return null;
    return i === 1 ? where(condition, adjoint, 0) : where(condition, 0, adjoint);
  },
  print: { strength: 0, needs: [1, 1, 0], write: (condition, yes, no) => `${yes} if ${condition} else ${no}` },
  cost: 1,
  conditions: [0],
  code: (m, condition, yes, no) => m.select(condition, yes, no),
});

/**
 * Smallest of a, b, …; NaN if any is NaN. If several arguments are the smallest or largest, the first of them gets the
 * derivative.
 */
export const min: Chain = /* @__PURE__ */ primitive({
  name: "min",
  chains: true,
  reference: Math.min,
  simplify: (a, b) => (a === b ? a : null),
  derivative: (adjoint, { args: [a, b] }, i) => (i === 0 ? where(lessEqual(a, b), adjoint, 0) : where(less(b, a), adjoint, 0)),
  cost: 1,
  code: (m, a, b) => m.min(a, b),
});

/**
 * Largest of a, b, …; NaN if any is NaN. If several arguments are the smallest or largest, the first of them gets the
 * derivative.
 */
export const max: Chain = /* @__PURE__ */ primitive({
  name: "max",
  chains: true,
  reference: Math.max,
  simplify: (a, b) => (a === b ? a : null),
  derivative: (adjoint, { args: [a, b] }, i) => (i === 0 ? where(lessEqual(b, a), adjoint, 0) : where(less(a, b), adjoint, 0)),
  cost: 1,
  code: (m, a, b) => m.max(a, b),
});

/** Sign of x: −1, 1, or x itself if x is ±0 or NaN. */
export const sign: Unary = /* @__PURE__ */ primitive({
  name: "sign",
  reference: Math.sign,
  simplify: (x) => (x.op === "neg" ? neg(sign(x.args[0])) : x.op === "sign" ? x : null),
  derivative: () => null,
  cost: 4,
  code: (m, x) => m.select(m.less(m.constant(0), x), m.constant(1), m.select(m.less(x, m.constant(0)), m.constant(-1), x)),
});

/** |x|, element by element; its derivative at 0 is 0. */
export const abs: Unary = /* @__PURE__ */ primitive({
  name: "abs",
  reference: Math.abs,
  simplify: (x) => (x.op === "neg" ? abs(x.args[0]) : ["abs", "square", "exp", "sqrt", "sigmoid"].includes(x.op) ? x : null),
  derivative: (adjoint, { args: [x] }) => mul(adjoint, sign(x)),
  print: { strength: ATOM, needs: [0], write: (x) => `|${x}|` },
  cost: 1,
  code: (m, x) => m.abs(x),
});

/** The value of x; its derivative is zero. */
export const stopGradient: Unary = /* @__PURE__ */ primitive({
  name: "stopGradient",
  reference: (x) => x,
  simplify: (x) => (x.op === "stopGradient" ? x : null),
  derivative: () => null,
  print: { strength: ATOM, needs: [0], write: (x) => `[${x}]` },
  cost: 0,
  code: (_, x) => x,
});

/** Largest integer <= x; its derivative is 0. */
export const floor: Unary = /* @__PURE__ */ primitive({
  name: "floor",
  reference: Math.floor,
  simplify: (x) => (x.op === "floor" ? x : null),
  derivative: () => null,
  print: { strength: ATOM, needs: [0], write: (x) => `⌊${x}⌋` },
  cost: 1,
  code: (m, x) => m.floor(x),
});

/** Nearest integer. Ties go to the even integer, whereas Math.round rounds them up. Zeros keep their sign. */
export const round: Unary = /* @__PURE__ */ primitive({
  name: "round",
  reference(x) {
    const below = Math.floor(x);
    const rest = x - below;
    // ±0 and all numbers beyond 2^52 are integers; NaN and ±∞ are returned unchanged.
    if (!(rest > 0)) return x;
    const near = rest < 0.5 || (rest === 0.5 && below % 2 === 0) ? below : below + 1;
    return near === 0 && x < 0 ? -0 : near;
  },
  simplify: (x) => (x.op === "round" || x.op === "floor" ? x : null),
  derivative: () => null,
  cost: 1,
  code: (m, x) => m.nearest(x),
});
