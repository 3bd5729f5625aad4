import { add, at, log, toArray } from "../../engine/compiler/index.ts";
import { operation } from "../../engine/compiler/signature.ts";
import { CompileError } from "../../engine/errors/errors.ts";
import { withUserLine } from "../model/user-line.ts";
import { joined, partOf } from "./components.ts";
import type { Support, Values } from "./constraint.ts";
import { type Parameter, parameterArray } from "./distribution.ts";
import { drawIndex } from "./draw-counts.ts";
import type { Family } from "./family.ts";
import { distributionList, parameter } from "./kinds.ts";
import { logAddExp } from "./terms.ts";
import { Distribution } from "./value.ts";

/**
 * Mixture: log p(x) = log Σ_k w_k p_k(x), without overflow.
 *
 * w (`weights`): [..., K], a simplex. Components: K distributions over values of the same kind and rank.
 *
 * @throws CompileError unless there is one component for each weight, all of one kind and rank
 */
export const mixture = operation(
  "mixture",
  { weights: parameter, components: distributionList },
  (weights: Parameter, components: readonly Distribution[]): Distribution => withUserLine(() => mixed(weights, components)),
);

function mixed(weights: Parameter, components: readonly Distribution[]): Distribution {
  const w = parameterArray("mixture", "weights", "simplex", weights);
  const count = w.shape[w.rank - 1];
  const [first] = components;
  if (!first || components.length !== count || components.some((c) => c.kind !== first.kind || c.eventRank !== first.eventRank))
    throw new CompileError(
      "mixture",
      `${components.length} components (${components.map((c) => c.name).join(", ")}) were given for ${count} weights, but each weight needs one component, all of the same kind and rank`,
      "COMPILE_SHAPE",
    );
  const families = components.map((c) => c.family);
  const parts = joined(components);
  const family: Family = {
    name: "mixture",
    kind: first.kind,
    eventRank: first.eventRank,
    constraints: { weights: "simplex", ...parts.constraints },
    support: () => commonSupport(components),
    logDensity(x, p) {
      const terms = families.map((f, k) => add(log(at(p.weights, k, -1)), f.logDensity(x, partOf(p, k))));
      return logAddExp(terms[0], ...terms.slice(1));
    },
    sample(draws, values) {
      const k = drawIndex(draws, values.weights as Float64Array);
      return families[k].sample(draws, partOf(values, k));
    },
    ...numbers(families),
  };
  return new Distribution(family, { weights: w, ...parts.parameters });
}

/**
 * Functions of a mixture that are weighted sums over its components. A function is present only if every component has
 * it.
 */
function numbers(families: readonly Family[]): Pick<Family, "cdf" | "survival" | "mean" | "variance"> {
  const averaged = (values: Values, of: (f: Family, own: Values) => number): number =>
    families.reduce((total, f, k) => total + (values.weights as Float64Array)[k] * of(f, partOf(values, k)), 0);
  const every = (name: "cdf" | "survival" | "mean" | "variance"): boolean => families.every((f) => f[name] && !f.eventRank);
  const mean = (values: Values): number => averaged(values, (f, own) => f.mean!(own) as number);
  return {
    ...(every("cdf") && { cdf: (x, values) => averaged(values, (f, own) => f.cdf!(x, own)) }),
    ...(every("survival") && { survival: (x, values) => averaged(values, (f, own) => f.survival!(x, own)) }),
    ...(every("mean") && { mean }),
    ...(every("mean") &&
      every("variance") && {
        variance(values) {
          const centre = mean(values);
          return averaged(values, (f, own) => (f.variance!(own) as number) + ((f.mean!(own) as number) - centre) ** 2);
        },
      }),
  };
}

/**
 * Common support of the components if all have the same bounds; otherwise the whole real line, or all whole numbers
 * from 0.
 */
function commonSupport(components: readonly Distribution[]): Support {
  const supports = components.map((c) => c.support);
  const [first] = supports;
  const same = supports.every((s) => s.kind === first.kind && boundsOf(s).every((b, i) => b === boundsOf(first)[i]));
  if (same) return first;
  return components[0].kind === "continuous" ? { kind: "interval" } : { kind: "integers", low: toArray(0) };
}

const boundsOf = (s: Support) => ("low" in s || "high" in s ? [s.low, s.high] : [undefined, undefined]);
