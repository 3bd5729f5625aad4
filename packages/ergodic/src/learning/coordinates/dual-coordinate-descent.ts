import type { Algorithm, JsonObject, Plan, Problem, Progression } from "../../engine/contract/index.ts";
import { checkBoolean } from "../../engine/errors/checks.ts";
import { CapabilityError, checkKeys, checkNumber } from "../../engine/errors/errors.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { later } from "../../engine/threads/later.ts";

/** Options of `dualCoordinateDescent`. */
export interface DualCoordinateDescentOptions {
  /** Whether a row that stays at a bound is skipped until the next check of the gap. Default true. */
  shrinking?: boolean;
  /** Stops at this relative duality gap. Default 1e-6; >= 0. */
  tolerance?: number;
  /**
   * Value of a constant column whose weight is the intercept. The intercept is penalised, and a larger value penalises
   * the intercept less. Default 1; > 0.
   */
  interceptScaling?: number;
}

const NAME = "dualCoordinateDescent";

/**
 * Dual coordinate descent: picks a row i, moves its dual variable β_i to the optimum, and updates p = Σ_i β_i x_i.
 *
 * Minimises F(p) = mean_i w_i ℓ(x_i·p, y_i) + l2/2 ‖p‖² = l2 [½‖p‖² + Σ_i C_i ℓ_i], C_i = w_i/(n l2), through its dual
 * D(β) = −l2 [½‖Σ_i β_i x_i‖² + Σ_i (C_i ℓ_i)*(−β_i)]. Convergence is linear, without a step size. Losses: hinge,
 * squaredHinge, logistic, epsilonInsensitive, quantile, squared, huber; several classes are treated one against the
 * rest. Data of any type; arithmetic in float64.
 * `tolerance`: stops when (F(p) − D(β))/F(p), which bounds the excess of F(p) over its minimum, is at most this value.
 * The gap is computed over all rows, and p is recomputed for it. The next check takes place in the epoch in which the
 * gap is predicted to be small enough. Its number is at most 1.4 times the number of the epoch of the last check. The
 * gap is also checked whenever all active rows are solved.
 * `shrinking`: rows that stay at a bound are skipped until the next check.
 * `interceptScaling`: the intercept is the weight of a column of this constant and *is penalised*, unlike elsewhere in
 * this library. An unpenalised intercept would add an equality constraint on all β_i, which cannot be maintained if
 * each move changes only one β_i. A larger constant penalises the intercept less and converges more slowly. Use
 * linear({ intercept: false }) for a model without an intercept.
 * An epoch consists of as many visits as there are rows. The active rows are visited in random order, or in storage
 * order with schedule "ordered". If workers share one model, they update p concurrently with atomic additions
 * (PASSCoDe-Atomic). `replicas: K` is CoCoA+: each of K copies of p is updated by its own rows, and the changes of all
 * copies are added (σ′ = K) every `averageEvery` epochs. The result of CoCoA+ does not depend on the number of workers.
 * In both modes, the active rows are redistributed at random whenever the lanes synchronise. If each lane kept the same
 * rows, the run would need many more epochs to converge.
 * Reports: primal, dual, gap (relative), active (rows).
 * Sources: Hsieh et al. 2008; Yu, Huang and Lin 2011; Ho and Lin 2012; Hsieh, Yu and Dhillon 2015; Ma et al. 2015
 * (CoCoA+). Differs from LIBLINEAR: the run stops by the gap, not by the violation; the logistic subproblem is solved
 * for log(α/(C − α)).
 *
 * @throws OptionError for unknown options or values out of range; CapabilityError if the model or plan does not fit
 */
export function dualCoordinateDescent(given: DualCoordinateDescentOptions = {}): Algorithm {
  checkKeys(NAME, given, ["shrinking", "tolerance", "interceptScaling"]);
  const { shrinking = true, tolerance = 1e-6, interceptScaling = 1 } = given;
  checkBoolean(NAME, "shrinking", shrinking);
  checkNumber(NAME, "tolerance", tolerance, { low: 0 });
  checkNumber(NAME, "interceptScaling", interceptScaling, { low: 0, open: true });
  const options = { shrinking, tolerance, interceptScaling };
  return {
    name: NAME,
    verb: "fit",
    defaults: { batch: 1, schedule: "shuffled", precision: "f64", epochs: 1000, races: true },
    families: ["coordinate"],
    toJSON: () => ({ algorithm: NAME, ...options }),
    start: (problem, plan, engine) => start(options, problem, plan, engine),
  };
}

export function dualCoordinateDescentFrom({ algorithm: _, ...options }: JsonObject): Algorithm {
  return dualCoordinateDescent(options as DualCoordinateDescentOptions);
}

async function start(
  options: Required<DualCoordinateDescentOptions>,
  problem: Problem,
  plan: Plan,
  engine: Engine,
): Promise<Progression> {
  if (!problem.duals) {
    throw new CapabilityError(
      NAME,
      `it needs the dual of a problem, which ${problem.name} does not offer; leave algorithm out`,
      "MODEL_CAPABILITY",
    );
  }
  refuseMisfits(problem, plan);
  const { interceptScaling } = options;
  const binding = await problem.duals.bind({ interceptScaling, deterministic: plan.deterministic });
  const { DualDescent } = await later(() => import("./dual-descent.ts"));
  return new DualDescent({ ...options, problem, binding, plan }, engine);
}

function refuseMisfits(problem: Problem, plan: Plan): void {
  const refuse = (message: string): never => {
    throw new CapabilityError(NAME, message, "PLAN_MEANING");
  };
  const lanes = plan.replicas === "shared" ? plan.workers : plan.replicas;
  if (plan.batch !== 1)
    refuse(`batch is ${JSON.stringify(plan.batch)}, but this algorithm updates one row at a time; leave batch out`);
  if (plan.schedule !== "shuffled" && plan.schedule !== "ordered")
    refuse(`schedule is "${plan.schedule}", but a pass visits each active row once; use "shuffled" or "ordered"`);
  if (plan.data === "replicated" && plan.replicas !== 1)
    refuse('data is "replicated", but each dual variable belongs to one replica; leave data out');
  if (lanes > problem.rowCount)
    refuse(`${lanes} replicas or racing workers were asked for, but there are only ${problem.rowCount} rows to share; use fewer`);
}
