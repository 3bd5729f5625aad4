import type { Progression } from "../../engine/contract/index.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { type Parts, refuseMisfits } from "../../engine/optimise/fits.ts";
import { fullDescent } from "../../engine/optimise/full.ts";
import type { Rule } from "../../engine/optimise/kinds.ts";
import { RowObjective } from "../../engine/optimise/objective.ts";

/** Starts descent on gradients over all rows. @throws CapabilityError if the parts of the run do not fit together */
export async function wholeDescent(parts: Parts, engine: Engine, preconditioned: boolean): Promise<Progression> {
  refuseMisfits(parts);
  const { problem, target, plan } = parts;
  const rule = parts.rule as Exclude<Rule, { kind: "search" }>;
  const { workers, deterministic } = plan;
  const { penalty, rates, trainedCount } = target;
  const precision = plan.precision.model === "f64" ? "f64" : "f32";
  const variables = preconditioned ? await problem.preconditioner!.bind() : undefined;
  const objective = new RowObjective(problem, target, plan, engine);
  return fullDescent({ objective, rule, penalty, rates, trainedCount, precision, workers, deterministic, variables }, engine);
}
