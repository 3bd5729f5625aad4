import type { Algorithm, JsonObject, Plan, Problem } from "../../engine/contract/index.ts";
import { CapabilityError, checkKeys, checkNumber } from "../../engine/errors/errors.ts";
import { refuseLanes } from "../../engine/optimise/one-lane.ts";
import { later } from "../../engine/threads/later.ts";

/** Options of `newtonCholesky`. */
export interface NewtonCholeskyOptions {
  /**
   * Stops when the Newton decrement ½ gᵀH⁻¹g, which predicts the gain of a step, is at most this share of the objective
   * at the start. Default 1e-10; >= 0.
   */
  tolerance?: number;
}

const NAME = "newtonCholesky";

/**
 * Newton's method: p ← p − t H⁻¹g, with H = ∇²F(p) factored by Cholesky. t is halved from 1 until F satisfies Armijo's
 * rule.
 *
 * Suits up to a thousand columns, an L2 but no L1 penalty, and smooth losses with a curvature (squared, huber,
 * logistic, squaredHinge, poisson). Several classes are fitted one-vs-rest. A run takes a few passes in float64. Each
 * pass costs n d²/2 products on dense rows, plus d³/6 for the factorisation. If a column depends linearly on earlier
 * columns, its coefficient does not change. The minimum is still reached. Quadratic losses need one step.
 * `tolerance` (default 1e-10): stops when the decrement is at most this share of the initial objective. A step is an
 * update and an epoch. Reports: decrement (½ gᵀH⁻¹g), evaluations (of the objective).
 * Source: Boyd, Vandenberghe, Convex Optimization, 9.5.
 *
 * @throws OptionError for a value out of range; CapabilityError for an L1 or group penalty, bounds, or a problem
 * without a Hessian
 */
export function newtonCholesky(given: NewtonCholeskyOptions = {}): Algorithm {
  checkKeys(NAME, given, ["tolerance"]);
  const { tolerance = 1e-10 } = given;
  checkNumber(NAME, "tolerance", tolerance, { low: 0 });
  return {
    name: NAME,
    verb: "fit",
    defaults: { batch: "all", epochs: 100, precision: "f64" },
    families: ["hessian"],
    takesStart: true,
    toJSON: () => ({ algorithm: NAME, tolerance }),
    async start(problem, plan) {
      refuseMisfits(problem, plan);
      const { Newton } = await later(() => import("./newton.ts"));
      return new Newton(problem, await problem.curvature!.bind(), tolerance);
    },
  };
}

export function newtonCholeskyFrom({ algorithm: _, ...options }: JsonObject): Algorithm {
  return newtonCholesky(options as NewtonCholeskyOptions);
}

function refuseMisfits({ name, curvature, rowGradient }: Problem, plan: Plan): void {
  const refuse: (message: string, code: string) => never = (message, code) => {
    throw new CapabilityError(NAME, message, code);
  };
  if (!curvature || !rowGradient)
    refuse(`it needs a Hessian, which ${name} does not offer; leave algorithm out`, "MODEL_CAPABILITY");
  const { l1, group, nonNegative } = rowGradient.penalty;
  if (l1 > 0 || group > 0 || nonNegative) {
    const what = nonNegative ? "a bound on coefficients" : l1 > 0 ? "an L1 penalty" : "a group penalty";
    refuse(`Newton's steps do not support the ${what.replace(/^an? /, "")}; use coordinateDescent()`, "MODEL_PENALTY");
  }
  if (plan.batch !== "all")
    refuse(`batch is ${plan.batch}, but each step reads all rows; leave batch out, or use a rule`, "PLAN_MEANING");
  refuseLanes(NAME, plan, "one point is moved by one thread");
}
