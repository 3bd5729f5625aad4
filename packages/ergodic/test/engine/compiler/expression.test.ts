/** Expressions: sharing, simplification, printing, substitution, cost, and the interpreter on known values. */
import { describe, expect, test } from "vitest";
import {
  abs,
  add,
  and,
  atan,
  constant,
  count,
  digamma,
  div,
  type Expr,
  equal,
  erf,
  evaluate,
  evaluateProgram,
  evaluateScalar,
  evaluateVector,
  exp,
  floor,
  index,
  inputsOf,
  less,
  log,
  max,
  maximum,
  min,
  mul,
  neg,
  not,
  operations,
  or,
  pow,
  print,
  round,
  scalar,
  sigmoid,
  sign,
  softplus,
  sqrt,
  square,
  stopGradient,
  sub,
  substitute,
  sum,
  trigamma,
  vector,
  where,
} from "../../../src/engine/compiler/index.ts";

const [g, r, p] = ["g", "r", "p"].map(vector);
const [rate, epsilon] = ["rate", "epsilon"].map(scalar);

test("represents equal expressions by one object", () => {
  expect(add(square(g), r)).toBe(add(square(g), r));
  expect(add(g, r)).not.toBe(add(r, g));
  expect(constant(0)).not.toBe(constant(-0));
  expect(scalar("g")).not.toBe(vector("g"));
});

describe("simplification", () => {
  const rules: [string, Expr, Expr][] = [
    ["x + 0", add(g, 0), g],
    ["0 + x", add(0, g), g],
    ["x − 0", sub(g, 0), g],
    ["0 − x", sub(0, g), neg(g)],
    ["x − x", sub(g, g), constant(0)],
    ["1·x", mul(1, g), g],
    ["x·0", mul(g, 0), constant(0)],
    ["−1·x", mul(-1, g), neg(g)],
    ["2·(3·x)", mul(2, mul(3, g)), mul(6, g)],
    ["x·x", mul(g, g), square(g)],
    ["x / 1", div(g, 1), g],
    ["0 / x", div(0, g), constant(0)],
    ["−(−x)", neg(neg(g)), g],
    ["x + (−y)", add(g, neg(r)), sub(g, r)],
    ["x − (−y)", sub(g, neg(r)), add(g, r)],
    ["(−x)·(−y)", mul(neg(g), neg(r)), mul(g, r)],
    ["−(x − y)", neg(sub(g, r)), sub(r, g)],
    ["√x²", sqrt(square(g)), abs(g)],
    ["|−x|", abs(neg(g)), abs(g)],
    ["x^2", pow(g, 2), square(g)],
    ["x^½", pow(g, 0.5), sqrt(g)],
    ["log exp x", log(exp(g)), g],
    ["¬¬c", not(not(less(g, r))), less(g, r)],
    ["a if c else a", where(less(g, r), g, g), g],
    ["a if ¬c else b", where(not(less(g, r)), g, r), where(less(g, r), r, g)],
    ["sum of a scalar", sum(rate), mul(count(), rate)],
    ["maximum of a scalar", maximum(rate), rate],
    ["constants", add(mul(2, 3), exp(0)), constant(7)],
    ["erf −x", erf(neg(g)), neg(erf(g))],
    ["atan −x", atan(neg(g)), neg(atan(g))],
    ["round ⌊x⌋", round(floor(g)), floor(g)],
    ["min(x, x)", min(g, g), g],
  ];
  test.each(rules)("simplifies %s", (_, simplified, expected) => expect(simplified).toBe(expected));

  test("keeps the rank of a condition, so that a vector stays a vector", () => {
    expect(where(less(g, 0), rate, rate).rank).toBe(1);
    expect(where(1, rate, g).rank).toBe(1);
  });
});

describe("print", () => {
  const printed: [string, Expr][] = [
    ["rate·g / (√(r + g²) + epsilon)", div(mul(rate, g), add(sqrt(add(r, square(g))), epsilon))],
    ["g − (r − p)", sub(g, sub(r, p))],
    ["g − r − p", sub(sub(g, r), p)],
    ["g / (r·p)", div(g, mul(r, p))],
    ["(g / r)·p", mul(div(g, r), p)],
    ["(g + r)²", square(add(g, r))],
    ["−g / r", neg(div(g, r))],
    ["(g²)²", square(square(g))],
    ["g^rate", pow(g, rate)],
    ["softplus(−p·g)", softplus(neg(mul(p, g)))],
    ["σ(g)", sigmoid(g)],
    ["|g − r|", abs(sub(g, r))],
    ["g if g < r else 0", where(less(g, r), g, 0)],
    ["g < 0 ∧ r < 0 ∨ p = 0", or(and(less(g, 0), less(r, 0)), equal(p, 0))],
    ["Σ(g²)", sum(square(g))],
    ["max(g)", maximum(g)],
    ["max(g, r)", max(g, r)],
    ["⌊rate⌋", floor(rate)],
    ["ψ(g) + ψ′(r) + erf(p)", add(add(digamma(g), trigamma(r)), erf(p))],
    ["1e−8 + g·n·i", add(1e-8, mul(mul(g, count()), index()))],
    ["(−2)·g", mul(g, -2)],
  ];
  test.each(printed)("prints %s", (text, expr) => expect(print(expr)).toBe(text));

  test("names repeated subexpressions if the text would be long", () => {
    let shared = add(scalar("t1"), vector("t"));
    for (let i = 0; i < 60; i++) shared = div(shared, add(shared, 1));
    const text = print(shared);
    expect(text).toMatch(/^tt60 \/ \(tt60 \+ 1\) where tt1 = t1 \+ t, tt2 = tt1 \/ \(tt1 \+ 1\), /);
    expect(text.length).toBeLessThan(1800);
    // This expression is long but shares nothing.
    let long = scalar("x");
    for (let i = 0; i < 600; i++) long = add(long, vector(`a${i}`));
    expect(print(long)).not.toContain("where");
  });

  test("renames inputs", () => expect(print(mul(rate, g), { rate: "η" })).toBe("η·g"));
});

