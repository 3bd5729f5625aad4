import { describe, expect, it } from "vitest";
import { stream } from "../../../src/engine/random/stream.ts";
import { centredRanks } from "../../../src/search/algorithms/centred-ranks.ts";
import { openAiEs } from "../../../src/search/algorithms/open-ai-es.ts";
import { open, turn } from "./drive.ts";

it("ranks from −½ to ½, with equal ranks for equal values", () => {
  const ranks = (...values: number[]) => [...centredRanks(Float64Array.from(values))];
  expect(ranks(30, 10, 20)).toEqual([0.5, -0.5, 0]);
  expect(ranks(5, 1, 5, 9, 5)).toEqual([0, -0.5, 0, 0.5, 0]);
  expect(ranks(Infinity, 1, Infinity)).toEqual([0.25, -0.5, 0.25]);
  expect(ranks(2, 2)).toEqual([0, 0]);
  expect(ranks(4)).toEqual([-0.5]);
});

describe("steps", () => {
  const f = (x: Float64Array): number => (x[0] - 1) ** 2 + 10 * (x[1] + 2) ** 2;
  /** Σ r ε/(nσ) of update k at x. */
  const gradientAt = (x: number[], k: number, sigma: number, pairs: number): number[] => {
    const draws = stream(1, "search").at(k);
    const noise = Array.from({ length: pairs }, () => [draws.normal(), draws.normal()]).flatMap((e) => [e, e.map((v) => -v)]);
    const values = Float64Array.from(noise, (e) => f(Float64Array.from(x, (v, i) => v + sigma * e[i])));
    const ranks = centredRanks(values);
    return [0, 1].map((i) => noise.reduce((sum, e, j) => sum + ranks[j] * e[i], 0) / (noise.length * sigma));
  };

  it.each(["plain", "momentum", "adam"])("follow the equation: %s", (step) => {
    const state = open(openAiEs({ step, rate: 0.05, decay: 0.1, sigma: 0.3, pairs: 4 }), [0, 0]);
    let x = [0, 0];
    const m = [0, 0];
    const v = [0, 0];
    for (let k = 0; k < 5; k++) {
      turn(state, f);
      const g = gradientAt(x, k, 0.3, 4);
      const along = g.map((gi, i) => {
        if (step === "plain") return gi;
        m[i] = step === "adam" ? 0.9 * m[i] + 0.1 * gi : 0.9 * m[i] + gi;
        v[i] = 0.999 * v[i] + 0.001 * gi * gi;
        return step === "adam" ? m[i] / (1 - 0.9 ** (k + 1)) / (Math.sqrt(v[i] / (1 - 0.999 ** (k + 1))) + 1e-8) : m[i];
      });
      x = x.map((xi, i) => xi - (0.05 / (1 + 0.1 * k)) * along[i]);
      const centre = state.centre?.() ?? [];
      for (const i of [0, 1]) expect(centre[i]).toBeCloseTo(x[i], 12);
    }
  });

  it("a flat or completely failed batch changes nothing", () => {
    for (const value of [3, Infinity]) {
      const state = open(openAiEs(), [1, 2]);
      turn(state, () => value);
      expect([...(state.centre?.() ?? [])]).toEqual([1, 2]);
    }
  });
});

it("uses the default population of CMA-ES", () => {
  expect([1, 2, 10, 100].map((d) => open(openAiEs(), new Float64Array(d)).propose().length)).toEqual([4, 6, 10, 16]);
});
