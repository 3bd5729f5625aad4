import type { AlgorithmDefaults, JsonObject, Plan, Problem, Progression } from "../../engine/contract/index.ts";
import { checkBoolean, refuse } from "../../engine/errors/checks.ts";
import { CapabilityError, checkKeys } from "../../engine/errors/errors.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import type { GradientDescent } from "../../engine/optimise/fits.ts";
import { isRule, type Rule } from "../../engine/optimise/kinds.ts";
import { refuseOwnFunctions } from "../../engine/optimise/search-rule.ts";
import { isVariance, type Variance } from "../../engine/optimise/variance.ts";
import { later } from "../../engine/threads/later.ts";

/**
 * Gradient descent by a step rule, optionally with variance reduction, as an `algorithm` for `fit` and `minimize`.
 *
 * `rule`: step rule, e.g. adam(). `variance`: svrg(), saga() or sag(); default none. `preconditioned`: whether the rule
 * makes its steps in variables in which columns are centred, scaled and nearly uncorrelated. The objective, including
 * its penalty, is unchanged, and so is its minimum. For linear models and rules that evaluate the whole objective, such
 * as lbfgs(). Default false.
 *
 * @throws OptionError for unknown options, or if `rule` is not a rule or `variance` is not variance reduction
 */
export function gradientDescent(options: {
  /** Step rule, e.g. adam(). */
  rule: Rule;
  /** Variance reduction: svrg(), saga() or sag(). Default: none. */
  variance?: Variance;
  /** Whether the rule makes its steps in centred, scaled and nearly uncorrelated variables. Default false. */
  preconditioned?: boolean;
}): GradientDescent {
  checkKeys("gradientDescent", options, ["rule", "variance", "preconditioned"]);
  const { rule, variance, preconditioned = false } = options;
  checkBoolean("gradientDescent", "preconditioned", preconditioned);
  if (!isRule(rule)) refuse("gradientDescent", "rule", rule, "a rule", "adam({ rate: 0.001 })");
  if (variance !== undefined && !isVariance(variance))
    refuse("gradientDescent", "variance", variance, "variance reduction", "saga()");
  return {
    name: "gradientDescent",
    verb: "fit",
    rule,
    variance,
    preconditioned,
    defaults: descentDefaults(rule, variance),
    families: preconditioned ? ["training", "hessian"] : ["training"],
    takesStart: true,
    toJSON: () => ({
      algorithm: "gradientDescent",
      rule: rule.toJSON() as unknown as JsonObject,
      ...(variance ? { variance: variance.toJSON() } : {}),
      ...(preconditioned ? { preconditioned } : {}),
    }),
    start: (problem, plan, engine) => start({ rule, variance, preconditioned }, problem, plan, engine),
  };
}

/**
 * Returns default options of descent. Host rules evaluate the whole objective and run until convergence. SAG needs rows
 * drawn with replacement (variance.ts).
 */
export function descentDefaults(rule: Rule | undefined, variance: Variance | undefined): AlgorithmDefaults {
  return {
    ...(rule?.kind === "host" ? { batch: "all" as const, epochs: 1000 } : {}),
    ...(variance?.name === "sag" ? { schedule: "replacement" as const } : {}),
  };
}

async function start(
  { rule, variance, preconditioned }: Pick<GradientDescent, "rule" | "variance" | "preconditioned">,
  problem: Problem,
  plan: Plan,
  engine: Engine,
): Promise<Progression> {
  const target = problem.rowGradient;
  if (!target)
    throw new CapabilityError(
      "fit",
      `gradientDescent needs gradients of rows, which ${problem.name} does not offer; leave algorithm out`,
      "MODEL_CAPABILITY",
    );
  if (rule.kind === "search") refuseOwnFunctions(rule);
  const parts = { problem, target, rule, variance, plan };
  if (preconditioned && (rule.kind !== "host" || !problem.preconditioner))
    throw new CapabilityError(
      "fit",
      `preconditioned is true, but ${rule.kind === "host" ? `the model is a ${problem.name}` : `the rule is ${rule.name}`}; it is for linear models and rules on the whole objective, e.g. lbfgs(): leave preconditioned out`,
      "MODEL_CAPABILITY",
    );
  if (plan.batch !== "all") return (await later(() => import("./descent.ts"))).startDescent(parts, engine);
  return (await later(() => import("./whole.ts"))).wholeDescent(parts, engine, preconditioned);
}
