/** Checks that the parts of a run fit together, before anything is allocated. */

import { mul, vector } from "../compiler/index.ts";
import type { Algorithm, Plan, Problem, RowGradient } from "../contract/index.ts";
import { CapabilityError } from "../errors/errors.ts";
import type { EquationRule, Rule } from "./kinds.ts";
import { rateOf } from "./rule.ts";
import type { Variance } from "./variance.ts";

/** Gradient descent by a rule, as made by `gradientDescent`. Passed to `fit` and `minimize` as `algorithm`. */
export interface GradientDescent extends Algorithm {
  /** The step rule. */
  readonly rule: Rule;
  /** Variance reduction, if any. */
  readonly variance: Variance | undefined;
  /** Whether the rule makes its steps in variables of nearly equal curvature. */
  readonly preconditioned: boolean;
}

export interface Parts {
  problem: Problem;
  target: RowGradient;
  rule: Rule;
  variance: Variance | undefined;
  plan: Plan;
}

function refuse(message: string, code: string): never {
  throw new CapabilityError("fit", message, code);
}

export function refuseMisfits({ problem, target, rule, variance, plan }: Parts): void {
  const laneCount = plan.replicas === "shared" ? plan.workers : plan.replicas;
  if (laneCount > problem.rowCount) {
    refuse(
      `${laneCount} replicas or racing workers were asked for, but there are only ${problem.rowCount} rows to share; use fewer`,
      "PLAN_MEANING",
    );
  }
  if (rule.kind === "host" && plan.batch !== "all") {
    refuse(
      `${rule.name} needs the full gradient, but batch is ${plan.batch}: ${rule.needs(problem.rowCount)}, or batch: "all"`,
      "RULE_NEEDS_FULL_GRADIENT",
    );
  }
  if (rule.kind === "host" && plan.replicas !== 1)
    refuse(
      `replicas is ${JSON.stringify(plan.replicas)}, but ${rule.name} takes full gradients, which leave nothing to average or race on; leave replicas out (workers still share the sum)`,
      "PLAN_MEANING",
    );
  refuseLink("fit", rule);
  if (target.penalty.nonNegative)
    refuse("nonNegative is set, but gradient steps do not keep to it; use algorithm: coordinateDescent()", "MODEL_PENALTY");
  if (variance) refuseVariance(problem, target, rule, variance, plan);
  if (rule.kind === "search") refuseSearch(target, rule.name, plan);
  if (rule.kind === "host" && target.penalty.l1 > 0)
    refuse(
      `${rule.name} needs a smooth objective, but l1 is ${target.penalty.l1}; use sgd() or adagrad() with a minibatch`,
      "RULE_SMOOTH",
    );
  if (rule.kind === "host" && target.draws) {
    refuse(
      `${rule.name} compares values of one objective, but dropout, noise and augmentation change it at each evaluation; use adam() or momentum(), or leave those layers out`,
      "RULE_RANDOM",
    );
  }
  if (target.rates) refuseRates(rule);
  if (target.penalty.group > 0 && !stepsAlongGradient(rule)) {
    refuse(
      `the group penalty shrinks by rate × strength, which reaches the optimum only if steps are rate × gradient, unlike those of ${rule.name}; use sgd()`,
      "RULE_RATE",
    );
  }
  if (target.penalty.group > 0 && target.penalty.weights.some((w) => w !== 0 && w !== 1)) {
    refuse(
      "the group penalty weighs groups by their size alone, but penaltyWeights were given; leave them out, or use l1 and l2",
      "MODEL_PENALTY",
    );
  }
  if (plan.precision.model === "i16" && (target.penalty.group > 0 || plan.batch === "all")) {
    const what = target.penalty.group > 0 ? "without a group penalty" : "on minibatches, not on all rows";
    refuse(`precision.model is "i16", but 16-bit models are trained ${what}; use precision: "f32"`, "PLAN_MEANING");
  }
}

