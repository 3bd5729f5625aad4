/**
 * The verdict names jumps of the log density as the cause of divergences only if the density jumps: generated densities
 * with jumps, and curved densities without, as negative controls.
 */
import { describe, expect, it } from "vitest";
import { edgesNear } from "../../../../src/bayes/draws/findings/edges.ts";
import type { Judged } from "../../../../src/bayes/draws/findings/finding.ts";
import * as e from "../../../../src/entries/everything.ts";

const short = { draws: 500, warmup: 500, chains: 4, seed: 1 };
const findingOf = async (draws: PromiseLike<e.Draws>) =>
  (await draws).verdict().findings.find(({ code }) => code === "divergences");

const y = [2.1, 4.4, 9.1, 5.5, 7.7, 1.2, 8.8, 3.3];
const endpoint = e.model(({ param, data, observe }) => {
  const { y } = data({ y: e.vector("N") });
  observe(y, e.uniform(0, param("theta", e.uniform(0, 20))));
});

describe("a density that jumps", () => {
  it("of a uniform whose end depends on the data: the bound, its side and the term", async () => {
    const found = await findingOf(e.sample(endpoint, { y }, short));
    expect(found?.text).toMatch(/the log density ends \(it falls to -inf\) where "theta" goes below 9\.1, next to \d+ of the 16/);
    expect(found?.text).toMatch(/uniform y\[2\] = 9\.1 is -inf there/);
    expect(found?.advice).toMatch(/param\("theta", …, \{ lower: 9\.1 \}\)/);
    expect(found?.advice).not.toMatch(/targetAcceptance/);
  });

  it("has no divergences once the bound is given as the advice says", async () => {
    const bounded = e.model(({ param, data, observe }) => {
      const { y } = data({ y: e.vector("N") });
      observe(y, e.uniform(0, param("theta", e.uniform(0, 20), { lower: 9.1, upper: 20 })));
    });
    expect((await e.sample(bounded, { y }, short)).divergences).toBeLessThan(10);
  });

  it.each([1, 2, 3, 4, 5, 6])("at a random bound of a random coordinate, case %i", async (seed) => {
    const random = e.stream(seed, "edges").at(0);
    const d = 1 + random.integer(6);
    const at = random.integer(d);
    const bound = random.uniform() - 0.5;
    const sign = random.uniform() < 0.5 ? 1 : -1;
    const scales = Array.from({ length: d }, () => 10 ** (2 * random.uniform() - 1));
    const drop = seed % 2 === 0 ? Number.NEGATIVE_INFINITY : -1e5;
    const logDensity = (u: Float64Array): number => {
      let sum = 0;
      for (let i = 0; i < d; i++) {
        sum -= (u[i] / scales[i]) ** 2 / 2;
      }
      return sign * (u[at] - bound * scales[at]) > 0 ? sum + drop : sum;
    };
    const gradient = (u: Float64Array) => u.map((value, i) => -value / scales[i] ** 2);
    const names = scales.map((_, i) => `p${i}`);
    const density = e.functionDensity({ dimension: d, names, logDensity, gradient, checkGradient: false });
    const found = await findingOf(e.sample(density, {}, short));
    expect(found?.text).toMatch(seed % 2 === 0 ? /ends \(it falls to -inf\)/ : /jumps down by 100000/);
    const [, side, value] = /"p\d" goes (above|below) (\S+),/.exec(found?.text ?? "") ?? [];
    expect(found?.text).toContain(`"p${at}" goes`);
    expect(side).toBe(sign > 0 ? "above" : "below");
    expect(Number(value)).toBeCloseTo(bound * scales[at], 4);
  });

  it("at a limit that two parameters share: both names, and no bound", async () => {
    const triangle = e.functionDensity({
      dimension: 2,
      names: ["a", "b"],
      logDensity: ([a, b]) => -(a * a + b * b) / 2 - (a + b > 0.3 ? 1e6 : 0),
      gradient: ([a, b]) => [-a, -b],
      checkGradient: false,
    });
    const found = await findingOf(e.sample(triangle, {}, short));
    expect(found?.text).toMatch(/jumps down by 1000000 along "a", "b", next to/);
    expect(found?.advice).toMatch(/bounds or a constraint/);
  });
});

describe("a curved density without a jump keeps the advice about curvature", () => {
  const funnel = e.model(({ param }) => {
    const v = param("v", e.normal(0, 3));
    param("x", e.normal(0, v.div(2).exp()), { shape: [9] } as never);
  });
  const banana = e.model(({ param, observe }) => {
    const x = param("x", e.normal(0, 1));
    observe(0, e.normal(param("y", e.normal(0, 3)).sub(x.mul(x).mul(2)), 0.05));
  });
  const schools = e.model(({ param, observe }) => {
    const tau = param("tau", e.halfCauchy(5));
    const theta = param("theta", e.normal(param("mu", e.normal(0, 5)), tau), { shape: [8], centred: true } as never);
    observe([28, 8, -3, 7, -1, 1, 18, 12], e.normal(theta, [15, 10, 16, 11, 9, 11, 10, 18]));
  });
  it.each([
    ["funnel", funnel],
    ["banana", banana],
    ["centred eight schools", schools],
  ] as const)("%s", async (_, model) => {
    for (const seed of [1, 2]) {
      const algorithm = e.nuts({ targetAcceptance: 0.6 });
      const draws = await e.sample(model as typeof banana, {}, { ...short, algorithm, seed });
      expect(draws.divergences).toBeGreaterThan(0);
      expect(draws.description.edges).toMatchObject({ found: 0 });
      const found = draws.verdict().findings.find(({ code }) => code === "divergences");
      expect(found?.text).toMatch(/too curved there for the step size/);
      expect(found?.advice).toMatch(/targetAcceptance/);
    }
  });
});

it("edges next to few of the draws do not replace the advice about curvature", () => {
  const edges = { examined: 16, found: 3, names: ["a"], drop: null };
  const judged = (found: number) => ({ description: { edges: { ...edges, found } } }) as unknown as Judged;
  expect([0, 3, 8].map((found) => edgesNear(judged(found))?.explains)).toEqual([undefined, false, true]);
});
