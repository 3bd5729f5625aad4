import { holds, refuse } from "../../base/checks.ts";
import { CapabilityError, checkKeys } from "../../base/errors.ts";
import type { Algorithm, AlgorithmDefaults, JsonObject, Plan, Problem, Progression } from "../../contract.ts";
import type { Engine } from "../../host/engine.ts";
import { Descent } from "./descent.ts";
import { refuseMisfits } from "./fits.ts";
import { fullDescent } from "./full.ts";
import { ruleFromJson } from "./index.ts";
import type { Rule, RuleJson } from "./kinds.ts";
import { RowObjective } from "./objective.ts";
import { refuseOwnFunctions } from "./search-rule.ts";
import { isVariance, type Variance, varianceFrom } from "./variance.ts";

export interface GradientDescent extends Algorithm {
  readonly rule: Rule;
  readonly variance: Variance | undefined;
}

/**
 * The gradient family as an algorithm: a rule, and optionally variance reduction, on any problem that offers gradients of rows.
 *
 * @throws OptionError for unknown options, and for what is no rule or no variance reduction
 */
export function gradientDescent(options: { rule: Rule; variance?: Variance }): GradientDescent {
  checkKeys("gradientDescent", options, ["rule", "variance"]);
  const { rule, variance } = options;
  if (!(holds(rule, "kind") && holds(rule, "toJSON"))) refuse("gradientDescent", "rule", rule, "a rule", "adam({ rate: 0.001 })");
  if (variance !== undefined && !isVariance(variance))
    refuse("gradientDescent", "variance", variance, "variance reduction", "saga()");
  return {
    name: "gradientDescent",
    rule,
    variance,
    defaults: descentDefaults(rule, variance),
    toJSON: () => ({
      algorithm: "gradientDescent",
      rule: rule.toJSON() as unknown as JsonObject,
      ...(variance ? { variance: variance.toJSON() } : {}),
    }),
    start: (problem, plan, engine) => start(rule, variance, problem, plan, engine),
  };
}

/** Rules on the whole objective run until they have converged; SAG needs fresh draws (variance.ts). */
export function descentDefaults(rule: Rule | undefined, variance: Variance | undefined): AlgorithmDefaults {
  return {
    ...(rule?.kind === "host" ? { batch: "all" as const, epochs: 1000 } : {}),
    ...(variance?.name === "sag" ? { schedule: "replacement" as const } : {}),
  };
}

export function gradientDescentFrom(json: JsonObject): GradientDescent {
  return gradientDescent({
    rule: ruleFromJson(json.rule as unknown as RuleJson),
    ...(json.variance ? { variance: varianceFrom(json.variance as JsonObject) } : {}),
  });
}

function start(rule: Rule, variance: Variance | undefined, problem: Problem, plan: Plan, engine: Engine): Progression {
  const target = problem.rowGradient;
  if (!target)
    throw new CapabilityError(
      "fit",
      `gradientDescent needs gradients of rows, which ${problem.name} does not offer`,
      "MODEL_CAPABILITY",
    );
  if (rule.kind === "search") refuseOwnFunctions(rule);
  refuseMisfits({ problem, target, rule, variance, plan });
  if (plan.batch !== "all") return new Descent({ problem, target, rule, variance, plan }, engine);
  const objective = new RowObjective(problem, target, plan, engine);
  const precision = plan.precision.model === "f64" ? "f64" : "f32";
  return fullDescent(
    {
      objective,
      rule: rule as Exclude<Rule, { kind: "search" }>,
      penalty: target.penalty,
      rates: target.rates,
      trainedCount: target.trainedCount,
      precision,
      workers: plan.workers,
      deterministic: plan.deterministic,
    },
    engine,
  );
}
