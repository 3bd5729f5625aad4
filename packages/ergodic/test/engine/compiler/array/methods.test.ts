/**
 * Sums and products of many terms, and operations as methods, build the same nodes as the functions that they
 * abbreviate.
 */
import { describe, expect, it } from "vitest";
import type { ArrayMethods } from "../../../../src/engine/compiler/array/chained.ts";
import {
  compileFunction,
  input,
  interpret,
  isArray,
  type SymbolicArray,
  scan,
} from "../../../../src/engine/compiler/array/index.ts";
import * as compiler from "../../../../src/engine/compiler/index.ts";
import { add, and, less, max, min, mul, or, scalar, vector } from "../../../../src/engine/compiler/index.ts";
import type { Binary, Chain, Reducer, Ternary, Unary } from "../../../../src/engine/compiler/primitive.ts";
import { numbers } from "../../../reference/arrays.ts";

const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => input(name, [3]));
const [m, n] = [input("m", [3, 3]), input("n", [3, 3])];

describe("functions of two or more arguments", () => {
  it.each([
    ["add", add],
    ["mul", mul],
    ["min", min],
    ["max", max],
    ["and", and],
    ["or", or],
  ] as const)("evaluates %s from the left, for arrays and expressions", (_, f) => {
    expect(f(a, b, c, d)).toBe(f(f(f(a, b), c), d));
    const [x, y, z] = [vector("x"), vector("y"), scalar("z")];
    expect(f(x, y, z)).toBe(f(f(x, y), z));
    // Numbers before the first array are combined first.
    const joined = f(compiler.full(2), 3);
    expect(f(2, 3, a)).toBe(f(joined, a));
  });

  it("rounds like a sum from the left", async () => {
    const values = { a: [0.1, 1e16, 1], b: [0.2, 1, 1e16], c: [0.3, -1e16, -1e16] };
    const program = await compileFunction({ a: [3], b: [3], c: [3] }, (x) => add(x.a, x.b, x.c));
    const wanted = values.a.map((x, i) => x + values.b[i] + values.c[i]);
    expect([...program(values).outputs.value]).toEqual(wanted);
    expect([...interpret([add(a, b, c)], values)[0]]).toEqual(wanted);
  });

  it("keeps every comparison in a chain and reports no unused condition", () => {
    const made = compiler.watchConditions(
      () => and(less(a, b), less(b, c), less(c, d)),
      (y) => [y],
    );
    expect([...interpret([made], { a: [1, 1, 3], b: [2, 2, 2], c: [3, 3, 3], d: [4, 0, 4] })[0]]).toEqual([1, 0, 0]);
  });
});

describe("methods", () => {
  const calls: Readonly<Record<string, readonly unknown[]>> = {
    add: [b, c],
    mul: [2, b, c],
    min: [b, c],
    max: [b],
    and: [b, c],
    or: [b],
    where: [b, 0],
    sum: [{ axis: 0, keep: true }],
    mean: [{ axis: 0 }],
    maximum: [],
    minimum: [],
    logSumExp: [],
    cumsum: [{ reverse: true }],
    dot: [b],
    at: [-1],
    take: [[0, 2]],
    slice: [{ from: 1 }],
    reshape: [[3, 1]],
  };
  const chains = ["add", "mul", "min", "max", "and", "or"];
  const elementwise = compiler.allPrimitives().map(({ name, reference }) => ({ name, arity: reference.length }));
  const [two, one] = [2, 1].map((arity) => elementwise.filter((each) => each.arity === arity).map(({ name }) => name));

  it("match the functions of the same name and refuse surplus arguments", () => {
    const all: Readonly<Record<string, readonly unknown[]>> = {
      ...Object.fromEntries([...two.map((name) => [name, [b]]), ...one.map((name) => [name, []])]),
      ...calls,
    };
    const inherited = Object.entries(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(a)))
      .filter(([name, { value }]) => name !== "constructor" && typeof value === "function")
      .map(([name]) => name);
    expect(inherited.sort()).toEqual([...Object.keys(all), "matmul", "transpose"].sort());
    for (const [name, given] of Object.entries(all)) {
      const method = (a as unknown as Record<string, (...given: unknown[]) => SymbolicArray>)[name];
      const plain = (compiler as unknown as Record<string, (...given: unknown[]) => SymbolicArray>)[name];
      expect(isArray(method.apply(a, [...given])), name).toBe(true);
      expect(method.apply(a, [...given]), name).toBe(plain(a, ...given));
      if (!chains.includes(name))
        expect(() => method.call(a, ...given, 1, 2, 3), name).toThrow(new RegExp(`^${name}: .*COMPILE_`));
    }
    expect(m.matmul(n)).toBe(compiler.matmul(m, n));
    expect(m.transpose([1, 0])).toBe(compiler.transpose(m, [1, 0]));
    expect(m.transpose()).toBe(compiler.transpose(m));
  });

  it("exist and are typed for every element-wise operation that the compiler exports", () => {
    const exported: Readonly<Record<string, unknown>> = compiler;
    const known = elementwise.map(({ name }) => name).filter((name) => name in exported);
    expect(known.length).toBeGreaterThan(30);
    expect(known.filter((name) => !(name in a))).toEqual([]);
    // An operation that accepts both arrays and symbols of rules is element-wise or a reduction.
    type Exports = typeof compiler;
    type Elementwise = {
      [Name in keyof Exports]: Exports[Name] extends Unary | Binary | Chain | Ternary | Reducer ? Name : never;
    }[keyof Exports];
    const untyped: never[] = [] as Exclude<Elementwise, keyof ArrayMethods<unknown>>[];
    expect(untyped).toEqual([]);
  });

  it("expresses a regression of four terms in one line", () => {
    const [alpha, beta, gamma] = ["alpha", "beta", "gamma"].map((name) => input(name, []));
    const line = alpha.add(beta.mul(a), gamma.mul(b.square()), a.mul(b));
    expect(line).toBe(add(add(add(alpha, mul(beta, a)), mul(gamma, compiler.square(b))), mul(a, b)));
  });
});

