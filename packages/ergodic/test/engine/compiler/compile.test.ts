/**
 * Compiled programs match the interpreter for every primitive, storage type, access and kind of pass. Also tests the
 * structure of modules.
 */
import { describe, expect, test } from "vitest";
import { evaluateProgram } from "../../../src/engine/compiler/evaluate.ts";
import { intern } from "../../../src/engine/compiler/expression.ts";
import {
  abs,
  add,
  allPrimitives,
  compile,
  constant,
  count,
  div,
  type Expr,
  equal,
  exp,
  index,
  less,
  log,
  max,
  maximum,
  mul,
  type Operand,
  type ProgramEnvironment,
  type ProgramSpec,
  pow,
  type StorageType,
  scalar,
  softplus,
  sqrt,
  square,
  sub,
  sum,
  vector,
  where,
} from "../../../src/engine/compiler/index.ts";
import { isSlow } from "../../power.ts";
import { ownFunctions, runProgram } from "./harness.ts";

const ARRAYS = { f64: Float64Array, f32: Float32Array, i16: Int16Array, i8: Int8Array } as const;
const LENGTHS = Array.from({ length: 18 }, (_, n) => n);
const EDGES = [
  0,
  -0,
  1,
  -1,
  Number.NaN,
  Infinity,
  -Infinity,
  5e-324,
  -1e-310,
  1e-40,
  -2.5,
  0.5,
  1e300,
  -1e39,
  3,
  7,
  -0.1,
  2 ** 31,
];
const direct = (name: string, type: StorageType): Operand => ({ name, type, access: "direct" });
const [a, b, c] = ["a", "b", "c"].map(vector);
const [s, t] = ["s", "t"].map(scalar);

const copied = (environment: ProgramEnvironment): ProgramEnvironment => ({
  ...environment,
  vectors: Object.fromEntries(Object.entries(environment.vectors).map(([name, data]) => [name, data.slice()])),
});

/** Runs a program both ways and returns the memory contents and results of each. */
function bothWays(spec: ProgramSpec, environment: ProgramEnvironment, options = {}) {
  const [compiled, interpreted] = [copied(environment), copied(environment)];
  const results = runProgram(spec, compiled, options);
  const expected = evaluateProgram(spec, { ...interpreted, override: ownFunctions });
  return { results, expected, stored: compiled.vectors, wanted: interpreted.vectors };
}

const data = (type: StorageType, n: number, salt: number): Numbers =>
  filled(type, n, (i) => (type.startsWith("i") ? ((i * 37 + salt * 11) % 251) - 125 : Math.sin(i * 1.7 + salt) * 3));

type Numbers = Float64Array | Float32Array | Int16Array | Int8Array;

const filled = (type: StorageType, n: number, element: (i: number) => number): Numbers => {
  const made = new ARRAYS[type](n);
  for (let i = 0; i < n; i++) made[i] = element(i);
  return made;
};

describe.each(allPrimitives().map((p) => p.name))("primitive %s", (name) => {
  const { arity, isCalled } = describePrimitive(name);
  const inputs = ["a", "b", "c"].slice(0, arity);

  test.each(["f64", "f32"] as const)("gives the interpreter's bits for lengths 0 … 17 and edge values in %s", (precision) => {
    const value = intern(name, inputs.map(vector), 1);
    const spec: ProgramSpec = {
      name,
      precision,
      operands: [...inputs, "o"].map((n) => direct(n, precision)),
      scalars: [],
      stores: [{ operand: "o", value }],
      results: [],
    };
    for (const n of isCalled ? [0, 1, 5, 17] : LENGTHS) {
      const vectors = Object.fromEntries(
        spec.operands.map((o, k) => [o.name, filled(precision, n, (i) => EDGES[(i * (2 * k + 1) + k + n) % EDGES.length])]),
      );
      const { stored, wanted } = bothWays(spec, { vectors, count: n });
      expect([...stored.o]).toEqual([...wanted.o]);
    }
  });

  test("gives the interpreter's bits for scalars", () => {
    const value = intern(name, inputs.map(scalar), 0);
    const spec: ProgramSpec = {
      name,
      precision: "f64",
      operands: [],
      scalars: inputs,
      stores: [],
      results: [{ scalar: "o", value }],
    };
    for (const k of [0, 1, 2, 3, 4]) {
      const scalars = Object.fromEntries(inputs.map((input, i) => [input, EDGES[(5 * k + i * 3) % EDGES.length]]));
      const { results, expected } = bothWays(spec, { vectors: {}, scalars, count: 0 });
      expect(results).toEqual(expected);
    }
  });
});

