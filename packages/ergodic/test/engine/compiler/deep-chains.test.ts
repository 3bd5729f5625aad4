/** Chains of thousands of operations are compiled, printed, derived and run without stack overflow, in linear time. */
import { describe, expect, it } from "vitest";
import { traceModel } from "../../../src/bayes/model/trace.ts";
import { compileArrays } from "../../../src/engine/compiler/array/compile.ts";
import { explain } from "../../../src/engine/compiler/array/explain.ts";
import { compileFunction, programOf, traceFunction } from "../../../src/engine/compiler/array/function.ts";
import { interpret, matmul } from "../../../src/engine/compiler/array/index.ts";
import type { SymbolicArray } from "../../../src/engine/compiler/array/symbolic.ts";
import {
  add,
  compile,
  derive,
  evaluateScalar,
  inputsOf,
  mul,
  print,
  scalar,
  sin,
  substitute,
  sum,
  vector,
} from "../../../src/engine/compiler/index.ts";
import { checkSize, encodeModule } from "../../../src/engine/compiler/machine/encoder.ts";
import { type ModelContext, model, normal, sample } from "../../../src/entries/everything.ts";
import { power } from "../../power.ts";

const LONG = 6000;

/** Alternates x ← sin x and x ← 1.01 x + a. */
function chain(x: SymbolicArray, length: number): SymbolicArray {
  let y = x;
  for (let i = 0; i < length; i++) y = i % 2 ? sin(y) : add(mul(y, 1.01), x);
  return y;
}

function plainChain(x: number, length: number): { value: number; slope: number } {
  let [value, slope] = [x, 1];
  for (let i = 0; i < length; i++) {
    if (i % 2) [value, slope] = [Math.sin(value), Math.cos(value) * slope];
    else [value, slope] = [1.01 * value + x, 1.01 * slope + 1];
  }
  return { value, slope };
}

describe("chains of array operations", () => {
  it.each([
    { size: 3, length: power(3000, LONG) },
    { size: 3000, length: power(500, 2000) },
  ])("compiles $length operations on $size numbers with the gradient", async ({ size, length }) => {
    const f = await compileFunction({ x: [size] }, ({ x }) => sum(chain(x, length)), { gradient: ["x"] });
    const x = Float64Array.from({ length: size }, (_, i) => 0.1 + i / size / 3);
    const { value, gradient } = f({ x });
    const exact = Array.from(x, (each) => plainChain(each, length));
    expect(value / exact.reduce((total, one) => total + one.value, 0)).toBeCloseTo(1, 11);
    exact.forEach(({ slope }, i) => {
      if (i % 97 === 0) expect(gradient.x[i]).toBeCloseTo(slope, 9);
    });
  });

  it("interprets and explains long chains", () => {
    const { outputs } = traceFunction({ x: [2] }, ({ x }) => sum(chain(x, LONG)));
    const [value] = interpret(Object.values(outputs), { x: [0.1, 0.2] });
    expect(value[0]).toBeCloseTo(plainChain(0.1, LONG).value + plainChain(0.2, LONG).value, 10);
    expect(String(explain({ x: [2] }, ({ x }) => sum(chain(x, LONG / 6)))).length).toBeGreaterThan(LONG / 2);
  });

  it("compiles chains of sums and matrix products", async () => {
    const f = await compileFunction({ x: [2, 2] }, ({ x }) => {
      let y = x;
      for (let i = 0; i < 1000; i++) y = i % 2 ? sin(matmul(y, x)) : mul(y, sum(y));
      return y;
    });
    const x = [0.5, 0.25, 0.125, 0.5];
    let y = x;
    for (let i = 0; i < 1000; i++) {
      const [a, b, c, d] = y;
      const total = a + b + c + d;
      y =
        i % 2
          ? [a * x[0] + b * x[2], a * x[1] + b * x[3], c * x[0] + d * x[2], c * x[1] + d * x[3]].map(Math.sin)
          : y.map((one) => one * total);
    }
    const { value } = f({ x }).outputs;
    y.forEach((one, i) => void expect(value[i]).toBeCloseTo(one, 12));
  });

  it("compiles more than ten thousand operations", async () => {
    const length = power(12_000, 100_000);
    const f = await compileFunction({ x: [3] }, ({ x }) => sum(chain(x, length)));
    const x = [0.1, 0.2, 0.3];
    const exact = x.reduce((total, each) => total + plainChain(each, length).value, 0);
    expect(f({ x }).value / exact).toBeCloseTo(1, 10);
  });

  it.each([
    { between: 200, own: 0 },
    { between: 400, own: 1 },
  ])("fuses with a loop $between steps back only if it is near, so that scheduling time stays linear", ({ between, own }) => {
    // Sums over other shapes fuse neither with each other nor with the sums of x.
    const shapes = Object.fromEntries(Array.from({ length: between }, (_, i) => [`y${i}`, [i + 4]]));
    const stepsOf = (isLast: boolean): number => {
      const program = programOf({ x: [3], ...shapes }, ({ x, ...others }) => {
        const sums = Object.values(others as Record<string, SymbolicArray>).map((y) => sum(y));
        const [first, last] = [sum(x), sum(mul(x, 2))];
        return { z: [first, ...sums, ...(isLast ? [last] : [])].reduce((a, b) => add(a, b)) };
      });
      return compileArrays(program, { shared: true }).lowered.steps.length;
    };
    expect(stepsOf(true) - stepsOf(false)).toBe(own);
  });

  it("splits chains into loops of bounded size, so that the code grows linearly", () => {
    const sizeOf = (length: number) => {
      const program = programOf({ x: [3] }, ({ x }) => sum(chain(x, length)), { gradient: ["x"] });
      const { bytes, lowered } = compileArrays(program, { shared: true });
      return { bytes: bytes.length, steps: lowered.steps.length, values: lowered.values.length };
    };
    const [short, long] = [sizeOf(300), sizeOf(1200)];
    expect(long.steps / short.steps).toBeGreaterThan(3);
    for (const name of ["bytes", "steps", "values"] as const) expect(long[name] / short[name], name).toBeLessThan(4.4);
  });
});

