/**
 * kernels/engine/arrays/elementwise.ts: every operation has the bits of compiled code, loops over strides and
 * reductions agree with the twin, and the generated functions are complete.
 */
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { functionsSource } from "../../../scripts/generate-functions.mjs";
import { functions } from "../../../src/engine/compiler/functions/all-functions.ts";
import { Graph } from "../../../src/engine/compiler/machine/graph.ts";
import { Wide } from "../../../src/engine/compiler/machine/instructions.ts";
import { DataError } from "../../../src/engine/errors/errors.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import "../../../src/engine/compiler/index.ts";
import { allPrimitives } from "../../../src/engine/compiler/primitive.ts";
import { type ElementwiseLoop, elementwiseCode, elementwiseOperations } from "../../../src/engine/memory/elementwise.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { power } from "../../power.ts";
import { elementwise } from "../../reference/elementwise.ts";
import { ownFunctions } from "../compiler/harness.ts";
import { elementBytes, expectSame, type FloatType, floatTypes, Guarded, rounded, roundoff, worst } from "./guarded.ts";

const engine = await openEngine();
const cases = floatTypes.flatMap((type) => [true, false].map((deterministic) => ({ type, deterministic })));
const rounding = { f32: Math.fround, f64: (x: number) => x };
const references = new Map(allPrimitives().map(({ name, reference }) => [name, reference]));
const compiled = (type: FloatType) => (name: string) => ownFunctions(name, type) ?? references.get(name)!;

/** Runs the loop in the kernel and returns the arrays, each in guarded memory. */
function ran(type: FloatType, deterministic: boolean, loop: ElementwiseLoop, arrays: readonly number[][]): number[][] {
  using memory = new Guarded(engine);
  const { words, scratchBytes } = elementwiseCode(loop, elementBytes[type]);
  const addresses = arrays.map((values) => memory.put(type, values));
  const scratch = memory.put("i8", new Array<number>(scratchBytes).fill(-1));
  engine.kernel(`elementwise${type.toUpperCase()}`, deterministic)(
    memory.put("u32", words),
    memory.put("u32", addresses),
    scratch,
  );
  memory.read("i8", scratch, scratchBytes);
  return addresses.map((at, i) => memory.read(type, at, arrays[i].length));
}

function twin(type: FloatType, loop: ElementwiseLoop, arrays: readonly number[][]): number[][] {
  const written = arrays.map((values) => [...values]);
  elementwise(loop, written, compiled(type), rounding[type]);
  return written;
}

const flat = (value: number) => ({ value, offset: 0, strides: [1] });
const specials = [
  Number.NaN,
  Infinity,
  -Infinity,
  0,
  -0,
  1,
  -1,
  0.5,
  -2,
  1e-40,
  -1e-45,
  5e-324,
  88.8,
  -104,
  710,
  -746,
  3e38,
  -1e300,
  1e-320,
];

it("supports every primitive of the compiler", () => {
  expect(Object.keys(elementwiseOperations).sort()).toEqual([...references.keys()].sort());
});

it("has the functions that the compiler emits; otherwise run scripts/generate-functions.mjs", async () => {
  const written = await readFile(new URL("../../../kernels/engine/numbers/functions.ts", import.meta.url), "utf8");
  expect(written).toBe(functionsSource({ functions, Graph, Wide }));
});