function describePrimitive(name: string): { arity: number; isCalled: boolean } {
  const entry = allPrimitives().find((p) => p.name === name)!;
  const takes = entry.print?.needs.length ?? (["min", "max", "pow"].includes(name) ? 2 : 1);
  return { arity: takes, isCalled: ownFunctions(name, "f64") !== undefined };
}

describe("storage", () => {
  const types: StorageType[] = ["f64", "f32", "i16", "i8"];
  test.each(
    types.flatMap((from) => types.flatMap((to) => (["f64", "f32"] as const).map((precision) => [from, to, precision] as const))),
  )("converts %s → %s in %s with direct access", (from, to, precision) => {
    const spec: ProgramSpec = {
      name: "convert",
      precision,
      operands: [direct("a", from), direct("o", to)],
      scalars: ["s"],
      stores: [{ operand: "o", value: mul(s, a) }],
      results: [],
    };
    for (const n of LENGTHS) {
      const { stored, wanted } = bothWays(spec, {
        vectors: { a: data(from, n, n), o: data(to, n, 1) },
        scalars: { s: 1.5 },
        count: n,
      });
      expect([...stored.o]).toEqual([...wanted.o]);
    }
  });

  test.each(types.map((type) => [type] as const))(
    "saturates integers, stores NaN as 0, and rounds halves to even: %s",
    (type) => {
      const values = [
        Number.NaN,
        Infinity,
        -Infinity,
        1e10,
        -1e10,
        0.5,
        1.5,
        2.5,
        -0.5,
        -1.5,
        126.7,
        127.5,
        -128.6,
        32767.6,
        -32769,
      ];
      for (const precision of ["f64", "f32"] as const) {
        const spec: ProgramSpec = {
          name: "store",
          precision,
          operands: [direct("a", precision), direct("o", type)],
          scalars: [],
          stores: [{ operand: "o", value: a }],
          results: [],
        };
        const { stored, wanted } = bothWays(spec, {
          vectors: { a: ARRAYS[precision].from(values), o: data(type, values.length, 0) },
          count: values.length,
        });
        expect([...stored.o]).toEqual([...wanted.o]);
        if (type === "i8")
          expect([...stored.o].slice(0, 12)).toEqual([0, 127, -128, 127, -128, 0, 2, 2, 0, -2, 127, 127].map((x) => x || 0));
      }
    },
  );
});

describe("access", () => {
  const step = (access: "direct" | "indexed", precision: "f64" | "f32", values: StorageType): ProgramSpec => ({
    name: "step",
    precision,
    operands: [
      { name: "a", type: precision, access },
      { name: "b", type: values, access: "direct" },
      { name: "c", type: precision, access },
    ],
    scalars: ["s"],
    stores: [
      { operand: "a", value: sub(a, div(mul(s, b), add(1, abs(c)))) },
      { operand: "c", value: add(c, square(b)) },
    ],
    results: [],
  });

  test.each((["f64", "f32"] as const).flatMap((p) => (["f64", "f32", "i16", "i8"] as const).map((v) => [p, v] as const)))(
    "identity indices give the same bits as direct access (%s, values %s)",
    (precision, values) => {
      for (const n of LENGTHS) {
        const vectors = { a: data(precision, n, 1), b: data(values, n, 2), c: data(precision, n, 3) };
        const [one, other] = [copied({ vectors }), copied({ vectors })];
        runProgram(step("direct", precision, values), { ...one, scalars: { s: 0.3 }, count: n });
        runProgram(step("indexed", precision, values), { ...other, scalars: { s: 0.3 }, indices: LENGTHS.slice(0, n), count: n });
        expect(other.vectors).toEqual(one.vectors);
      }
    },
  );

  test("indexed access touches only the indexed elements", () => {
    const vectors = { a: data("f32", 40, 1), b: data("i8", 7, 2), c: data("f32", 40, 3) };
    const { stored, wanted } = bothWays(step("indexed", "f32", "i8"), {
      vectors,
      scalars: { s: 0.3 },
      indices: [39, 0, 7, 8, 20, 3, 31],
    });
    expect(stored).toEqual(wanted);
    expect(stored.a[1]).toBe(vectors.a[1]);
    expect(stored.a[39]).not.toBe(vectors.a[39]);
  });

  test("loads all operands before it stores, so operands can swap", () => {
    for (const precision of ["f64", "f32"] as const) {
      const spec: ProgramSpec = {
        name: "swap",
        precision,
        operands: [direct("a", precision), direct("b", precision)],
        scalars: [],
        stores: [
          { operand: "a", value: b },
          { operand: "b", value: a },
        ],
        results: [],
      };
      for (const n of LENGTHS) {
        const vectors = { a: data(precision, n, 1), b: data(precision, n, 2) };
        const { stored } = bothWays(spec, { vectors, count: n });
        expect(stored).toEqual({ a: vectors.b, b: vectors.a });
      }
    }
  });
});

