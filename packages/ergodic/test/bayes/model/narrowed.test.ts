/** Constraints of parameters next to the bounds of their priors, and constraints that are refused. */
import { describe, expect, it } from "vitest";
import type { Distribution } from "../../../src/bayes/distributions/index.ts";
import * as d from "../../../src/bayes/distributions/index.ts";
import { model } from "../../../src/bayes/model/index.ts";

type Bounds = { lower?: number; upper?: number };
const cases: readonly [string, () => Distribution, Bounds, [number, number]][] = [
  ["a lower bound inside", () => d.uniform(0, 20), { lower: 5 }, [5, 20]],
  ["a lower bound outside", () => d.uniform(0, 20), { lower: -3 }, [0, 20]],
  ["an upper bound inside", () => d.uniform(0, 20), { upper: 5 }, [0, 5]],
  ["both bounds", () => d.uniform(0, 20), { lower: 5, upper: 30 }, [5, 20]],
  ["a positive prior", () => d.exponential(1), { upper: 5 }, [0, 5]],
  ["a prior on the circle", () => d.vonMises(0, 1), { lower: 0 }, [0, Math.PI]],
  ["a prior on the circle, from above", () => d.vonMises(0, 1), { upper: 1 }, [-Math.PI, 1]],
  ["an unbounded prior", () => d.normal(0, 1), { lower: 2 }, [2, Infinity]],
];

describe.each(cases)("%s", (_, prior, bounds, [low, high]) => {
  it("keeps the parameter within the bounds and the support", async () => {
    for (const option of [bounds, { constraint: bounds }]) {
      using posterior = await model(({ param }) => void param("x", prior(), option)).condition({});
      const ends = [-30, 30].map((u) => posterior.constrain(Float64Array.of(u)).x[0]);
      expect(Math.min(...ends)).toBeCloseTo(low, 8);
      if (high < Infinity) expect(Math.max(...ends)).toBeCloseTo(high, 8);
      else expect(Math.max(...ends)).toBeGreaterThan(1e9);
    }
  });
});

it.each([
  [{ lower: 30 }, "param: lower is 30, but all values of the prior are below 20; change one of them [OPTION_RANGE]"],
  [{ lower: 20 }, "param: lower is 20, but all values of the prior are below 20"],
  [{ upper: -1 }, "param: upper is -1, but all values of the prior are above 0"],
  [{ lower: 7, upper: 5 }, "lower is 7 and upper is 5"],
])("refuses %j, which no value of the prior satisfies", async (bounds, message) => {
  const made = model(({ param }) => void param("x", d.uniform(0, 20), bounds));
  await expect((async () => made.condition({}))()).rejects.toThrow(message.replace(/ \[.*/, ""));
});

it("says how a distribution is called if its name is given as a constraint, and only then", async () => {
  const given = async (word: string) => model(({ param }) => void param("x", word as never)).condition({});
  await expect(given("normal")).rejects.toThrow(/"normal" is not a constraint .*; the distribution is called: normal\(…\)/);
  await expect(given("norma")).rejects.toThrow(/"norma" is not a constraint \(known: [^;]*\)(?!;)/);
});
