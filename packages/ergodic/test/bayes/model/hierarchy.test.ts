/** Parameters that could have a non-centred form, and their relative variances. The verdict's advice uses both. */
import { expect, it } from "vitest";
import * as d from "../../../src/bayes/distributions/index.ts";
import { hierarchyOf } from "../../../src/bayes/model/hierarchy.ts";
import { model } from "../../../src/bayes/model/model.ts";
import { traceModel } from "../../../src/bayes/model/trace.ts";
import { full, mul } from "../../../src/engine/compiler/index.ts";

it("finds parameters below others that have a location and scale and no bounds", () => {
  const traced = traceModel(
    "hierarchy",
    ({ param }) => {
      const mu = param("mu", d.normal(0, 5));
      const tau = param("tau", d.halfNormal(5));
      param("byScale", d.normal(0, tau), { shape: 3 });
      param("byLocation", d.student(4, mu, 1));
      param("logs", d.lognormal(mu, tau));
      param("rows", d.multivariateNormalCholesky(full(0, [2]), param("factor", d.lkjCholesky(2, 1), {})));
      param("moved", d.normal(mu, tau), { centred: false });
      param("movedAlone", d.normal(0, 1), { centred: false });
      param("bounded", d.normal(mu, tau), { lower: 0 });
      param("positive", d.exponential(tau));
      param("alone", d.normal(0, 1));
      param("flat", "real");
    },
    {},
  );
  expect(hierarchyOf(traced)).toEqual({ centred: ["byScale", "byLocation", "logs", "rows"], nonCentred: ["moved"] });
});

it("divides the variance of each parameter by the mean variance of its prior", async () => {
  const density = await model(({ param }) => {
    const mu = param("mu", d.normal(0, 5));
    const tau = param("tau", d.halfNormal(5));
    const factor = param("factor", d.lkjCholesky(2, 1), {});
    param("three", d.normal(0, tau), { shape: 3 });
    param("logs", d.lognormal(mu, tau));
    param("rows", d.multivariateNormalCholesky(full(0, [2]), mul(tau, factor)));
    param("moved", d.normal(mu, tau), { centred: false });
    param("bounded", d.normal(mu, tau), { lower: 0 });
    param("alone", d.normal(0, 1));
  }).condition({}, { deterministic: true });
  // One row per draw. The scale tau is 1, 2 and 3, so the mean of its square is 14/3.
  const draw = (k: number): number[] => [0, Math.log(k + 1), 0, k, 2 * k, 0, 3 * k, k, 2 * k, 1, k, k];
  const points = (count: number): Float64Array => Float64Array.from(Array.from({ length: count }, (_, k) => draw(k)).flat());
  try {
    const found = density.relativeVariances(points(3));
    expect(Object.keys(found)).toEqual(["three", "logs", "rows", "moved"]);
    expect(found.three).toBeCloseTo(1 / 7, 12);
    expect(found.logs).toBeCloseTo(9 / 7, 12);
    // The median of 1/7 and 4/7.
    expect(found.rows).toBeCloseTo(5 / 14, 12);
    expect(found.moved).toBeCloseTo(1 / 7, 12);
    expect(density.relativeVariances(points(2)).three).toBeCloseTo(1 / 10, 12);
    expect(density.relativeVariances(points(1))).toEqual({});
  } finally {
    density.dispose();
  }
});