/** Clips to norm 1 and to at least −½, centres, and reports: scalars of several levels with in-place stores. */
const clipped = max(mul(a, div(1, max(1, sqrt(sum(square(a)))))), -0.5);
const centred = sub(clipped, div(sum(clipped), count()));
const staged: ProgramSpec = {
  name: "staged",
  precision: "f64",
  operands: [direct("a", "f64"), direct("b", "f64")],
  scalars: ["s"],
  stores: [
    { operand: "a", value: sub(centred, mul(s, b)) },
    { operand: "b", value: add(index(), b) },
  ],
  results: [
    { scalar: "norm", value: sqrt(sum(square(a))) },
    { scalar: "s", value: mul(s, 2) },
    { scalar: "largest", value: maximum(mul(a, b)) },
    { scalar: "spread", value: sqrt(sum(square(sub(b, div(sum(b), count()))))) },
  ],
};

describe("reductions", () => {
  const reduced = (precision: "f64" | "f32", type: StorageType): ProgramSpec => ({
    name: "reduced",
    precision,
    operands: [direct("a", type), direct("b", type)],
    scalars: [],
    stores: [],
    results: [
      { scalar: "sum", value: sum(a) },
      { scalar: "dot", value: sum(mul(a, b)) },
      { scalar: "largest", value: maximum(a) },
      { scalar: "below", value: sum(less(a, b)) },
      { scalar: "weighted", value: sum(mul(index(), a)) },
    ],
  });

  test.each((["f64", "f32"] as const).flatMap((p) => (["f64", "f32", "i16", "i8"] as const).map((v) => [p, v] as const)))(
    "reduces in %s of %s for lengths up to 40",
    (precision, type) => {
      for (const n of isSlow ? Array(41).keys() : [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40]) {
        const { results, expected } = bothWays(reduced(precision, type), {
          vectors: { a: data(type, n, 1), b: data(type, n, 5) },
          count: n,
        });
        for (const [name, value] of Object.entries(expected)) {
          if (["largest", "below"].includes(name)) expect(results[name]).toBe(value);
          else expect(Math.abs(results[name] - value)).toBeLessThanOrEqual(1e-12 * 1e5);
        }
      }
    },
  );

  test("returns a NaN maximum if an element is NaN", () => {
    for (const position of [0, 3, 9, 16]) {
      const values = Float64Array.from({ length: 17 }, (_, i) => (i === position ? Number.NaN : i));
      const spec: ProgramSpec = {
        name: "max",
        precision: "f64",
        operands: [direct("a", "f64")],
        scalars: [],
        stores: [],
        results: [{ scalar: "m", value: maximum(a) }],
      };
      expect(runProgram(spec, { vectors: { a: values } })).toEqual({ m: Number.NaN });
    }
  });

  test("runs one pass per level and stores in the last pass", () => {
    const { passes, end } = compile(staged, { shared: false });
    expect(passes).toEqual([
      { begin: "begin_0", run: "run_0" },
      { begin: "begin_1", run: "run_1" },
      { begin: "begin_2", run: "run_2" },
    ]);
    expect(end).toBe("end");
  });

  test("computes a reduction that only results need in the existing pass", () => {
    const spec: ProgramSpec = {
      name: "ride",
      precision: "f64",
      operands: [direct("a", "f64")],
      scalars: ["s"],
      stores: [{ operand: "a", value: mul(s, a) }],
      results: [{ scalar: "norm", value: sum(square(a)) }],
    };
    expect(compile(spec, { shared: false }).passes).toHaveLength(1);
    expect(runProgram(spec, { vectors: { a: Float64Array.of(3, 4) }, scalars: { s: 10 } })).toEqual({ norm: 25 });
  });

  test("computes several levels in place, with a result in an input's slot", () => {
    for (const n of [1, 2, 3, 16, 17, 40]) {
      const environment = {
        vectors: { a: data("f64", n, 1) as Float64Array, b: data("f64", n, 2) as Float64Array },
        scalars: { s: 0.25 },
        count: n,
      };
      const { results, expected, stored, wanted } = bothWays(staged, environment);
      for (const name of Object.keys(expected)) expect(results[name]).toBeCloseTo(expected[name], 11);
      for (let i = 0; i < n; i++) expect(stored.a[i]).toBeCloseTo(wanted.a[i], 12);
      expect(stored.b).toEqual(wanted.b);
    }
  });

  test.each([[[5, 11]], [[0, 3, 3, 39]], [[16, 32]]])("computes pieces %j like one piece", (pieces) => {
    const environment = {
      vectors: { a: data("f64", 40, 1) as Float64Array, b: data("f64", 40, 2) as Float64Array },
      scalars: { s: 0.25 },
      count: 40,
    };
    const [one, other] = [copied(environment), copied(environment)];
    const results = runProgram(staged, one);
    const split = runProgram(staged, other, { pieces });
    for (const name of Object.keys(results)) expect(split[name]).toBeCloseTo(results[name], 12);
    expect(other.vectors.b).toEqual(one.vectors.b);
    for (let i = 0; i < 40; i++) expect(other.vectors.a[i]).toBeCloseTo(one.vectors.a[i], 13);
  });

  test("gives the same bits in pieces if there are no reductions", () => {
    const spec: ProgramSpec = {
      name: "plain",
      precision: "f32",
      operands: [direct("a", "f32"), direct("b", "i8")],
      scalars: ["s"],
      stores: [{ operand: "a", value: sub(a, mul(exp(s), b)) }],
      results: [{ scalar: "s", value: add(s, 1) }],
    };
    const environment = { vectors: { a: data("f32", 50, 1), b: data("i8", 50, 2) }, scalars: { s: 0.25 }, count: 50 };
    const [one, other] = [copied(environment), copied(environment)];
    expect(runProgram(spec, one)).toEqual(runProgram(spec, other, { pieces: [1, 17, 30] }));
    expect(other.vectors).toEqual(one.vectors);
  });
});

