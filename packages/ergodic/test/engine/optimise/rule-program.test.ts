/** Gradient terms, penalties and storage types of a rule's program agree with handwritten formulas. */
import { describe, expect, test } from "vitest";
import { compile, evaluateProgram, type ProgramSpec, type StorageType } from "../../../src/engine/compiler/index.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import * as g from "../../../src/engine/optimise/index.ts";

const sgd = g.sgd({ rate: 0.5 });

function closeTo(ours: ArrayLike<number>, expected: ArrayLike<number>): void {
  for (let i = 0; i < expected.length; i++) {
    const same = Object.is(ours[i], expected[i]) || Math.abs(ours[i] - expected[i]) <= 1e-12 * Math.max(1, Math.abs(expected[i]));
    expect(same, `element ${i}: ${ours[i]}, not ${expected[i]}`).toBe(true);
  }
}

/** Runs the same program interpreted and compiled, compares the results, and returns the final operands. */
async function both(spec: ProgramSpec, vectors: Record<string, number[]>, scalars: Record<string, number>, indices?: number[]) {
  const engine = await openEngine();
  const typed = (type: StorageType, values: number[]) =>
    type === "f64"
      ? Float64Array.from(values)
      : type === "f32"
        ? Float32Array.from(values)
        : type === "i16"
          ? Int16Array.from(values)
          : Int8Array.from(values);
  const reference = Object.fromEntries(spec.operands.map(({ name, type }) => [name, typed(type, vectors[name])]));
  const count = indices?.length ?? vectors.values.length;
  evaluateProgram(spec, { vectors: reference, scalars, indices, count });

  const compiled = compile(spec, { shared: engine.memory.shared });
  const functions = engine.link(compiled.bytes, compiled.exports);
  using block = engine.memory.allocate(compiled.blockBytes, "test block");
  using index = engine.memory.allocate(4 * count + 16, "test indices");
  const memory = () => new DataView(engine.memory.memory.buffer);
  const places = spec.operands.map(({ name, type }) => ({
    name,
    type,
    at: engine.memory.allocate(8 * vectors[name].length, name),
  }));
  const view = (type: StorageType, pointer: number, n: number) => engine.memory[type](pointer, n);
  for (const { name, type, at } of places) {
    view(type, at.pointer, vectors[name].length).set(vectors[name]);
    memory().setInt32(block.pointer + compiled.pointers[name], at.pointer, true);
  }
  if (indices) engine.memory.i32(index.pointer, count).set(indices);
  memory().setInt32(block.pointer + compiled.indices, index.pointer, true);
  for (const [name, offset] of Object.entries(compiled.scalars))
    memory().setFloat64(block.pointer + offset, scalars[name] ?? 0, true);
  for (let k = 0; k < 4; k++) memory().setUint32(block.pointer + compiled.random + 4 * k, 0x9e3779b9 * (k + 1), true);
  functions[compiled.update].call(count, block.pointer);
  const left: Record<string, number[]> = {};
  for (const { name, type, at } of places) {
    left[name] = [...view(type, at.pointer, vectors[name].length)];
    const stochastic = spec.operands.some((o) => o.name === name && o.rounding);
    if (!stochastic) closeTo(left[name], reference[name]);
    at.dispose();
  }
  return left;
}

const scalarsOf = (program: g.RuleProgram, more: Record<string, number>): Record<string, number> => ({
  scale: 1,
  t: 1,
  loss: 1,
  epochUpdates: 1,
  ...Object.fromEntries([
    ...program.inputs.map((i) => [i.name, i.value]),
    ...program.scalarStates.map((s) => [s.name, s.initial]),
  ]),
  ...more,
});

