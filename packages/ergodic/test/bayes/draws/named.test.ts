/** Conversion of unconstrained numbers to draws by name: values, transitions, and places that a run visited. */
import { expect, it } from "vitest";
import type { ConditionedModel } from "../../../src/bayes/model/index.ts";
import { drawsOf } from "../../../src/bayes/named-draws.ts";
import { ChainDraws } from "../../../src/bayes/samplers/base/chain-draws.ts";
import type { VisitedPlace } from "../../../src/bayes/samplers/base/sampler.ts";
import { exp, mul } from "../../../src/engine/compiler/index.ts";
import { exponential, model, normal, vector } from "../../../src/entries/everything.ts";

const wide = model(({ data, param, observe, transformed, generated }) => {
  const theta = param("theta", normal(0, 1), { shape: 10 });
  const tau = param("tau", exponential(1));
  transformed("scale", mul(2, tau));
  generated("again", normal(0, tau));
  observe(data({ y: vector("N") }).y, normal(0, exp(mul(0, tau))));
  transformed("first", theta);
});

const density = (await wide.condition({ y: [1, 2] })) as ConditionedModel;
const [chains, count, dimension] = [2, 3, density.dimension];
const values = Float64Array.from({ length: chains * count * dimension }, (_, i) => Math.sin(i));
const fields = ["logDensity", "divergent"];
const transitions = Float64Array.from({ length: chains * count * fields.length }, (_, i) => i);
const raw = new ChainDraws(chains, count, dimension, values, fields, transitions);
const place = (more: Partial<VisitedPlace> = {}): VisitedPlace => ({
  ...{ by: "chain", chain: 0, point: values.subarray(0, dimension), logMass: -3, error: 0.1, paretoK: Number.NaN },
  ...{ share: Infinity, settled: true, mode: 0, missed: false, ...more },
});
const drawn = (places: readonly VisitedPlace[]) =>
  drawsOf(density, { raw, places, description: { plan: { seed: 1 } }, report: { divergences: 0 } });

it("quantities keep the values of each draw, and transitions their fields", () => {
  const draws = drawn([]);
  expect([draws.chains, draws.count]).toEqual([chains, count]);
  const theta = Float64Array.from({ length: chains * count * 10 }, (_, i) => values[Math.floor(i / 10) * dimension + (i % 10)]);
  const tau = Array.from({ length: chains * count }, (_, k) => Math.exp(values[k * dimension + 10]));
  expect(draws.draws("theta")).toEqual(theta);
  expect(draws.draws("first")).toEqual(theta);
  for (const [k, wanted] of tau.entries()) {
    expect(Math.abs(draws.draws("tau")[k] / wanted - 1)).toBeLessThan(1e-14);
    expect(draws.draws("scale")[k]).toBe(2 * draws.draws("tau")[k]);
  }
  for (const [j, field] of fields.entries())
    expect([...draws.transition(field)]).toEqual(Array.from({ length: chains * count }, (_, k) => k * fields.length + j));
  expect(draws.description.places).toBeUndefined();
  expect(draws.report).toEqual({ divergences: 0 });
});

it("a place is described by the first eight parameter values, without computed quantities", () => {
  const point = Float64Array.from({ length: dimension }, (_, i) => i + 0.5);
  const [first, second] = drawn([place(), place({ point, missed: true, changes: "tau" })]).description.places as Record<
    string,
    unknown
  >[];
  expect(Object.keys(first.at as object)).toEqual(Array.from({ length: 8 }, (_, i) => `theta[${i + 1}]`));
  expect(second.at).toEqual(Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`theta[${i + 1}]`, i + 0.5])));
  // JSON cannot hold numbers that are not finite, and the point itself is not stored.
  expect(first).toMatchObject({ by: "chain", chain: 0, logMass: -3, error: 0.1, paretoK: null, share: null, missed: false });
  expect(second).toMatchObject({ missed: true, changes: "tau" });
  expect("point" in first).toBe(false);
});

it("a place with few parameters is described by them alone", async () => {
  const few = model(({ data, param, observe, transformed }) => {
    const mu = param("mu", normal(0, 1));
    transformed("twice", mul(2, mu));
    observe(data({ y: vector("N") }).y, normal(mu, 1));
  });
  const own = (await few.condition({ y: [1] })) as ConditionedModel;
  const one = new ChainDraws(1, 1, 1, Float64Array.of(0.25), [], new Float64Array(0));
  const places = [place({ point: Float64Array.of(0.25) })];
  const draws = drawsOf(own, { raw: one, places, description: { plan: { seed: 1 } }, report: {} });
  expect((draws.description.places as { at: object }[])[0].at).toEqual({ mu: 0.25 });
});
