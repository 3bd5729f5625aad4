/**
 * Differential equations: closed forms, a plain twin with the same steps, derivatives of the actual steps, and problems
 * without a solution. Values of rstan are in golden/ode.test.ts.
 */
import { describe, expect, it } from "vitest";
import { programOf } from "../../../../src/engine/compiler/array/function.ts";
import {
  at,
  compileFunction,
  constantArray,
  gradientsOf,
  input,
  interpret,
  matmul,
  type OdeOptions,
  ode,
  reshape,
  type Slope,
  type SymbolicArray,
  scan,
  stack,
} from "../../../../src/engine/compiler/array/index.ts";
import { encodePlan } from "../../../../src/engine/compiler/array/serialise.ts";
import {
  add,
  cos,
  div,
  exp,
  less,
  log,
  mul,
  neg,
  sin,
  sqrt,
  square,
  sub,
  sum,
  where,
} from "../../../../src/engine/compiler/index.ts";
import { isSlow } from "../../../power.ts";
import { numbers } from "../../../reference/arrays.ts";
import { equations } from "../../../reference/differential-equations.ts";
import { type PlainSlope, plainReplay, plainSolution } from "../../../reference/ode.ts";
import { checkDerivatives, expectClose } from "./differences.ts";

const methods = ["dormandPrince", "rosenbrock"] as const;
const strict = (method: OdeOptions["method"]): OdeOptions => ({ method, tolerance: method === "rosenbrock" ? 1e-9 : 1e-11 });
const times = [0.3, 1, 1.7, 2.5];

/** Equations with their solutions at t for y(0) = 1.5 and k = 0.8. */
const closed: Readonly<
  Record<string, { slope: (k: SymbolicArray) => Slope; solution: (t: number, k: number, y: number) => number }>
> = {
  decay: { slope: (k) => (_, y) => neg(mul(k, y)), solution: (t, k, y) => y * Math.exp(-k * t) },
  logistic: {
    slope: (k) => (_, y) => mul(k, y, sub(1, div(y, 4))),
    solution: (t, k, y) => 4 / (1 + (4 / y - 1) * Math.exp(-k * t)),
  },
  "time alone": { slope: (k) => (t) => mul(k, cos(mul(3, t))), solution: (t, k, y) => y + (k / 3) * Math.sin(3 * t) },
  "time and state": { slope: (k) => (t, y) => neg(mul(k, t, y)), solution: (t, k, y) => y * Math.exp((-k * t * t) / 2) },
  "nothing at all": { slope: () => (_, y) => mul(0, y), solution: (_, __, y) => y },
  "the parameter alone": { slope: (k) => () => k, solution: (t, k, y) => y + k * t },
};

