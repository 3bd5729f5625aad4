/**
 * A gradient that does not match its density is named at the start of a run. Kinks, noise, rounding and the edge of the
 * support cause no false alarm.
 */
import { describe, expect, it } from "vitest";
import { checkGradient } from "../../../../src/bayes/model/functional/gradient-check.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import { hmc, meanField, nuts, pathfinder, sample } from "../../../../src/entries/everything.ts";
import { power } from "../../../power.ts";

const POINTS = power(1000, 3000);
const short = { chains: 2, warmup: 20, draws: 20, seed: 1 };
const bowl = (x: Float64Array): number => -0.5 * x.reduce((sum, each, i) => sum + ((each - i) / (i + 1)) ** 2, 0);
const slopes = (x: Float64Array): Float64Array => x.map((each, i) => -(each - i) / (i + 1) ** 2);

describe("a wrong gradient", () => {
  it("is named with its coordinate, value and finite difference", async () => {
    const gradient = (x: Float64Array) => slopes(x).map((each, i) => (i === 1 ? -each : each));
    const run = sample(bowl, { dimension: 3, gradient }, short);
    await expect(run).rejects.toThrow(
      /^functionDensity: gradient gives (-?[\d.]+) for x\[1\] at x = \[.*\], but finite differences of logDensity give (-?[\d.]+), as if its sign were wrong; return the derivatives of .* \[OPTION_GRADIENT\]$/,
    );
    const { message } = (await run.catch((error: unknown) => error)) as Error;
    const [given, found] = [...message.matchAll(/gives? (-?[\d.]+)/g)].map(([, value]) => Number(value));
    expect(given).toBeCloseTo(-found, 3);
    await expect(sample(bowl, { dimension: 2, gradient: (x) => x, names: ["a", "b"] }, short)).rejects.toThrow(/for "a" at/);
  });

  it.each([nuts(), hmc(), pathfinder(), meanField()])("stops $name", async (algorithm) => {
    await expect(
      sample(bowl, { dimension: 2, gradient: (x) => slopes(x).map((g) => -g) }, { ...short, algorithm }),
    ).rejects.toThrow("OPTION_GRADIENT");
  });

  it.each<[string, (x: Float64Array) => ArrayLike<number>]>([
    ["a forgotten factor", (x) => slopes(x).map((g) => 2 * g)],
    ["a slope of another coordinate", (x) => slopes(x).reverse()],
    ["a term left out", (x) => slopes(x).map((g) => g + 1)],
    ["zeros", (x) => x.map(() => 0)],
  ])("%s", async (_, gradient) => {
    for (let seed = 1; seed <= 5; seed++)
      await expect(sample(bowl, { dimension: 4, gradient }, { ...short, seed })).rejects.toThrow("OPTION_GRADIENT");
  });

  it("is found in one of many coordinates if it matters", () => {
    const d = 400;
    const x = Float64Array.from({ length: d }, (_, i) => Math.sin(i));
    const gradient = x.map((each) => -each);
    const check = (g: Float64Array) => () =>
      checkGradient("test", (y) => -0.5 * y.reduce((s, each) => s + each * each, 0), x, g, String);
    expect(check(gradient)).not.toThrow();
    expect(check(gradient.map((each, i) => (i === 300 ? each + 50 : each)))).toThrow(/for 300 at/);
    expect(check(gradient.map((each) => -each))).toThrow(/as if its sign were wrong/);
  });

  it("is accepted on request", async () => {
    const gradient = (x: Float64Array) => slopes(x).map((g) => 0.7 * g);
    expect((await sample(bowl, { dimension: 2, gradient, checkGradient: false }, short)).count).toBe(20);
    await expect(sample(bowl, { dimension: 2, checkGradient: "no" as never }, short)).rejects.toThrow(/checkGradient is "no"/);
  });
});

describe("no false alarm", () => {
  const noise = stream(1, "noise").at(0);
  const rounded = (digits: number) => (x: number) => Math.round(x * 10 ** digits) / 10 ** digits;
  const sum = (x: Float64Array, f: (each: number) => number) => x.reduce((total, each) => total + f(each), 0);
  const all: Record<string, [(x: Float64Array) => number, (x: Float64Array) => Float64Array]> = {
    "a smooth one": [bowl, slopes],
    "a stiff one": [(x) => 1e8 * bowl(x), (x) => slopes(x).map((g) => 1e8 * g)],
    "a flat one": [(x) => 1e-9 * bowl(x), (x) => slopes(x).map((g) => 1e-9 * g)],
    "one with a kink at each integer": [
      (x) => -sum(x, (v) => Math.abs(v - Math.round(v))),
      (x) => x.map((v) => -Math.sign(v - Math.round(v))),
    ],
    "one of absolute values": [(x) => -sum(x, Math.abs), (x) => x.map((v) => -Math.sign(v))],
    "steps at which it jumps": [(x) => bowl(x) - sum(x, Math.floor), slopes],
    float32: [(x) => Math.fround(Math.fround(bowl(x)) - 1000), slopes],
    "float32 far from 0": [(x) => Math.fround(bowl(x) - 1e6), slopes],
    "rounded to 3 digits": [(x) => rounded(3)(bowl(x)), slopes],
    "rounded to 1 digit": [(x) => rounded(1)(bowl(x)), slopes],
    "noise in the last digits": [(x) => bowl(x) * (1 + 1e-12 * noise.normal()), slopes],
    "noise of 1e-6": [(x) => bowl(x) + 1e-6 * noise.normal(), slopes],
    "noise of 0.01": [(x) => bowl(x) + 0.01 * noise.normal(), slopes],
    "a support that ends": [
      (x) => (x.every((v) => v > 0) ? sum(x, (v) => Math.log(v) - v) : -Infinity),
      (x) => x.map((v) => 1 / v - 1),
    ],
    "a gradient that is 5 % off": [bowl, (x) => slopes(x).map((g) => 1.05 * g)],
    "one that throws elsewhere": [
      (x) => {
        if (x[0] > 2.0001) throw new Error("out of range");
        return bowl(x);
      },
      slopes,
    ],
  };

  it.each(Object.keys(all))(`the check accepts %s at ${POINTS} points`, (name) => {
    const [logDensity, gradient] = all[name];
    const draws = stream(2, "points", name).at(0);
    for (let k = 0; k < POINTS; k++) {
      const x = Float64Array.from({ length: 1 + (k % 4) }, () => 4 * draws.uniform() - 2);
      checkGradient("test", logDensity, x, gradient(x), String);
    }
  });

  it("the check accepts a kink or a mode itself", () => {
    for (const x of [
      [0, 0],
      [1, -1],
      [0.5, 0],
    ].map((each) => Float64Array.from(each))) {
      for (const at of [-1, 0, 1])
        checkGradient(
          "test",
          (y) => -sum(y, Math.abs),
          x,
          x.map((v) => (v === 0 ? at : -Math.sign(v))),
          String,
        );
      checkGradient(
        "test",
        (y) => -0.5 * sum(y, (v) => v * v),
        x,
        x.map((v) => -v),
        String,
      );
    }
  });

  it("the check costs two evaluations per coordinate and changes no draw", async () => {
    let calls = 0;
    const counted = (x: Float64Array) => {
      calls++;
      return bowl(x);
    };
    const given = { dimension: 5, gradient: slopes };
    const checked = await sample(counted, given, short);
    const checkedCalls = calls;
    calls = 0;
    const unchecked = await sample(counted, { ...given, checkGradient: false }, short);
    expect(checkedCalls - calls).toBe(1 + 2 * 5);
    expect(checked.draws("x")).toEqual(unchecked.draws("x"));
  });
});