describe("gradient", () => {
  test("adds scale, base, reach, share and l2", async () => {
    const program = g.ruleProgram(sgd, { gradientType: "f64", precision: "f64", base: true, reach: true, share: true, l2: true });
    expect(program.spec.operands.map((o) => o.name)).toEqual(["values", "parameter", "share", "base", "reach"]);
    const left = await both(
      program.spec,
      { values: [1, 2, 3], parameter: [1, -1, 2], share: [0, 1, 4], base: [10, 20, 30], reach: [0, 1, 5] },
      scalarsOf(program, { scale: 2, l2: 0.1 }),
    );
    expect(left.parameter).toEqual([
      1 - 0.5 * (2 * 1 + 0 * 10 + 0.1 * 0 * 1),
      -1 - 0.5 * (2 * 2 + 1 * 20 + 0.1 * 1 * -1),
      2 - 0.5 * (2 * 3 + 5 * 30 + 0.1 * (4 * 2)),
    ]);
  });

  test("applies a rare coordinate's L2 implicitly beyond a share of 1, so that it cannot overshoot 0", async () => {
    const program = g.ruleProgram(sgd, {
      gradientType: "f64",
      precision: "f64",
      indexed: true,
      share: true,
      damped: true,
      l2: true,
    });
    const left = await both(
      program.spec,
      { values: [0, 0], parameter: [1, 1], share: [1, 1e6] },
      scalarsOf(program, { l2: 0.1 }),
      [0, 1],
    );
    closeTo(left.parameter, [1 - 0.5 * 0.1, 1 - (0.5 * 0.1 * 1e6) / (1 + 0.5 * 0.1 * (1e6 - 1))]);
    expect(left.parameter[1]).toBeGreaterThan(0);
  });

  test("scales i8 values, and selects parameter, share and states by index", async () => {
    const rule = g.adagrad({ rate: 1, epsilon: 0 });
    const program = g.ruleProgram(rule, { gradientType: "i8", precision: "f64", indexed: true, share: true, l2: true });
    const left = await both(
      program.spec,
      { values: [-128, 3, 127], parameter: [0, 1, 2, 3], share: [1, 1, 1, 0], r: [4, 4, 4, 4] },
      scalarsOf(program, { scale: 0.25, l2: 1 }),
      [2, 0, 3],
    );
    const [g2, g0, g3] = [-32 + 2, 0.75 + 0, 31.75];
    const root = (x: number) => Math.sqrt(4 + x * x);
    closeTo(left.parameter, [0 - g0 / root(g0), 1, 2 - g2 / root(g2), 3 - g3 / root(g3)]);
    expect(left.r).toEqual([4 + g0 * g0, 4, 4 + g2 * g2, 4 + g3 * g3]);
  });
});

describe("exact zeros of L1", () => {
  const program = g.ruleProgram(sgd, { gradientType: "f64", precision: "f64", l1: true, share: true });
  const cases: [string, number, number, number, number][] = [
    // name, parameter, gradient, share, expected after p − 0.5 g with l1 = 1
    ["away from 0 the sign is added", 3, 1, 1, 3 - 0.5 * (1 + 1)],
    ["and below 0 taken off", -3, 1, 1, -3 - 0.5 * (1 - 1)],
    ["a crossing ends at 0", 0.5, 1, 1, 0],
    ["from below too", -0.5, -1, 1, 0],
    ["a small gradient leaves 0 at 0", 0, 0.9, 1, 0],
    ["a large one moves by its excess", 0, 3, 1, -0.5 * (3 - 1)],
    ["to the other side", 0, -3, 1, 0.5 * (3 - 1)],
    ["an intercept crosses freely", 0.5, 2, 0, 0.5 - 0.5 * 2],
    ["and leaves 0 freely", 0, 0.5, 0, -0.5 * 0.5],
    ["a share of 4 is four times the penalty", 3, 1, 4, 3 - 0.5 * (1 + 4)],
    ["NaN stays NaN", 1, Number.NaN, 1, Number.NaN],
    ["NaN at 0 too", 0, Number.NaN, 1, Number.NaN],
  ];
  test.each(cases)("steps as expected: %s", async (_, parameter, values, share, expected) => {
    const left = await both(
      program.spec,
      { values: [values], parameter: [parameter], share: [share] },
      scalarsOf(program, { l1: 1 }),
    );
    expect(left.parameter[0] + 0).toBe(expected + 0);
  });

  test("momentum cannot move a coordinate off 0 while its gradient is small", async () => {
    const heavy = g.ruleProgram(g.momentum({ rate: 1 }), { gradientType: "f64", precision: "f64", l1: true });
    const left = await both(heavy.spec, { values: [0.5], parameter: [0], v: [-2] }, scalarsOf(heavy, { l1: 1, t: 5 }));
    expect(left.parameter[0]).toBe(0);
    expect(left.v[0]).toBeCloseTo(-1.8, 14);
  });
});

