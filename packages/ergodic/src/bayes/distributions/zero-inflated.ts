import { add, equal, exp, log, log1p, mul, neg, sub, where } from "../../engine/compiler/index.ts";
import { operation } from "../../engine/compiler/signature.ts";
import { CompileError } from "../../engine/errors/errors.ts";
import { withUserLine } from "../model/user-line.ts";
import { joined, partOf } from "./components.ts";
import { type Parameter, parameterArray } from "./distribution.ts";
import type { Family } from "./family.ts";
import { distributionKind, parameter } from "./kinds.ts";
import { Distribution } from "./value.ts";

/**
 * Zero-inflated counts: 0 with probability θ, otherwise a draw of the base: P(0) = θ + (1 − θ) f(0), P(x) = (1 − θ)
 * f(x).
 *
 * θ (`probability`) in [0, 1]. f: a distribution of whole numbers.
 *
 * @throws CompileError unless the base is a distribution of whole numbers
 */
export const zeroInflated = operation(
  "zeroInflated",
  { probability: parameter, base: distributionKind },
  (probability: Parameter, base: Distribution): Distribution => withUserLine(() => inflated(probability, base)),
);

function inflated(probability: Parameter, base: Distribution): Distribution {
  if (base.kind !== "discrete" || base.eventRank !== 0)
    throw new CompileError(
      "zeroInflated",
      `the base is ${base.name}, but must be a distribution of whole numbers; use poisson, binomial or negativeBinomial`,
      "COMPILE_OPERAND",
    );
  const f = base.family;
  const parts = joined([base]);
  const cdf: Family["cdf"] =
    f.cdf && ((x, v) => (x < 0 ? 0 : (v.probability as number) + (1 - (v.probability as number)) * f.cdf!(x, partOf(v, 0))));
  const mean =
    f.mean &&
    ((v: Parameters<NonNullable<Family["mean"]>>[0]) => (1 - (v.probability as number)) * (f.mean!(partOf(v, 0)) as number));
  const family: Family = {
    name: "zeroInflated",
    kind: "discrete",
    constraints: { probability: "probability", ...parts.constraints },
    support: (p) => f.support(partOf(p, 0)),
    logDensity(x, p) {
      const theta = p.probability;
      const own = f.logDensity(x, partOf(p, 0));
      return where(equal(x, 0), log(add(theta, mul(sub(1, theta), exp(own)))), add(log1p(neg(theta)), own));
    },
    sample: (draws, v) => (draws.uniform() < (v.probability as number) ? 0 : f.sample(draws, partOf(v, 0))),
    ...(cdf && { cdf }),
    ...(mean && { mean }),
    ...(mean &&
      f.variance && {
        variance(v) {
          const theta = v.probability as number;
          const centre = f.mean!(partOf(v, 0)) as number;
          return (1 - theta) * ((f.variance!(partOf(v, 0)) as number) + theta * centre * centre);
        },
      }),
  };
  const theta = parameterArray("zeroInflated", "probability", "probability", probability);
  return new Distribution(family, { probability: theta, ...parts.parameters });
}