describe.each(cases)("$type, deterministic: $deterministic", ({ type, deterministic }) => {
  const draws = stream(8, "elementwise", type).at(0);
  const normals = (count: number) =>
    rounded(
      type,
      Array.from({ length: count }, () => 2 * draws.normal()),
    );
  const check = (loop: ElementwiseLoop, arrays: readonly number[][]): void => {
    const wanted = twin(type, loop, arrays);
    for (const [i, found] of ran(type, deterministic, loop, arrays).entries()) expectSame(found, wanted[i]);
  };

  it.each(Object.keys(elementwiseOperations))(
    "%s: agrees to the bit over 1 … 9 elements, around 16, full registers and special values",
    (name) => {
      const [, arity] = elementwiseOperations[name];
      const args = Array.from({ length: arity }, (_, i) => i);
      const over = (inputs: number[][]): void => {
        const loads = inputs.map((_, i) => flat(i));
        const loop = {
          shape: [inputs[0].length],
          loads,
          constants: [],
          reductions: [],
          stores: [{ to: flat(arity), from: arity }],
        };
        check({ ...loop, operations: [[name, ...args]] }, [...inputs, inputs[0].map(() => 55)]);
      };
      for (const n of [...Array.from({ length: 9 }, (_, i) => i + 1), 16, 17, 255, 256, 257]) over(args.map(() => normals(n)));
      const values = rounded(type, specials);
      const pairs = values.flatMap((a) => values.map((b) => [a, b]));
      over(args.map((i) => pairs.map((pair) => (i < 2 ? pair[i] : 7))));
    },
  );

  it("walks broadcast, transposed, reversed and gapped arrays by strides, up to 5 axes", () => {
    for (let trial = 0; trial < power(30, 60); trial++) {
      const rank = trial % 6;
      const shape = Array.from({ length: rank }, () => 1 + draws.integer(rank < 3 ? 40 : 7));
      const kinds = Array.from({ length: 3 }, () => layout(shape, draws.integer(4)));
      const made = layout(shape, 3);
      const loop: ElementwiseLoop = {
        shape,
        loads: kinds.map(({ offset, strides }, value) => ({ value, offset, strides })),
        constants: [0.75, -2],
        operations: [
          ["mul", 0, 1],
          ["add", 5, 3],
          ["less", 2, 4],
          ["where", 7, 6, 2],
        ],
        stores: [
          { to: { value: 3, offset: made.offset, strides: made.strides }, from: 8 },
          { to: { value: 4, offset: 0, strides: layout(shape, 0).strides }, from: 1 },
        ],
        reductions: [],
      };
      check(loop, [...kinds.map(({ size }) => normals(size)), normals(made.size), normals(layout(shape, 0).size)]);
    }

    /** Layout kinds: 0 contiguous, 1 transposed, 2 broadcast along random axes, 3 with steps, some of them negative. */
    function layout(shape: number[], kind: number): { offset: number; strides: number[]; size: number } {
      const order = shape.map((_, i) => (kind === 1 ? i : shape.length - 1 - i));
      const strides = shape.map(() => 0);
      let size = 1;
      for (const axis of order) {
        if (kind === 2 && draws.integer(2) === 0) continue;
        const step = kind === 3 ? 1 + draws.integer(2) : 1;
        strides[axis] = size * step * (kind === 3 && draws.integer(2) === 0 ? -1 : 1);
        size *= shape[axis] * step;
      }
      const offset = strides.reduce((sum, stride, axis) => sum + (stride < 0 ? -stride * (shape[axis] - 1) : 0), 0);
      return { offset, strides, size };
    }
  });

  it("reduces any adjacent axes, with sums within their bound and exact extremes", () => {
    for (let trial = 0; trial < power(40, 80); trial++) {
      const rank = 1 + (trial % 4);
      const shape = Array.from({ length: rank }, () => 1 + draws.integer([600, 40, 12, 7][rank - 1]));
      const from = draws.integer(rank);
      const to = from + 1 + draws.integer(rank - from);
      const whole = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
      const kept = shape.map((n, axis) => (axis >= from && axis < to ? 1 : n));
      const strides = kept.map((_, axis) => (axis >= from && axis < to ? 0 : kept.slice(axis + 1).reduce((a, b) => a * b, 1)));
      const size = kept.reduce((a, b) => a * b, 1);
      const reduction = (kind: "sum" | "maximum" | "minimum", value: number, register: number) =>
        ({ kind, size, from: register, to: { value, offset: 0, strides } }) as const;
      const loop: ElementwiseLoop = {
        shape,
        loads: [{ value: 0, offset: 0, strides: whole }],
        constants: [],
        operations: [
          ["neg", 0],
          ["abs", 0],
        ],
        stores: [],
        reductions: [reduction("sum", 1, 0), reduction("maximum", 2, 1), reduction("minimum", 3, 1), reduction("sum", 4, 2)],
      };
      const x = normals(shape.reduce((a, b) => a * b, 1));
      const arrays = [x, ...Array.from({ length: 4 }, () => new Array<number>(size).fill(55))];
      const found = ran(type, deterministic, loop, arrays);
      const wanted = twin("f64", loop, arrays);
      expectSame(found[2], wanted[2]);
      expectSame(found[3], wanted[3]);
      // The rounding of the result, and twice that of a float64 sum, for the twin and the kernel.
      const bound = wanted[4].map((sum) => sum * (roundoff[type] + 2 * (x.length / size + 3) * roundoff.f64));
      expect(worst(found[1], wanted[1], bound)).toBeLessThanOrEqual(1);
      expect(worst(found[4], wanted[4], bound)).toBeLessThanOrEqual(1);
    }
  });

  it("propagates NaN and infinity through reductions", () => {
    const loop = (kind: "sum" | "maximum" | "minimum"): ElementwiseLoop => ({
      shape: [5, 9],
      loads: [{ value: 0, offset: 0, strides: [9, 1] }],
      constants: [],
      operations: [],
      stores: [],
      reductions: [{ kind, size: 5, from: 0, to: { value: 1, offset: 0, strides: [1, 0] } }],
    });
    const rows = [[Number.NaN], [Infinity], [-Infinity], [Infinity, -Infinity], [-0]];
    const x = rows.flatMap((row) => [...new Array<number>(9 - row.length).fill(1), ...row]);
    const results = (kind: "sum" | "maximum" | "minimum") =>
      ran(type, deterministic, loop(kind), [x, new Array<number>(5).fill(55)])[1];
    expect(results("sum")).toEqual([Number.NaN, Infinity, -Infinity, Number.NaN, 8]);
    expect(results("maximum")).toEqual([Number.NaN, Infinity, 1, Infinity, 1]);
    expect(results("minimum")).toEqual([Number.NaN, 1, -Infinity, -Infinity, -0]);
  });

  it("stores into arrays that it loads, in place or exchanged", () => {
    for (const n of [1, 3, 16, 256, 300, 513]) {
      const exchange: ElementwiseLoop = {
        shape: [n],
        loads: [flat(0), flat(1)],
        constants: [],
        operations: [],
        stores: [
          { to: flat(0), from: 1 },
          { to: flat(1), from: 0 },
        ],
        reductions: [],
      };
      const arrays = [normals(n), normals(n)];
      expect(ran(type, deterministic, exchange, arrays)).toEqual([arrays[1], arrays[0]]);
      const inPlace: ElementwiseLoop = {
        ...exchange,
        operations: [
          ["square", 0],
          ["sub", 1, 2],
          ["mul", 0, 3],
        ],
        stores: [
          { to: flat(0), from: 3 },
          { to: flat(1), from: 4 },
        ],
      };
      check(inPlace, arrays);
    }
  });

  it("reuses registers of dead values, so that long chains need few", () => {
    const operations: [string, ...number[]][] = [["add", 0, 0]];
    for (let i = 1; i < 100; i++) operations.push(i % 2 ? ["sub", i, 0] : ["max", i, i]);
    const loop: ElementwiseLoop = {
      shape: [40],
      loads: [flat(0)],
      constants: [],
      operations,
      stores: [{ to: flat(1), from: 100 }],
      reductions: [],
    };
    expect(elementwiseCode(loop, elementBytes[type]).words[1]).toBe(2);
    check(loop, [normals(40), normals(40)]);
  });
});

it("refuses unknown operations and missing values", () => {
  const loop = (operation: [string, ...number[]]): ElementwiseLoop => ({
    shape: [2],
    loads: [flat(0)],
    constants: [],
    operations: [operation],
    stores: [],
    reductions: [],
  });
  expect(() => elementwiseCode(loop(["bessel", 0]), 8, "net")).toThrow(DataError);
  expect(() => elementwiseCode(loop(["bessel", 0]), 8, "net")).toThrow('net: uses the operation "bessel"');
  expect(() => elementwiseCode(loop(["add", 0, 1]), 8)).toThrow("names the value 1, but has 1 values");
  expect(() => elementwiseCode(loop(["add", 0]), 8)).toThrow("gives 1 arguments to add, which takes 2");
});