describe("stochastic rounding", () => {
  const spec = (type: "i8" | "i16", precision: "f32" | "f64", access: "direct" | "indexed" = "direct"): ProgramSpec => ({
    name: "round",
    precision,
    operands: [{ name: "o", type, access, rounding: "stochastic" }, direct("a", precision)],
    scalars: [],
    stores: [{ operand: "o", value: a }],
    results: [],
  });
  const random = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 0x6a09e667];

  // The mean of n draws of a fraction f has standard error √(f(1−f)/n). The bound of 5.2 of them keeps false alarms
  // below 1e-5 in all.
  test.each(
    (["i8", "i16"] as const).flatMap((type) =>
      (["f32", "f64"] as const).flatMap((p) => (["direct", "indexed"] as const).map((x) => [type, p, x] as const)),
    ),
  )("is unbiased: %s in %s, %s", (type, precision, access) => {
    const n = 4003;
    for (const x of [0.25, -3.7, 100.9]) {
      const vectors = { o: new ARRAYS[type](n), a: filled(precision, n, () => x) };
      runProgram(
        spec(type, precision, access),
        { vectors, count: n, ...(access === "indexed" ? { indices: Array.from({ length: n }, (_, i) => i) } : {}) },
        { random },
      );
      expect(new Set(vectors.o)).toEqual(new Set([Math.floor(x), Math.floor(x) + 1]));
      const f = x - Math.floor(x);
      const mean = [...vectors.o].reduce((m, v) => m + (v - Math.floor(x)), 0) / n;
      expect(Math.abs(mean - f)).toBeLessThan(5.2 * Math.sqrt((f * (1 - f)) / n));
    }
  });

  test("keeps whole numbers, saturates, and stores NaN as 0", () => {
    for (const precision of ["f32", "f64"] as const) {
      const values = [3, -7, 0, 1000, -1000, Number.NaN, Infinity, -Infinity, 127.9, -128.9, 2 ** 31 - 0.5];
      const vectors = { o: new Int8Array(values.length), a: ARRAYS[precision].from(values) };
      runProgram(spec("i8", precision), { vectors, count: values.length }, { random });
      expect([...vectors.o].slice(0, 8)).toEqual([3, -7, 0, 127, -128, 0, 127, -128]);
      expect([...vectors.o].slice(8)).toEqual([127, -128, 127]);
    }
  });

  test("repeats for equal generator states and differs for others", () => {
    const draw = (state: number[]): number[] => {
      const vectors = { o: new Int16Array(64), a: new Float32Array(64).fill(0.5) };
      runProgram(spec("i16", "f32"), { vectors, count: 64 }, { random: state });
      return [...vectors.o];
    };
    expect(draw(random)).toEqual(draw(random));
    expect(draw(random)).not.toEqual(draw([1, 2, 3, 4]));
  });
});