describe.each(methods)("ode by %s", (method) => {
  // Rosenbrock's method shares the equations' code with the other method.
  const some = ["logistic", "time and state", "nothing at all"];
  const own = Object.entries(closed).filter(([name]) => isSlow || method === "dormandPrince" || some.includes(name));
  it.each(own)("matches the closed form of %s and its derivatives", async (_, { slope, solution }) => {
    const made = await compileFunction(
      { k: [], y: [] },
      ({ k, y }) => {
        const { states, error } = ode(slope(k), y, times, strict(method));
        return { value: sum(mul(states, constantArray([1, 2, 3, 4]))), states, error };
      },
      { gradient: ["k", "y"] },
    );
    const [k, y] = [0.8, 1.5];
    const { outputs, gradient } = made({ k, y });
    const wanted = times.map((t) => solution(t, k, y));
    expectClose(outputs.states, wanted, 2e-8, "states");
    expect(outputs.error[0]).toBeLessThan(2e-8);
    const total = (own: number, from: number): number => times.reduce((all, t, i) => all + (i + 1) * solution(t, own, from), 0);
    const h = 1e-4;
    const slopeOf = (f: (x: number) => number, x: number): number =>
      (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h);
    expectClose(gradient.k, [slopeOf((x) => total(x, y), k)], 2e-7, "by k");
    expectClose(gradient.y, [slopeOf((x) => total(k, x), y)], 2e-7, "by the start");
  });

  it("differentiates by times, starting time, and parameters in another array", () => {
    const shapes = { p: [2], y: [2], when: [2], from: [] };
    const values = {
      p: Float64Array.of(0.7, 0.4),
      y: Float64Array.of(1, -0.5),
      when: Float64Array.of(0.35, 0.5),
      from: Float64Array.of(0.25),
    };
    checkDerivatives(
      ({ p, y, when, from }) =>
        ode(
          (t, z) => {
            const [a, b] = [at(z, 0), at(z, 1)];
            return stack([mul(at(p, 0), b), sub(sin(mul(at(p, 1), t)), a)]);
          },
          y,
          when,
          { from, ...strict(method) },
        ).states,
      shapes,
      { values, by: ["p", "when", "from"], tolerance: 1e-6, second: false },
    );
  });

  it("gives the same result compiled and interpreted, and the same bytes in deterministic mode", async () => {
    const { slope, start } = equations.lotkaVolterra;
    const theta = [0.55, 0.028, 0.84, 0.026, 33.9, 5.9];
    const days = Array.from({ length: 8 }, (_, i) => i + 1);
    const f = (inputs: { theta: SymbolicArray }) => {
      const { states, steps } = ode(slope(inputs.theta), start(inputs.theta), days, { method });
      return { value: sum(log(states)), states, steps };
    };
    const plain = input("theta", [6]);
    const made = f({ theta: plain });
    const [states, steps, gradient] = interpret([made.states, made.steps, gradientsOf(made.value, [plain])[0]], { theta });
    for (const deterministic of [false, true]) {
      const solved = await compileFunction({ theta: [6] }, f, { gradient: ["theta"], deterministic });
      const found = solved({ theta });
      expectClose(found.outputs.states, states, 1e-11, "states");
      expect(found.outputs.steps[0]).toBe(steps[0]);
      expectClose(found.gradient.theta, gradient, 1e-9, "gradient");
      expect(solved({ theta })).toEqual(found);
    }
  });

  it.each([1, 2, 16, 17])("solves a system of %i numbers of any shape", async (count) => {
    const shape = count === 1 ? [] : count % 2 === 0 ? [count / 2, 2] : [count];
    const weights = Array.from({ length: count * count }, (_, i) => Math.cos(3 * i) / count);
    const solved = await compileFunction(
      { y: shape, w: [count, count] },
      ({ y, w }) => {
        const slope: Slope = (_, z) => reshape(sub(matmul(w, reshape(z, [count])), mul(0.3, reshape(z, [count]))), shape);
        const { states } = ode(slope, y, [0.5, 1], strict(method));
        return { value: sum(square(states)), states };
      },
      { gradient: ["y", "w"] },
    );
    const y = numbers(count, 5);
    const f: PlainSlope = (_, z) => z.map((x, i) => z.reduce((all, other, j) => all + weights[i * count + j] * other, -0.3 * x));
    const wanted = plainSolution(f, [...y], [0.5, 1], { tolerance: 1e-11 }).states.flat();
    const { outputs, gradient } = solved({ y, w: weights });
    expect(outputs.states.length).toBe(2 * count);
    expectClose(outputs.states, wanted, 1e-7, "states");
    // Differentiates one number of each input by finite differences.
    const h = 1e-4;
    const value = (given: ArrayLike<number>, w: ArrayLike<number>): number => solved({ y: given, w }).value;
    const moved = (list: ArrayLike<number>, by: number) => Float64Array.from(list, (x, i) => (i === count - 1 ? x + by : x));
    expectClose([gradient.y[count - 1]], [(value(moved(y, h), weights) - value(moved(y, -h), weights)) / (2 * h)], 1e-5, "by y");
    expectClose([gradient.w[count - 1]], [(value(y, moved(weights, h)) - value(y, moved(weights, -h))) / (2 * h)], 1e-5, "by w");
  });

  it("takes no step to a time equal to the start, and repeats the state for equal times", () => {
    const { states, steps } = ode((_, y) => y, input("y", []), [2, 2, 3, 3], { from: 2, method });
    const [found, [count]] = interpret([states, steps], { y: 1 });
    expect([...found.slice(0, 2)]).toEqual([1, 1]);
    expect(found[3]).toBe(found[2]);
    expect(count).toBeGreaterThan(0);
    const alone = ode((_, y) => y, input("y", []), [0], { method });
    const [slope] = gradientsOf(sum(alone.states), [input("y", [])]);
    expect(interpret([alone.states, alone.steps, slope], { y: 7 }).map((x) => [...x])).toEqual([[7], [0], [1]]);
  });

  it("returns NaN from the point where the solution diverges, the slope is NaN, or times decrease", async () => {
    const solved = await compileFunction(
      { y: [], when: [3] },
      ({ y, when }) => {
        const growing = ode((_, z) => square(z), y, when, { method });
        const rooted = ode((_, z) => neg(sqrt(z)), y, when, { method });
        const { states } = growing;
        return { value: at(states, 0), states, rooted: rooted.states, steps: growing.steps, error: growing.error };
      },
      { gradient: ["y"] },
    );
    const { outputs, gradient } = solved({ y: 1, when: [0.5, 1.5, 2] });
    expectClose([outputs.states[0]], [2], 1e-4, "before it is infinite");
    expect([...outputs.states.slice(1)]).toEqual([NaN, NaN]);
    expect([...outputs.error]).toEqual([NaN]);
    expectClose(gradient.y, [4], 1e-3, "gradient before");
    expect(outputs.steps[0]).toBeLessThan(2000);
    // √y = √y₀ − t / 2 until t = 2. After that, y is negative for any step.
    const { outputs: low } = solved({ y: 1, when: [0.5, 1, 9] });
    expectClose(low.rooted.slice(0, 2), [0.5625, 0.25], 1e-4, "roots");
    expect(low.rooted[2]).toBeNaN();
    const { outputs: back } = solved({ y: 0.1, when: [1, 0.5, 2] });
    expect([...back.states].map(Number.isNaN)).toEqual([false, true, true]);
    expect([...solved({ y: NaN, when: [0.1, 0.2, 0.3] }).outputs.states]).toEqual([NaN, NaN, NaN]);
    expect([...solved({ y: 0.1, when: [0.1, NaN, 0.3] }).outputs.states].map(Number.isNaN)).toEqual([false, true, true]);
  });

  it("works in scans, branches and float32 programs", async () => {
    const rates = [0.5, 1, 1.5];
    const solved = await compileFunction(
      { k: [3], y: [] },
      ({ k, y }) => {
        const { outputs } = scan([y], [k], ([now], [rate]) => {
          const { states } = ode((_, z) => neg(mul(rate, z)), now, [1], { method, tolerance: 1e-4 });
          return [[at(states, 0)], [states]];
        });
        const chosen = ode((t, z) => where(less(t, 0.5), z, neg(z)), y, [0.5, 1], { method, tolerance: 1e-4 });
        return { value: add(sum(outputs[0]), sum(chosen.states)), scanned: outputs[0], chosen: chosen.states };
      },
      { gradient: ["k", "y"], precision: "f32" },
    );
    const { outputs, gradient } = solved({ k: rates, y: 2 });
    const each = [2 * Math.exp(-0.5), 2 * Math.exp(-1.5), 2 * Math.exp(-3)];
    expectClose(outputs.scanned, each, 1e-3, "one after another");
    expectClose(outputs.chosen, [2 * Math.exp(0.5), 2], 1e-3, "growth, then decay");
    expectClose(gradient.k, [-(each[0] + each[1] + each[2]), -(each[1] + each[2]), -each[2]], 1e-2, "by the rates");
    expectClose(gradient.y, [(each[0] + each[1] + each[2]) / 2 + Math.exp(0.5) + 1], 1e-2, "by the start");
  });

  it("computes second derivatives", () => {
    const [k, y] = [input("k", []), input("y", [])];
    const { states } = ode((_, z) => neg(mul(k, z)), y, [2], strict(method));
    const [slope] = gradientsOf(sum(states), [k]);
    const [curved, mixed] = gradientsOf(slope, [k, y]);
    const found = interpret([curved, mixed], { k: 0.4, y: 3 }).map(([x]) => x);
    expectClose(found, [12 * Math.exp(-0.8), -2 * Math.exp(-0.8)], 1e-6, "second derivatives");
  });
});

