/**
 * Initial values. The statistical checks have false alarms at 1e-4 for the whole file. A variance 5 % off, or a mean of
 * 0.02 deviations, would be at least 6 standard errors away, and 12 at full power.
 */
import { afterAll, describe, expect, it } from "vitest";
import "../../../../src/entries/at-start.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import * as n from "../../../../src/learning/models/neural/index.ts";
import { orthogonalRows } from "../../../../src/learning/models/neural/orthogonal-rows.ts";
import { kolmogorovSmirnov, normalDistribution, zScore } from "../../../bayes/statistical/p-values.ts";
import { power } from "../../../power.ts";

const CHECKS = 24;
const LEVEL = 1e-4 / CHECKS;
let checks = 0;
const expectGood = (pValue: number): void => {
  checks++;
  expect(pValue).toBeGreaterThan(LEVEL);
};
afterAll(() => expect(checks).toBeLessThanOrEqual(CHECKS));

const INPUTS = power(50, 100);
const SHAPE = [3, 3, INPUTS, 4 * INPUTS];
const FANS = { fanIn: 9 * INPUTS, fanOut: 36 * INPUTS };
const valuesOf = (initial: n.Initialiser, path = "0.weight", shape: readonly number[] = SHAPE, seed = 1): Float64Array =>
  n.initialValues(seed, { path, shape, initial });
const average = (values: Float64Array, f: (x: number) => number): number =>
  values.reduce((total, x) => total + f(x), 0) / values.length;

describe("variances", () => {
  it.each([
    ["heNormal", n.heNormal(), 2 / FANS.fanIn],
    ["heUniform", n.heUniform(), 2 / FANS.fanIn],
    ["glorotNormal", n.glorotNormal(), 2 / (FANS.fanIn + FANS.fanOut)],
    ["glorotUniform", n.glorotUniform({ gain: 3 }), (9 * 2) / (FANS.fanIn + FANS.fanOut)],
    ["lecunNormal", n.lecunNormal(), 1 / FANS.fanIn],
    ["lecunUniform", n.lecunUniform(), 1 / FANS.fanIn],
    ["normalInitial", n.normalInitial({ deviation: 0.3 }), 0.09],
    ["uniformInitial", n.uniformInitial({ low: -3, high: 3 }), 3],
  ] as const)("match theory for %s, with mean 0 and the stated distribution", (name, initial, variance) => {
    const values = valuesOf(initial);
    const deviation = Math.sqrt(variance);
    const scaled = values.map((x) => x / deviation);
    const uniform = name.includes("niform");
    expectGood(zScore(average(scaled, (x) => x) * Math.sqrt(values.length)));
    // The variance of a square: 2 for normal numbers, and 4/5 for uniform ones of variance 1.
    expectGood(zScore((average(scaled, (x) => x * x) - 1) * Math.sqrt(values.length / (uniform ? 0.8 : 2))));
    const half = Math.sqrt(3);
    expectGood(kolmogorovSmirnov(scaled, uniform ? (x) => (x + half) / (2 * half) : normalDistribution));
    expect(kolmogorovSmirnov(scaled, uniform ? normalDistribution : (x) => (x + half) / (2 * half))).toBeLessThan(LEVEL);
    if (uniform) expect(Math.max(...scaled.subarray(0, 1000).map(Math.abs))).toBeLessThanOrEqual(half);
  });

  it("use given fans instead of those of the shape", () => {
    const base = { path: "a", shape: [4, 12], initial: n.glorotUniform() };
    const plain = n.initialValues(3, base);
    const gates = n.initialValues(3, { ...base, fans: { fanIn: 4, fanOut: 3 } });
    gates.forEach((value, i) => void expect(value).toBeCloseTo(plain[i] * Math.sqrt(16 / 7), 14));
  });
});

describe("fans", () => {
  it.each([
    [[7], 7, 7],
    [[3, 5], 3, 5],
    [[3, 3, 4, 8], 36, 72],
    [[], 1, 1],
  ])("for %j are %i and %i", (shape, fanIn, fanOut) => expect(n.fansOf(shape)).toEqual({ fanIn, fanOut }));
});

describe("the values of a parameter", () => {
  it("depend on seed and path alone", () => {
    const values = valuesOf(n.heNormal(), "a", [5, 4]);
    expect(valuesOf(n.heNormal(), "a", [5, 4])).toEqual(values);
    expect(valuesOf(n.heNormal(), "b", [5, 4])).not.toEqual(values);
    expect(valuesOf(n.heNormal(), "a", [5, 4], 2)).not.toEqual(values);
  });
});

