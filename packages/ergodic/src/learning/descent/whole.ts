import type { Plan, Problem, Progression, RowGradient } from "../../engine/contract/index.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { fullDescent } from "../../engine/optimise/full.ts";
import type { Rule } from "../../engine/optimise/kinds.ts";
import { RowObjective } from "../../engine/optimise/objective.ts";

interface Whole {
  readonly problem: Problem;
  readonly target: RowGradient;
  readonly rule: Exclude<Rule, { kind: "search" }>;
  readonly plan: Plan;
}

/** Starts descent on gradients over all rows. This module is loaded only by runs that need it. */
export function wholeDescent({ problem, target, rule, plan }: Whole, engine: Engine): Progression {
  const { workers, deterministic } = plan;
  const { penalty, rates, trainedCount } = target;
  const precision = plan.precision.model === "f64" ? "f64" : "f32";
  const objective = new RowObjective(problem, target, plan, engine);
  return fullDescent({ objective, rule, penalty, rates, trainedCount, precision, workers, deterministic }, engine);
}