describe("16-bit parameters", () => {
  test("are rounded without bias: the mean of 20,000 steps of a third of a unit", async () => {
    const program = g.ruleProgram(sgd, { gradientType: "f32", precision: "f32", parameterType: "i16" });
    expect(program.spec.operands[1]).toEqual({ name: "parameter", type: "i16", access: "direct", rounding: "stochastic" });
    const n = 20_000;
    const parameterScale = 1 / 64;
    // p = 10 units and the step is −1/3 unit, so the expected parameter is 10 + 1/3 units.
    const values = new Array<number>(n).fill((-2 / 3) * parameterScale);
    const left = await both(
      program.spec,
      { values, parameter: new Array<number>(n).fill(10) },
      scalarsOf(program, { parameterScale }),
    );
    expect(new Set(left.parameter)).toEqual(new Set([10, 11]));
    const mean = left.parameter.reduce((s, v) => s + v, 0) / n;
    // The standard error is √(2/9/n) = 0.0033, and 4.5 of them give a false-alarm rate of 7e-6.
    expect(Math.abs(mean - (10 + 1 / 3))).toBeLessThan(4.5 * Math.sqrt(2 / 9 / n));
  });

  test("saturate at the ends of their range", async () => {
    const program = g.ruleProgram(sgd, { gradientType: "f64", precision: "f64", parameterType: "i16" });
    const left = await both(
      program.spec,
      { values: [-1000, 1000], parameter: [0, 0] },
      scalarsOf(program, { parameterScale: 1 / 64 }),
    );
    expect(left.parameter).toEqual([32000, -32000]);
    const beyond = await both(
      program.spec,
      { values: [-2000, 2000], parameter: [0, 0] },
      scalarsOf(program, { parameterScale: 1 / 64 }),
    );
    expect(beyond.parameter).toEqual([32767, -32768]);
  });
});

test("names of states, options and operands never collide in a chain", () => {
  const rule = g.chain(g.momentum(), g.nesterov(), g.adam(), g.adam());
  const { spec, inputs } = g.ruleProgram(rule, {
    gradientType: "f32",
    precision: "f32",
    l1: true,
    l2: true,
    base: true,
    share: true,
  });
  const names = [...spec.operands.map((o) => o.name), ...spec.scalars];
  expect(new Set(names).size).toBe(names.length);
  expect(inputs.map((i) => i.name)).toContain("rate2");
});

test("evaluation points have their own program, or none if the point is the parameter", () => {
  expect(g.evaluationProgram(g.adam(), { precision: "f64" })).toBeNull();
  const spec = g.evaluationProgram(g.scheduleFreeSgd({ beta: 0.5 }), { precision: "f64" })!;
  const point = new Float64Array(2);
  evaluateProgram(spec, {
    vectors: { parameter: Float64Array.of(3, 0), z: Float64Array.of(1, 2), point },
    scalars: { rate: 1, beta: 0.5, weights: 0, largest: 0 },
  });
  // x = (y − (1 − β) z)/β
  expect([...point]).toEqual([5, -2]);
});