describe("steps of dormandPrince", () => {
  const plain: Readonly<
    Record<string, { f: (theta: readonly number[]) => PlainSlope; start: readonly number[]; theta: number[] }>
  > = {
    sir: {
      f:
        ([beta, gamma]) =>
        (_, [s, i]) => [(-beta / 763) * s * i, (beta / 763) * s * i - gamma * i, gamma * i],
      start: [761.8, 1.2, 0],
      theta: [1.7, 0.45, 1.2],
    },
    vanDerPol: {
      f:
        ([mu]) =>
        (_, [x, v]) => [v, mu * (1 - x * x) * v - x],
      start: [2, 0],
      theta: [3, 2, 0],
    },
    oneCompartment: {
      f:
        ([ka, ke, volume]) =>
        (_, [gut, blood]) => [-ka * gut, (ka * gut) / volume - ke * blood],
      start: [100, 0],
      theta: [1.2, 0.3, 10],
    },
  };
  const cases = Object.entries(plain).flatMap(([name, one]) =>
    (isSlow || name === "sir" ? [1e-2, 1e-4, 1e-8] : [1e-4]).map((tolerance) => ({ name, tolerance, ...one })),
  );
  const when = [0.5, 0.5, 1, 2, 4, 8, 8.01, 12];

  it.each(cases)(
    "match the steps and gradient of the twin: $name, tolerance $tolerance",
    async ({ name, f, start, theta, tolerance }) => {
      const equation = equations[name];
      const weights = when.map((_, k) => start.map((__, i) => Math.cos(k + 2 * i)));
      const solved = await compileFunction(
        { theta: [theta.length] },
        (inputs) => {
          const { states, steps } = ode(equation.slope(inputs.theta), equation.start(inputs.theta), when, { tolerance });
          return { value: sum(mul(constantArray(weights.flat(), states.shape), states)), states, steps };
        },
        { gradient: ["theta"] },
      );
      const twin = plainSolution(f(theta), start, when, { tolerance });
      const { outputs, gradient } = solved({ theta });
      expect(outputs.steps[0]).toBe(twin.lengths.flat().length);
      expectClose(outputs.states, twin.states.flat(), 1e-9, "states");
      // Repeats the steps with the same lengths and other parameters, because the derivative holds the lengths fixed.
      const value = (own: readonly number[]): number =>
        plainReplay(f(own), startOf(name, own, start), twin.lengths).reduce(
          (all, y, k) => all + y.reduce((total, x, i) => total + weights[k][i] * x, 0),
          0,
        );
      const h = 1e-4;
      for (const [j, x] of theta.entries()) {
        const at = (by: number): number => value(theta.map((own, i) => (i === j ? x + by * h : own)));
        const wanted = (45 * (at(1) - at(-1)) - 9 * (at(2) - at(-2)) + (at(3) - at(-3))) / (60 * h);
        expectClose([gradient.theta[j]], [wanted], 1e-7, `slope ${j}`);
      }
    },
  );

  const startOf = (name: string, theta: readonly number[], start: readonly number[]): readonly number[] =>
    name === "sir" ? [763 - theta[2], theta[2], 0] : name === "vanDerPol" ? theta.slice(1) : start;

  it("never exceed maxSteps, including rejected steps, although a stiff system needs more", async () => {
    const { slope, start } = equations.robertson;
    const solved = async (options: OdeOptions) => {
      const made = await compileFunction({ theta: [3] }, ({ theta }) => ({
        ...ode(slope(theta), start(theta), [0.4, 4000, 4001], options),
      }));
      return made({ theta: [1, 1, 1] }).outputs;
    };
    const bounded = await solved({ maxSteps: 3000 });
    expect([...bounded.states].map(Number.isFinite)).toEqual([true, true, true, false, false, false, false, false, false]);
    expect(bounded.steps[0]).toBeLessThanOrEqual(3000);
    const { states, steps } = await solved({ method: "rosenbrock", absoluteTolerance: 1e-10 });
    expectClose([states[3] + states[4] + states[5]], [1], 1e-9, "their sum");
    expect(steps[0]).toBeLessThan(300);
    // The limit applies to each output time separately.
    const times = Array.from({ length: 50 }, (_, i) => i + 1);
    const [each] = interpret([ode((_, y) => neg(y), constantArray([1, 2]), times, { maxSteps: 20 }).states], {});
    expect(each.every(Number.isFinite)).toBe(true);
    const [none] = interpret([ode((_, y) => neg(y), constantArray([1, 2]), [50], { maxSteps: 20 }).states], {});
    expect(none.every(Number.isNaN)).toBe(true);
  });

  it("get shorter if a stage is not a number", async () => {
    // Once y is as small as √y / 50, steps grow until a stage is negative.
    const solved = await compileFunction(
      { y: [] },
      ({ y }) => ode((_, z) => sub(sqrt(z), mul(50, z)), y, [1, 2, 5], { tolerance: 1e-2 }) as never,
    );
    const { states } = solved({ y: 1 }).outputs as unknown as Record<string, Float64Array>;
    expect([...states].every((x) => Math.abs(x - 4e-4) < 1e-2)).toBe(true);
  });

  it("need few extra steps for the error estimate", () => {
    const posed = (maxSteps: number) => ode((_, z) => neg(mul(20, z)), constantArray([1, 2]), [2], { maxSteps });
    const needed = interpret([posed(1000).steps], {})[0][0];
    const { states, error } = posed(needed + 5);
    expect(interpret([states, error], {}).every((numbers) => numbers.every(Number.isFinite))).toBe(true);
  });

  it("land exactly on thousands of output times", async () => {
    const many = Array.from({ length: 5000 }, (_, i) => i / 500);
    const solved = await compileFunction(
      { k: [] },
      ({ k }) => {
        const { states, steps } = ode((_, y) => stack([at(y, 1), neg(mul(k, at(y, 0)))]), [1, 0], many);
        return { value: sum(square(at(states, 0, 1))), states, steps };
      },
      { gradient: ["k"] },
    );
    const { outputs, gradient } = solved({ k: 4 });
    expectClose(
      outputs.states.filter((_, i) => i % 2 === 0),
      many.map((t) => Math.cos(2 * t)),
      1e-5,
      "an oscillation",
    );
    expect(outputs.steps[0]).toBe(4999);
    const wanted = many.reduce((all, t) => all - (2 * Math.cos(2 * t) * Math.sin(2 * t) * t) / 4, 0);
    expectClose([gradient.k[0] / wanted], [1], 1e-5, "its frequency");
  });

  it("reach tolerances down to 1e-12 and report the estimated error", async () => {
    let last = 1;
    for (const tolerance of [1e-3, 1e-6, 1e-9, 1e-12]) {
      const solved = await compileFunction({ k: [] }, ({ k }) => ({
        ...ode((_, y) => neg(mul(k, y)), 1, [1, 3, 9], { tolerance }),
      }));
      const { states, error } = solved({ k: 0.6 }).outputs;
      const off = Math.max(...[1, 3, 9].map((t, i) => Math.abs(states[i] - Math.exp(-0.6 * t))));
      expect(off).toBeLessThan(Math.min(10 * tolerance, last));
      // The estimate equals that error unless it is below rounding.
      expect(error[0]).toBeGreaterThan(0.9 * off - 1e-14);
      expect(error[0]).toBeLessThan(1.1 * off + 1e-14 + tolerance * 0.2);
      last = off;
    }
  });

  it("meet the tolerance for each number, absolute for small ones", () => {
    const small = (absoluteTolerance: number): number => {
      const { states } = ode((_, y) => neg(y), constantArray([1e-6, 1e-6]), [1], { tolerance: 1e-6, absoluteTolerance });
      return Math.abs(interpret([states], {})[0][0] / (1e-6 * Math.exp(-1)) - 1);
    };
    expect(small(1e-12)).toBeLessThan(1e-5);
    expect(small(1e-4)).toBeGreaterThan(1e-5);
  });
});

