/** Parameters that could have a non-centred form. The verdict's advice names them. */
import { expect, it } from "vitest";
import * as d from "../../../src/bayes/distributions/index.ts";
import { hierarchyOf } from "../../../src/bayes/model/hierarchy.ts";
import { traceModel } from "../../../src/bayes/model/trace.ts";
import { full } from "../../../src/engine/compiler/index.ts";

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