describe("compiled modules", () => {
  const sgd: ProgramSpec = {
    name: "sgd",
    precision: "f32",
    operands: [direct("a", "f32"), direct("b", "f32")],
    scalars: ["s", "t"],
    stores: [{ operand: "a", value: sub(a, mul(s, mul(t, b))) }],
    results: [],
  };

  test("exports the pass itself as update if there are no reductions", () => {
    const program = compile(sgd, { shared: false });
    expect(program).toMatchObject({
      exports: ["run_0", "update"],
      passes: [{ begin: null, run: "run_0" }],
      end: null,
      update: "update",
    });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(program.bytes), {
      env: { memory: new WebAssembly.Memory({ initial: 1, maximum: 65536 }) },
    });
    expect(exports.update).toBe(exports.run_0);
  });

  test("imports only env.memory, shared or not", () => {
    for (const shared of [true, false]) {
      const module = new WebAssembly.Module(compile(sgd, { shared }).bytes);
      expect(WebAssembly.Module.imports(module)).toEqual([{ module: "env", name: "memory", kind: "memory" }]);
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared });
      expect(() => new WebAssembly.Instance(module, { env: { memory } })).not.toThrow();
      const wrong = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: !shared });
      expect(() => new WebAssembly.Instance(module, { env: { memory: wrong } })).toThrow();
    }
  });

  test("has the same bytes each time", () => {
    expect(compile(staged, { shared: true }).bytes).toEqual(compile(staged, { shared: true }).bytes);
  });

  test("runs on shared memory", () => {
    const vectors = { a: Float32Array.of(1, 2, 3, 4, 5), b: Float32Array.of(1, 1, 1, 1, 1) };
    runProgram(sgd, { vectors, scalars: { s: 0.5, t: 2 } }, { shared: true });
    expect([...vectors.a]).toEqual([0, 1, 2, 3, 4]);
  });

  test("omits passes from scalar programs", () => {
    const spec: ProgramSpec = {
      name: "scalars",
      precision: "f64",
      operands: [],
      scalars: ["s", "t"],
      stores: [],
      results: [
        { scalar: "s", value: pow(s, t) },
        { scalar: "n", value: count() },
      ],
    };
    expect(compile(spec, { shared: false })).toMatchObject({ exports: ["end", "update"], passes: [] });
    expect(runProgram(spec, { vectors: {}, scalars: { s: 2, t: 10 }, count: 3 })).toEqual({ s: 1024, n: 3 });
  });

  test("computes log-sum-exp and selects a class in losses", () => {
    const stable = sub(a, maximum(a));
    const loss = sub(log(sum(exp(stable))), sum(mul(stable, equal(index(), s))));
    const spec: ProgramSpec = {
      name: "multinomial",
      precision: "f64",
      operands: [direct("a", "f64"), direct("b", "f64")],
      scalars: ["s"],
      stores: [{ operand: "b", value: sub(div(exp(stable), sum(exp(stable))), equal(index(), s)) }],
      results: [{ scalar: "loss", value: loss }],
    };
    const vectors = { a: Float64Array.of(1000, 1001, 999), b: new Float64Array(3) };
    const { loss: value } = runProgram(spec, { vectors, scalars: { s: 2 } });
    const z = Math.log(1 + Math.exp(-1) + Math.exp(-2));
    expect(value).toBeCloseTo(2 + z, 13);
    expect(vectors.b[1]).toBeCloseTo(Math.exp(-z), 14);
    expect(vectors.b[2]).toBeCloseTo(Math.exp(-2 - z) - 1, 14);
  });
});