describe("constant indices", () => {
  it("accepts lists of indices along any axis", () => {
    expect([...interpret([compiler.take(a, [0, 2])], { a: [5, 6, 7] })[0]]).toEqual([5, 7]);
    const values = numbers(9, 1);
    expect([...interpret([compiler.take(m, [2, 0], 1)], { m: values })[0]]).toEqual([2, 0, 5, 3, 8, 6].map((i) => values[i]));
    expect(compiler.gather(m, [1]).shape).toEqual([1, 3]);
    expect(compiler.take(a, 1).shape).toEqual([]);
  });

  it.each([
    [
      "take",
      () => compiler.take(a, [0, 3]),
      /take: index 1 is 3, but must be a whole number from 0 to 2, as indices count from 0 \(at/,
    ],
    ["take, from 1", () => compiler.take(a, [1, 2, 3]), /take: index 2 is 3.*these count from 1: subtract 1 from each/],
    ["take, negative", () => compiler.take(a, [-1]), /take: the index is -1/],
    ["take, made of constants", () => compiler.take(a, compiler.toArray([0, 1, 2]).add(1)), /take: index 2 is 3/],
    ["take, NaN", () => compiler.take(a, [0, Number.NaN]), /take: index 1 is NaN/],
    [
      "take, along the other axis",
      () => compiler.take(input("wide", [2, 5]), [2], 0),
      /the index is 2, but must be a whole number from 0 to 1/,
    ],
    ["gather", () => compiler.gather(m, [0.5]), /gather: the index is 0\.5/],
    ["pick", () => compiler.pick(m, [0, 1, 3]), /pick: index 2 is 3/],
    ["oneHot", () => compiler.oneHot([1, 2], 2), /oneHot: index 1 is 2/],
    ["scatter", () => compiler.scatter(a, [0, 1, 2], 2), /scatter: index 2 is 2/],
    [
      "an element of a scan",
      () => scan([compiler.full(0)], [compiler.toArray([1, 2, 3])], ([carry], [i]) => [[carry.add(compiler.take(a, i))], []]),
      /take: index 2 is 3.*subtract 1/,
    ],
    [
      "a function of an element of a scan",
      () =>
        scan([compiler.full(0)], [compiler.toArray([1, 2, 0])], ([carry], [i]) => [[carry.add(compiler.take(a, i.sub(1)))], []]),
      /take: index 2 is -1/,
    ],
  ])("refuses the index: %s", (_, run, words) => {
    expect(run).toThrow(words);
    expect(run).toThrow("COMPILE_INDEX");
  });

  it("accepts symbolic indices without a check", () => {
    expect([...interpret([compiler.take(a, b)], { a: [5, 6, 7], b: [0, 3, 2] })[0]]).toEqual([5, Number.NaN, 7]);
    const scanned = scan([compiler.full(0)], [compiler.toArray([1, 2, 3])], ([carry], [i]) => [
      [carry.add(compiler.take(a, i.sub(1)))],
      [],
    ]);
    expect([...interpret([scanned.carries[0]], { a: [5, 6, 7] })[0]]).toEqual([18]);
  });
});
