import type { Algorithm, Model, Plan } from "../../../engine/contract/index.ts";
import type { Dataset } from "../../../engine/data/dataset.ts";
import { CapabilityError } from "../../../engine/errors/errors.ts";
import { adagrad } from "../../../engine/optimise/rules/adagrad.ts";
import { sgd } from "../../../engine/optimise/rules/sgd.ts";
import { saga, theoreticalRate } from "../../../engine/optimise/variance.ts";
import { later } from "../../../engine/threads/later.ts";
import { LinearPredictor } from "../../../predict/linear.ts";
import { descentDefaults, gradientDescent } from "../../descent/gradient-descent.ts";
import { chooseLoss } from "../../models/choose-loss.ts";
import { type KindOf, type LinearModel, type LinearOptions, linearModel } from "../../models/linear/linear.ts";
import type { LinearProblem } from "../../models/linear/problem.ts";
import { fromDatasets, measureOutputs } from "./from-datasets.ts";
import { algorithmFamilies, type SettledOptions, type Trainable, type TrainableModel } from "./trainable.ts";

/**
 * A linear model for `fit`: z = x·p + b. There is one output for a numeric target or two classes, and one output per
 * class for more classes.
 *
 * Minimises mean_i w_i ℓ(z_i, y_i) + l1‖p‖₁ + l2/2‖p‖² + group Σ_g √|g| ‖p_g‖. The intercept b is not penalised.
 * `loss` is a name, or the result of a factory, e.g. huberLoss({ delta: 2 }). Default: logistic for two classes,
 * multinomial for more, squared for numbers. A target of two whole numbers, such as 0 and 1, means two classes unless
 * `loss` is "squared". For a binary loss and more than two classes, the model is fitted one-vs-rest.
 *
 * @throws OptionError for unknown options, losses or classes; from `fit` CapabilityError if the loss does not suit the
 * target
 *
 * @example
 * ```ts
 * const model = await fit(linear({ loss: "logistic", l2: 1e-3 }), data, { epochs: 10, seed: 1 });
 * model.predict({ age: 40, income: 30_000 });    // { value: "yes", probabilities: { no: 0.2, yes: 0.8 } }
 * model.weights;                                 // float64[outputs × columns]
 * await fit(linear({ loss: "squared", l1: 0.01 }), data, { algorithm: coordinateDescent() });   // the lasso
 * ```
 */
export function linear<const O extends LinearOptions = Record<never, never>>(given?: O & LinearOptions): LinearModel<KindOf<O>> {
  const model: LinearModel<KindOf<O>> & TrainableModel<Dataset, LinearPredictor> = {
    ...linearModel(given),
    trainable: trainableLinear,
  };
  return model;
}

export const trainableLinear: Trainable<Dataset, LinearPredictor> = {
  ...fromDatasets,
  // Loaded only when needed, because programs that use defaults do not need its feature maps.
  from: (json) => later(() => import("../../models/linear/from-json.ts")).then(({ linearFromJson }) => linearFromJson(json)),
  async settle(model, data, options) {
    const { l1, l2 } = (model as LinearModel).options;
    if (options.algorithm !== "auto" && l1 !== "auto" && l2 !== "auto") return {};
    const { settleLinear } = await later(() => import("./linear-solver.ts"));
    return settleLinear(model as LinearModel, data, options);
  },
  defaults: ({ algorithm, rule, variance }) => algorithm?.defaults ?? descentDefaults(rule, variance),
  families: ({ algorithm }) => algorithmFamilies(algorithm),
  choose: (options, { model, prepared, problem, plan }) => choose(options, model, prepared, problem as LinearProblem, plan),
  predictor: (saved) => new LinearPredictor(saved),
  measure: (saved, heldOut) => measureOutputs(new LinearPredictor(saved), heldOut),
};

function choose(
  options: SettledOptions,
  model: Model<Dataset>,
  prepared: Dataset,
  problem: LinearProblem,
  plan: Plan,
): Algorithm {
  const { rule } = options;
  const { penalty } = problem;
  const variance = options.variance ?? (penalty.group > 0 && !rule ? saga() : undefined);
  if (rule) return gradientDescent({ rule, variance });
  if (!variance) return gradientDescent({ rule: adagrad({ rate: 0.1 * unitOf(model, prepared) }) });
  const l2 = penalty.l2 * penalty.weights.reduce((a, b) => Math.max(a, b), 0);
  const { smoothness } = problem;
  if (smoothness === undefined)
    throw new CapabilityError(
      "fit",
      `${variance.name} has no step size of its own here, since the loss's curvature is not bounded; give a rule, e.g. sgd({ rate: 0.01 })`,
      "VARIANCE_RATE",
    );
  if (variance.name === "sag" && plan.schedule !== "replacement") {
    throw new CapabilityError(
      "fit",
      `sag's own step size is for rows drawn with replacement, but schedule is "${plan.schedule}", with which it diverges; leave schedule out, use saga(), or give a rule with a smaller rate`,
      "VARIANCE_RATE",
    );
  }
  return gradientDescent({ rule: sgd({ rate: theoreticalRate(variance, smoothness, l2) }), variance });
}

/**
 * Unit of AdaGrad's steps. Steps do not scale with the gradient. For numeric targets, steps must therefore be given in
 * units of the target.
 */
function unitOf(model: Model<Dataset>, prepared: Dataset): number {
  if (chooseLoss("linear", (model as LinearModel).options.loss, prepared).loss.task !== "regression") return 1;
  const { values } = prepared.target;
  return Math.sqrt(values.reduce((sum, y) => sum + y * y, 0) / values.length) || 1;
}