describe("refusals", () => {
  const base: ProgramSpec = {
    name: "p",
    precision: "f64",
    operands: [direct("a", "f64")],
    scalars: ["s"],
    stores: [],
    results: [],
  };
  const refused: [string, Partial<ProgramSpec>, RegExp][] = [
    [
      "an unknown vector",
      { stores: [{ operand: "a", value: b }] },
      /program p: vector "b" is used but is not among the operands; add it \[COMPILE_PROGRAM\]/,
    ],
    ["an unknown scalar", { stores: [{ operand: "a", value: mul(t, a) }] }, /scalar "t"/],
    ["an unknown store", { stores: [{ operand: "c", value: c }], operands: [direct("c", "f64")].slice(1) }, /vector "c"/],
    ["a store to no operand", { stores: [{ operand: "z", value: a }] }, /"z" is stored/],
    [
      "two stores to one operand",
      {
        stores: [
          { operand: "a", value: a },
          { operand: "a", value: exp(a) },
        ],
      },
      /stored twice/,
    ],
    ["a vector as a result", { results: [{ scalar: "r", value: softplus(a) }] }, /result "r" is a vector/],
    ["two operands of one name", { operands: [direct("a", "f64"), direct("a", "f32")] }, /two operands have one name/],
    [
      "random rounding of floats",
      { operands: [{ ...direct("a", "f32"), rounding: "stochastic" }] },
      /only i8 and i16 round at random/,
    ],
  ];
  test.each(refused)("refuses %s", (_, part, message) =>
    expect(() => compile({ ...base, ...part }, { shared: false })).toThrow(message),
  );
});

test("accepts numbers as conditions and conditions as numbers", () => {
  const value: Expr = where(a, add(less(a, b), s), where(s, b, less(b, a)));
  for (const precision of ["f64", "f32"] as const) {
    const spec: ProgramSpec = {
      name: "mixed",
      precision,
      operands: ["a", "b", "o"].map((n) => direct(n, precision)),
      scalars: ["s"],
      stores: [{ operand: "o", value }],
      results: [],
    };
    for (const scale of [0, 2]) {
      const vectors = {
        a: ARRAYS[precision].from([0, 1, 0, -1, Number.NaN, 2, 0]),
        b: ARRAYS[precision].from([1, 2, -3, -4, 5, 1, 0]),
        o: new ARRAYS[precision](7),
      };
      const { stored, wanted } = bothWays(spec, { vectors, scalars: { s: scale }, count: 7 });
      expect([...stored.o]).toEqual([...wanted.o]);
    }
  }
});

test("pairs scalar calls correctly if they need each other's neighbours", () => {
  const first = pow(s, t);
  const inner = exp(first);
  const second = pow(exp(t), s);
  const values = { p: first, q: second, r: inner, u: pow(inner, second), v: log(second), w: pow(0.9, t), x: exp(mul(2, s)) };
  const results = Object.entries(values).map(([name, value]) => ({ scalar: name, value }));
  const spec: ProgramSpec = { name: "calls", precision: "f64", operands: [], scalars: ["s", "t"], stores: [], results };
  for (const [si, ti] of [
    [0.5, 1.5],
    [1.1, -2],
    [2, 0],
  ]) {
    const { results: got, expected } = bothWays(spec, { vectors: {}, scalars: { s: si, t: ti }, count: 0 });
    expect(got).toEqual(expected);
  }
});

test("stores scalars and constants", () => {
  for (const precision of ["f64", "f32"] as const) {
    const spec: ProgramSpec = {
      name: "fill",
      precision,
      operands: ["a", "b", "c"].map((n) => direct(n, precision)),
      scalars: ["s"],
      stores: [
        { operand: "a", value: s },
        { operand: "b", value: constant(0.1) },
        { operand: "c", value: less(0, exp(s)) },
      ],
      results: [],
    };
    const vectors = { a: data(precision, 7, 1), b: data(precision, 7, 2), c: data(precision, 7, 3) };
    const { stored, wanted } = bothWays(spec, { vectors, scalars: { s: 0.7 }, count: 7 });
    expect(stored).toEqual(wanted);
    expect(stored.c[6]).toBe(1);
  }
});
