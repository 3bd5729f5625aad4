import type { Algorithm } from "../../../engine/contract/index.ts";
import { storedCount } from "../../../engine/data/conversion.ts";
import type { Dataset } from "../../../engine/data/dataset.ts";
import { CapabilityError } from "../../../engine/errors/errors.ts";
import { later } from "../../../engine/threads/later.ts";
import { chooseLoss } from "../../models/choose-loss.ts";
import { type LinearModel, linearModel } from "../../models/linear/linear.ts";
import { noPenalty, type Strength } from "./no-penalty.ts";
import type { FitOptions, Settled } from "./trainable.ts";

/**
 * Maximum number of columns for Newton's method. With more columns, factoring the Hessian takes longer than Newton's
 * method saves.
 */
const MOST_COLUMNS = 1000;
/**
 * Maximum cost per row of a Hessian, relative to the cost of a gradient. Beyond this limit, methods that use only
 * gradients are cheaper.
 */
const MOST_PRODUCTS = 150;
/** Maximum number of parameters over all outputs for L-BFGS, which stores twenty vectors of this length. */
const MOST_PARAMETERS = 5e5;
/**
 * A solver is chosen only if the data contain at most this many values. On larger data, a solver takes minutes, whereas
 * descent comes close to the optimum in one pass.
 */
const MOST_NUMBERS = 5e8;
/** Defaults of lbfgs(). */
const NEAR = { gradientTolerance: 1e-7, changeTolerance: 1e-9 };
/** Losses with kinks that dualCoordinateDescent() supports. */
const KINKED = ["hinge", "epsilonInsensitive", "quantile"];

/** Chooses the algorithm for a linear model, and the strength of L2 if the user did not set it. */
export async function settleLinear(model: LinearModel, data: Dataset, options: FitOptions): Promise<Settled<Dataset>> {
  if (model.options.l1 === "auto") return settleLasso(model, data, options);
  const { l1 = 0, group, nonNegative = false, l2 } = model.options;
  const { algorithm, why } = options.algorithm === "auto" ? await linearSolver(model, data) : { why: undefined };
  const isOpen = l2 === "auto" || (l2 === undefined && algorithm !== undefined && l1 === 0 && !group && !nonNegative);
  if (!isOpen) return { algorithm, why };
  refuseUntellable(model, data);
  const rows = data.ofWeight();
  const strength = noPenalty(model, rows) ?? (await searched(model, rows, options));
  if (rows !== data) rows.dispose();
  const settled = { ...model, ...linearModel({ ...model.options, l2: strength.l2 }) };
  return { algorithm, model: settled, why: [why, strength.why].filter(Boolean).join("; ") };
}

/** Chooses the strength of L1, and the algorithm for the model with this strength. */
async function settleLasso(model: LinearModel, data: Dataset, options: FitOptions): Promise<Settled<Dataset>> {
  const { l2 = 0, group } = model.options;
  const { loss } = chooseLoss("linear", model.options.loss, data);
  const refuse = (misfit: string): never => {
    throw new CapabilityError("linear", `l1 is "auto", which is chosen ${misfit}; give a number`, "MODEL_PENALTY");
  };
  if (loss.curvature === undefined && !loss.conjugate) refuse(`for smooth losses, but loss is "${loss.name}"`);
  if (l2 !== 0) refuse(`where L1 is the only penalty, but l2 is ${JSON.stringify(l2)}`);
  if (group) refuse("where L1 is the only penalty, but there are groups");
  const rows = data.ofWeight();
  const { chosenLasso } = await later(() => import("./lasso-strength.ts"));
  const strength = await chosenLasso(model, rows, options);
  if (rows !== data) rows.dispose();
  const settled = { ...model, ...linearModel({ ...model.options, l1: strength.l1 }) };
  const { algorithm, why } = options.algorithm === "auto" ? await linearSolver(settled, data) : { why: undefined };
  return { algorithm, model: settled, why: [why, strength.why].filter(Boolean).join("; ") };
}

async function searched(model: LinearModel, data: Dataset, options: FitOptions): Promise<Strength> {
  const { chosenStrength } = await later(() => import("./linear-strength.ts"));
  return chosenStrength(model, data, options);
}

/**
 * Throws if the strength cannot be chosen by comparing minima. The comparison needs a smooth loss and no penalty
 * besides L2.
 */
function refuseUntellable({ options }: LinearModel, data: Dataset): void {
  const { l1 = 0, group, nonNegative } = options;
  const { loss } = chooseLoss("linear", options.loss, data);
  const misfit =
    loss.curvature === undefined && !loss.conjugate
      ? `for smooth losses, but loss is "${loss.name}"`
      : l1 !== 0 || group || nonNegative
        ? "where L2 is the only penalty, but there is another penalty or a bound"
        : undefined;
  if (misfit) throw new CapabilityError("linear", `l2 is "auto", which is chosen ${misfit}; give a number`, "MODEL_PENALTY");
}

/** Returns the solver from the table of docs/solvers.md. Only the code of the chosen solver is loaded. */
export async function linearSolver({ options }: LinearModel, data: Dataset): Promise<{ algorithm?: Algorithm; why: string }> {
  const { l1: given = 0, l2: strength = 0, group, nonNegative = false, intercept = true, features, penaltyWeights } = options;
  const { loss, outputs } = chooseLoss("linear", options.loss, data);
  const l1 = given === "auto" ? 0 : given;
  const l2 = strength === "auto" ? 0 : strength;
  const columns = (features?.count ?? data.columnCount) + 1;
  const entries = features ? columns : storedCount(data.layout) / data.rowCount;
  const numbers = data.rowCount * entries * outputs;
  if (numbers > MOST_NUMBERS)
    return {
      why: `${numbers.toExponential(1)} numbers, more than the ${MOST_NUMBERS.toExponential()} that a solver can process`,
    };
  if (loss.curvature === undefined && !loss.conjugate) {
    const single = l2 > 0 && l1 === 0 && !group && !nonNegative && !penaltyWeights && !data.layout.offset;
    // The dual method can fit only a penalised intercept, which would be a different model.
    if (KINKED.includes(loss.name) && single && !intercept) {
      const { dualCoordinateDescent } = await later(() => import("../../coordinates/dual-coordinate-descent.ts"));
      return {
        algorithm: dualCoordinateDescent(),
        why: `loss "${loss.name}" with l2 and without an intercept, which has a dual`,
      };
    }
    return { why: `loss "${loss.name}" has no curvature for a solver` };
  }
  const bent = nonNegative ? "coefficients not below 0" : group ? "a group penalty" : l1 > 0 ? "an L1 penalty" : undefined;
  if (bent) {
    const { coordinateDescent } = await later(() => import("../../coordinates/coordinate-descent.ts"));
    return { algorithm: coordinateDescent(), why: `${bent}, which coordinate descent supports` };
  }
  const products = entries / 2;
  if (!loss.joint && columns <= MOST_COLUMNS && products <= MOST_PRODUCTS) {
    const { newtonCholesky } = await later(() => import("../../newton/newton-cholesky.ts"));
    return { algorithm: newtonCholesky(), why: `a smooth objective of ${columns} parameters per output` };
  }
  if (columns * outputs > MOST_PARAMETERS)
    return {
      why: `${columns * outputs} parameters, more than the ${MOST_PARAMETERS} for which a solver can store its last steps`,
    };
  const many = loss.joint ? "classes that share a loss" : `${columns} parameters per output`;
  const { quasiNewton } = await later(() => import("./quasi-newton.ts"));
  return { algorithm: quasiNewton(loss, data, NEAR), why: `a smooth objective of ${many}` };
}