describe("chains in rules and losses", () => {
  const made = (leaf: ReturnType<typeof scalar>, length: number) => {
    let y = leaf;
    for (let i = 0; i < length; i++) y = i % 2 ? sin(y) : add(mul(y, 1.01), scalar("s"));
    return y;
  };

  it("derives, evaluates, prints, searches and substitutes long chains", () => {
    const y = made(scalar("s"), LONG);
    expect(evaluateScalar(y, { scalars: { s: 0.1 } })).toBeCloseTo(plainChain(0.1, LONG).value, 12);
    expect(evaluateScalar(derive(y, scalar("s")), { scalars: { s: 0.1 } })).toBeCloseTo(plainChain(0.1, LONG).slope, 12);
    expect(print(y)).toMatch(/^sin\(1\.01·sin\(.* \+ s\)$/);
    expect(inputsOf([y]).scalars).toEqual(["s"]);
    expect(evaluateScalar(substitute(y, { s: 0.1 }), {})).toBeCloseTo(plainChain(0.1, LONG).value, 12);
  });

  it("compiles long chains and refuses programs beyond the engines' limits", () => {
    const spec = (length: number) => ({
      name: "chain",
      precision: "f64" as const,
      operands: [{ name: "x", type: "f64" as const, access: "direct" as const }],
      scalars: ["s"],
      stores: [{ operand: "x", value: made(vector("x"), length) }],
      results: [],
    });
    expect(WebAssembly.validate(compile(spec(LONG)).bytes)).toBe(true);
    const f = (values: number, bytes: number) => ({
      parameters: ["i32" as const],
      results: [],
      locals: new Array<"f64">(values - 1).fill("f64"),
      code: new Array<number>(bytes).fill(1),
      exportAs: ["f"],
    });
    const sized = (values: number, bytes: number): boolean => {
      checkSize("program chain", [f(values, bytes)]);
      return WebAssembly.validate(encodeModule([f(values, bytes)], { shared: false }));
    };
    expect(sized(50_000, 10)).toBe(true);
    expect(() => sized(50_001, 10)).toThrow(
      "program chain: it has 50001 values that are used several times, in one loop, but WebAssembly takes at most 50000; write it as several programs [COMPILE_SIZE]",
    );
    expect(sized(3, 7_654_000)).toBe(true);
    expect(() => sized(3, 7_654_321)).toThrow("7654321 bytes of code in one loop");
  });
});

describe("long models", () => {
  it("samples long chains of dependent parameters with observations", async () => {
    const count = power(300, 1500);
    const walk = model(({ param, observe }) => {
      let last = param("p0", normal(0, 1));
      for (let i = 1; i < count; i++) {
        last = param(`p${i}`, normal(last, 1));
        observe(i / count, normal(last, 1));
      }
    });
    const draws = await sample(walk, {}, { draws: 4, warmup: 4, chains: 1, seed: 1 });
    expect(draws.count).toBe(4);
    expect(draws.draws(`p${count - 1}`).every(Number.isFinite)).toBe(true);
  });

  it("traces many terms in linear processor time", () => {
    const secondsOf = (count: number): number => {
      const before = process.cpuUsage();
      const terms = ({ param, target }: ModelContext) => {
        const x = param("x", normal(0, 1));
        const term = x.sub(0.5);
        for (let i = 0; i < count; i++) target(term);
      };
      const traced = traceModel("terms", terms, {});
      const { user, system } = process.cpuUsage(before);
      expect(traced.terms.slice(-2).map(({ name }) => name)).toEqual([`target() term ${count - 1}`, `target() term ${count}`]);
      expect(traced.terms[1].name).toBe("target() term");
      return (user + system) / 1e6;
    };
    secondsOf(1000);
    // Sixteen times as many terms took over 100 times as long when each term counted all earlier ones.
    expect(secondsOf(24_000) / secondsOf(1500)).toBeLessThan(64);
  });
});