describe("errors of ode", () => {
  const y = constantArray([1, 2]);
  const slope: Slope = (_, z) => z;
  const cases: readonly [string, () => unknown, RegExp][] = [
    [
      "a slope of another shape",
      () => ode((_, z) => at(z, 0), y, [1]),
      /^ode: the slope is \[\], but the state is \[2\].*stack\(\[…\]\) \(at .*\[COMPILE_SHAPE\]$/,
    ],
    ["a slope that is none", () => ode((() => 1) as never, y, [1]), /the slope is number, but the state is \[2\]/],
    ["a list for a slope", () => ode(((_: unknown, z: SymbolicArray) => [z]) as never, y, [1]), /the slope is object/],
    [
      "times that decrease",
      () => ode(slope, y, [1, 3, 2]),
      /times\[2\] is 2, but must be finite and no less than times\[1\], which is 3; sort the times/,
    ],
    [
      "times before the start",
      () => ode(slope, y, [1, 3], { from: 2 }),
      /times\[0\] is 1, but must be finite and no less than 2, where the solution starts/,
    ],
    ["times without end", () => ode(slope, y, [1, Infinity]), /times\[1\] is Infinity/],
    [
      "a table of times",
      () => ode(slope, y, input("when", [2, 2])),
      /times are \[2, 2\] and from is \[\], but \[T\] and one number are wanted/,
    ],
    ["a beginning without end", () => ode(slope, y, [1], { from: -Infinity }), /from is -Infinity, but must be finite/],
    ["no beginning", () => ode(slope, y, input("when", [2]), { from: NaN }), /from is NaN, but must be finite/],
    ["a list of starts", () => ode(slope, y, [1], { from: input("when", [2]) }), /from is \[2\]/],
    ["a start that is no number", () => ode(slope, constantArray([1, NaN]), [1]), /number 1 of start is NaN, but must be finite/],
    [
      "another method",
      () => ode(slope, y, [1], { method: "euler" as never }),
      /the method is "euler", but must be "dormandPrince" or "rosenbrock"/,
    ],
    ["a method that objects have", () => ode(slope, y, [1], { method: "toString" as never }), /the method is "toString"/],
    [
      "too small a tolerance",
      () => ode(slope, y, [1], { tolerance: 1e-13 }),
      /tolerance is 1e-13, but must be from 1e-12 on and below 1/,
    ],
    ["a tolerance of 1", () => ode(slope, y, [1], { tolerance: 1 }), /tolerance is 1, but/],
    [
      "an absolute tolerance of 0",
      () => ode(slope, y, [1], { absoluteTolerance: 0 }),
      /absoluteTolerance is 0, but must be above 0/,
    ],
    ["no steps", () => ode(slope, y, [1], { maxSteps: 0 }), /maxSteps is 0, but must be 1 or more/],
    ["half a step", () => ode(slope, y, [1], { maxSteps: 1.5 }), /maxSteps is 1.5, but must be a whole number/],
  ];
  it.each(cases)("refuses %s", (_, run, message) => {
    expect(run).toThrow(message);
  });

  it("refuses to save a network that contains ode", () => {
    const program = (batch: number) =>
      programOf({ x: [batch, 2] }, ({ x }) => at(ode((_, z) => neg(z), x, [1]).states, 0), { precision: "f32" });
    expect(() => encodePlan(program)).toThrow(/plan: a saved network cannot contain ode\(\); write its steps with scan/);
  });

  it("refuses a state used outside of the slope", () => {
    let leaked = input("x", []);
    ode(
      (_, z) => {
        leaked = at(z, 0);
        return z;
      },
      y,
      [1],
    );
    return expect(compileFunction({}, () => exp(leaked))).rejects.toThrow(/used outside of it/);
  });
});