test("substitute replaces by name or by node, and simplifies", () => {
  expect(substitute(mul(rate, g), { rate: 1 })).toBe(g);
  expect(substitute(add(g, square(r)), { g: neg(square(r)) })).toBe(sub(square(r), square(r)));
  expect(substitute(add(exp(g), r), new Map([[exp(g), constant(0)]]))).toBe(r);
  // Replacements are not substituted again.
  expect(substitute(add(g, r), { g: r, r: g })).toBe(add(r, g));
});

test("inputsOf lists each input once", () => {
  expect(inputsOf([mul(rate, g), add(g, epsilon)])).toEqual({ scalars: ["rate", "epsilon"], vectors: ["g"] });
});

test("operations counts shared parts once and ignores scalars", () => {
  const total = add(r, square(g));
  const step = div(mul(rate, g), add(sqrt(total), epsilon));
  expect(operations([total, step])).toBe(6);
  expect(operations([mul(pow(rate, epsilon), g)])).toBe(1);
  expect(operations([sum(square(g))])).toBe(2);
});

describe("the interpreter", () => {
  const vectors = { g: [1, -2, 3], r: [4, 5, 6] };

  test("computes element by element and broadcasts scalars", () => {
    expect([...evaluateVector(add(mul(rate, g), r), { vectors, scalars: { rate: 2 } })]).toEqual([6, 1, 12]);
    expect(evaluateScalar(sum(square(g)), { vectors })).toBe(14);
    expect(evaluateScalar(maximum(g), { vectors })).toBe(3);
    expect([...evaluateVector(mul(index(), count()), { count: 4 })]).toEqual([0, 4, 8, 12]);
    expect([...evaluateVector(sign(g), { vectors })]).toEqual([1, -1, 1]);
    expect([...evaluateVector(where(less(g, 0), stopGradient(r), rate), { vectors, scalars: { rate: 7 } })]).toEqual([7, 5, 7]);
  });

  test("returns 0 for empty sums and −∞ for empty maxima", () => {
    expect(evaluate(sum(g), { vectors: { g: [] } })).toBe(0);
    expect(evaluate(maximum(g), { vectors: { g: [] } })).toBe(-Infinity);
  });

  test("rounds vectors and scalars combined with them to f32, but not scalar arithmetic", () => {
    const environment = { vectors: { g: [1] }, scalars: { rate: 0.1, epsilon: 0.2 } };
    expect(evaluateVector(mul(add(rate, epsilon), g), environment, { precision: "f32" })[0]).toBe(Math.fround(0.1 + 0.2));
    expect(evaluateScalar(add(rate, epsilon), environment, { precision: "f32" })).toBe(0.1 + 0.2);
  });

  test("loads before it stores, and rounds integers", () => {
    const data = { g: Float64Array.of(1, 2), r: Int8Array.of(5, 6) };
    const operands = [
      { name: "g", type: "f64", access: "direct" } as const,
      { name: "r", type: "i8", access: "direct" } as const,
    ];
    const stores = [
      { operand: "g", value: r },
      { operand: "r", value: mul(g, 100.5) },
    ];
    const results = [{ scalar: "total", value: sum(g) }];
    expect(
      evaluateProgram({ name: "swap", precision: "f64", operands, scalars: [], stores, results }, { vectors: data }),
    ).toEqual({ total: 3 });
    expect([...data.g, ...data.r]).toEqual([5, 6, 100, 127]);
  });

  test("names a missing input", () => {
    expect(() => evaluate(g, {})).toThrow(/evaluate: the vector "g" is used but not given; .* \[COMPILE_INPUT\]/);
    expect(() => evaluate(mul(rate, g), { vectors })).toThrow(/scalar "rate"/);
    expect(() => evaluate(add(g, r), { vectors: { g: [1], r: [1, 2] } })).toThrow(/"r" has 2 elements where 1 are wanted/);
    expect(() => add(undefined as unknown as number, 1)).toThrow(
      /add: a is undefined, but must be an expression, .*or a number; a name may be missing/,
    );
  });
});