describe("orthogonal", () => {
  it.each([
    [1, 1],
    [1, 7],
    [4, 4],
    [3, 17],
    [40, 41],
  ])("has orthogonal rows: %i of %i numbers, within 1e-14 · length", (count, length) => {
    const rows = orthogonalRows(count, length, stream(5, "rows").at(0));
    for (let i = 0; i < count; i++)
      for (let j = 0; j <= i; j++) {
        let product = 0;
        for (let k = 0; k < length; k++) product += rows[i * length + k] * rows[j * length + k];
        expect(Math.abs(product - Number(i === j))).toBeLessThanOrEqual(1e-14 * length);
      }
  });

  it.each([
    [[3, 5], "rows"],
    [[5, 3], "columns"],
    [[4, 4], "rows"],
    [[2, 2, 3], "columns"],
  ])("fills %j with orthogonal %s of length gain", (shape, which) => {
    const gain = 1.5;
    const values = valuesOf(n.orthogonal({ gain }), "a", shape);
    const columns = shape.at(-1)!;
    const rows = values.length / columns;
    const [count, length] = which === "rows" ? [rows, columns] : [columns, rows];
    const element = (i: number, k: number) => (which === "rows" ? values[i * columns + k] : values[k * columns + i]);
    for (let i = 0; i < count; i++)
      for (let j = 0; j <= i; j++) {
        let product = 0;
        for (let k = 0; k < length; k++) product += element(i, k) * element(j, k);
        expect(product).toBeCloseTo(i === j ? gain * gain : 0, 13);
      }
  });
});

describe("constants", () => {
  it("are given numbers, or blocks of them", () => {
    expect([...valuesOf(n.zeros(), "a", [2])]).toEqual([0, 0]);
    expect([...valuesOf(n.ones(), "a", [2])]).toEqual([1, 1]);
    expect([...valuesOf(n.constantInitial({ value: -2 }), "a", [2])]).toEqual([-2, -2]);
    expect([...valuesOf(n.blockConstants({ values: [0, 1, 2, 3] }), "a", [8])]).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  });
});

describe("JSON", () => {
  const all = [
    n.heNormal(),
    n.heUniform({ gain: 2 }),
    n.glorotNormal(),
    n.glorotUniform(),
    n.lecunNormal(),
    n.lecunUniform(),
    n.orthogonal({ gain: 0.5 }),
    n.zeros(),
    n.ones(),
    n.constantInitial({ value: 3 }),
    n.blockConstants({ values: [1, 2] }),
    n.normalInitial({ mean: 1 }),
    n.uniformInitial({ low: 0 }),
  ];
  it.each(all.map((initial) => [initial.name, initial] as const))("restores the same numbers of %s", (_, initial) => {
    const again = n.initialiserFromJson(JSON.parse(JSON.stringify(initial.toJSON())));
    expect(again.toJSON()).toEqual(initial.toJSON());
    expect(valuesOf(again, "a", [3, 4])).toEqual(valuesOf(initial, "a", [3, 4]));
  });

  it("accepts names, and user-defined initialisers", () => {
    expect(n.initialiserFromJson("heNormal").toJSON()).toEqual(n.heNormal().toJSON());
    const counting = n.initialiser<{ from: number }>("counting", { from: 0 }, ({ shape, options }) =>
      Float64Array.from({ length: shape[0] }, (_, i) => options.from + i),
    );
    const again = n.initialiserFromJson(counting({ from: 3 }).toJSON());
    expect([...valuesOf(again, "a", [3])]).toEqual([3, 4, 5]);
  });

  it.each([
    [() => n.initialiserFromJson("xavier"), /initialiser: "xavier" is not known .*\[OPTION_UNKNOWN\]/],
    [() => n.heNormal({ gain: -1 }), /heNormal: gain is -1.*\[OPTION_RANGE\]/],
    [() => n.heNormal({ scale: 1 } as object), /heNormal: unknown option "scale".*\[OPTION_UNKNOWN\]/],
    [() => n.uniformInitial({ low: 1, high: 0 }), /uniformInitial: high is 0.*\[OPTION_RANGE\]/],
    [() => n.initialiser("zeros", {}, () => new Float64Array(0)), /"zeros" is the name of .*\[NAME_TAKEN\]/],
  ])("refuses impossible options: %s", (make, message) => expect(make).toThrow(message));
});
