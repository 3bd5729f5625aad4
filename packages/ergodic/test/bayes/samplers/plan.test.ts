/** Limits of each number in a plan. `sample` checks its own options first, so its runs cannot reach these limits. */
import { expect, it } from "vitest";
import { checkSamplingPlan, type SamplingPlan } from "../../../src/bayes/samplers/base/sampler.ts";

const plan: SamplingPlan = { chains: 2, warmup: 10, draws: 10, seed: 1, workers: 1, deterministic: true };
const check =
  (given: Partial<SamplingPlan>, dimension = 3) =>
  () =>
    checkSamplingPlan("f", { ...plan, ...given }, dimension);

it.each<[keyof SamplingPlan, accepted: number[], refused: number[]]>([
  ["chains", [1, 65536], [0, 1.5, 65537, Number.NaN]],
  ["warmup", [0, 2 ** 31], [-1, 0.5, 2 ** 31 + 1]],
  ["draws", [0, 2 ** 31], [-1, 0.5, 2 ** 31 + 1]],
])("%s has limits", (name, accepted, refused) => {
  for (const value of accepted) expect(check({ [name]: value })).not.toThrow();
  for (const value of refused)
    expect(check({ [name]: value })).toThrow(new RegExp(`^f: ${name} is .*OPTION_RANGE|^f: ${name} is .*OPTION_TYPE`));
});

it("the dimension must be a positive whole number", () => {
  expect(check({}, 1)).not.toThrow();
  for (const dimension of [0, 1.5]) expect(check({}, dimension)).toThrow(/^f: dimension is/);
});

it("a start is one point, or one per chain, with a number per coordinate", () => {
  const point = (length: number): Float64Array => new Float64Array(length);
  for (const start of [undefined, point(3), [point(3), point(3)]]) expect(check({ start })).not.toThrow();
  for (const start of [point(2), [point(3)], [point(3), point(2)], [point(3), point(3), point(3)]])
    expect(check({ start })).toThrow(/^f: start has .*OPTION_SHAPE/);
});