/**
 * Refuses a rule that can only be used as a link of a chain.
 * @throws CapabilityError [RULE_LINK] for such a rule
 */
export function refuseLink(where: string, rule: Rule): void {
  if (rule.kind !== "equation" || !rule.link) return;
  throw new CapabilityError(
    where,
    `${rule.name} is a link for chains, not a complete rule: it has no rate; use ${wholeChain(rule)}`,
    "RULE_LINK",
  );
}

/**
 * Refuses rules that cannot take a rate per coordinate. The rates per coordinate multiply the step, so the rule must
 * consist of a single step.
 */
function refuseRates(rule: Rule): void {
  if (rule.kind !== "equation")
    refuse(
      `${rule.name} searches for a step length along one direction, but rates give groups of parameters their own steps; use adam() or momentum(), or frozen(layer) for a rate of 0`,
      "RULE_RATES",
    );
  if (!rule.last && rule.trace(vector("g"), vector("p")).evaluation)
    refuse(
      `${rule.name} moves two points at a time, but rates give groups of parameters their own steps; use adam(), or chain(adam(), averaging())`,
      "RULE_RATES",
    );
}

/** Returns code for a chain of the links and sgd(), as a user would write it. */
function wholeChain(rule: EquationRule): string {
  const links = rule.parts.length > 0 ? rule.parts : [rule];
  const calls = (last: boolean): string[] => links.filter((link) => link.last === last).map(({ name }) => `${name}()`);
  return `chain(${[...calls(false), "sgd()", ...calls(true)].join(", ")})`;
}

/** Returns whether the rule is plain descent (steps η g), or averages the iterates of plain descent. */
function stepsAlongGradient(rule: Rule): boolean {
  const rate = rule.kind === "equation" ? rateOf(rule) : undefined;
  const g = vector("values");
  return rule.kind === "equation" && rate !== undefined && rule.trace(g, vector("parameter")).step === mul(rate, g);
}

function refuseVariance(problem: Problem, target: RowGradient, rule: Rule, variance: Variance, plan: Plan): void {
  if (target.derivativesPerRow === undefined) {
    const why =
      variance.name === "svrg"
        ? `is only for linear models: a ${problem.name} would need a second backward pass per update`
        : `keeps one number per row, which gives the gradient only of linear models, not of a ${problem.name}`;
    refuse(`${variance.name} ${why}; leave variance out`, "VARIANCE_NEEDS_LINEAR");
  }
  if (plan.batch === "all") {
    const whole = rule.kind === "host" ? `${rule.name} takes full gradients, which have` : 'batch is "all": a full gradient has';
    refuse(`${variance.name} reduces the noise of minibatches, but ${whole} none; leave variance out`, "PLAN_MEANING");
  }
  if (plan.replicas !== 1 && plan.data === "replicated") {
    refuse(
      `${variance.name} keeps one derivative per row, but replicas that each see all rows would overwrite one another's; use data: "sharded"`,
      "PLAN_MEANING",
    );
  }
  if (rule.kind === "search")
    refuse(
      `${rule.name} compares losses of one batch, but ${variance.name} steps along another direction; use sgd()`,
      "RULE_VARIANCE",
    );
}

function refuseSearch(target: RowGradient, name: string, plan: Plan): void {
  if (target.penalty.l1 > 0)
    refuse(`${name} needs a smooth objective, but l1 is ${target.penalty.l1}; use sgd() or adagrad()`, "RULE_SMOOTH");
  if (plan.batch === "all")
    refuse(`${name} searches on minibatches, but batch is "all"; use backtracking() or strongWolfe()`, "PLAN_MEANING");
  if (plan.precision.model === "i16")
    refuse(`${name} would lose its small steps in a 16-bit model; use precision: "f32"`, "PLAN_MEANING");
  if (plan.replicas === "shared" && plan.workers > 1) {
    refuse(`${name} undoes trial steps, which racing workers would see; use replicas: ${plan.workers}`, "PLAN_MEANING");
  }
}
