/** Rules with a multiple of their rate, and that replicas which step so move their mean as one lane moves. */
import { describe, expect, it } from "vitest";
import { faster } from "../../../src/algorithms/gradient/faster.ts";
import {
  adam,
  chain,
  clipValue,
  constantRate,
  cosineDecay,
  Dataset,
  exponentialDecay,
  fit,
  inverseTimeDecay,
  lbfgs,
  linear,
  optimalRate,
  polyak,
  sgd,
  stepDecay,
  warmUp,
} from "../../../src/index.ts";

describe("a faster rule", () => {
  it.each([
    ["a number", sgd({ rate: 0.125 }), sgd({ rate: 0.375 })],
    ["the default", adam(), adam({ rate: 3 * (adam().options.rate as number) })],
    ["with its other options", adam({ rate: 0.125, beta1: 0.5 }), adam({ rate: 0.375, beta1: 0.5 })],
    [
      "a schedule",
      sgd({ rate: inverseTimeDecay({ rate: 0.5, decay: 0.1 }) }),
      sgd({ rate: inverseTimeDecay({ rate: 1.5, decay: 0.1 }) }),
    ],
    [
      "both ends of a schedule",
      sgd({ rate: cosineDecay({ rate: 0.5, updates: 9, final: 0.25 }) }),
      sgd({ rate: cosineDecay({ rate: 1.5, updates: 9, final: 0.75 }) }),
    ],
  ])("has three times its rate: %s", (_, rule, wanted) => {
    const found = faster(rule, 3)!;
    expect(JSON.parse(JSON.stringify(found))).toEqual(JSON.parse(JSON.stringify(wanted)));
    expect(found.kind).toBe("equation");
  });

  it.each([
    ["a rule that finds its rate", polyak()],
    ["a search", lbfgs()],
    ["a step whose rate grows by a factor", sgd({ rate: exponentialDecay({ rate: 0.5, factor: 1.01 }) })],
    ["a step whose rate is multiplied by more than 1", sgd({ rate: stepDecay({ rate: 0.5, factor: 2 }) })],
    ["a cosine that ends higher", sgd({ rate: cosineDecay({ rate: 0.5, final: 0.75 }) })],
    ["a chain", chain(clipValue(), sgd())],
    ["a schedule that follows from a penalty", sgd({ rate: optimalRate() })],
    ["a rate that rises", sgd({ rate: warmUp({ rate: 0.5, updates: 9 }) })],
    ["a rate that rises, to a schedule", sgd({ rate: warmUp({ rate: constantRate({ rate: 0.5 }), updates: 9 }) })],
  ])("is none: %s", (_, rule) => {
    expect(faster(rule, 2)).toBeUndefined();
  });

  it("moves the mean of replicas as far as one lane moves, on rows that share no column", async () => {
    const count = 64;
    using data = Dataset.fromSparse({
      rowCount: count,
      columnCount: count,
      rowStart: Uint32Array.from({ length: count + 1 }, (_, i) => i),
      columnIndex: Uint32Array.from({ length: count }, (_, i) => i),
      values: new Float64Array(count).fill(1),
      target: Float64Array.from({ length: count }, (_, i) => i % 7),
      source: "unit vectors",
    });
    const rule = sgd({ rate: 0.125 });
    const weights = async (options: Parameters<typeof fit>[2]) =>
      (await fit(linear({ standardise: false, intercept: false }), data, { ...options, epochs: 1 })).weights;
    const one = await weights({ rule });
    const two = await weights({ rule: faster(rule, 2)!, replicas: 2 });
    expect(Math.max(...one)).toBeGreaterThan(0.1);
    two.forEach((weight, i) => void expect(weight).toBeCloseTo(one[i], 6));
  });
});
