import type { Dataset } from "../../../engine/data/dataset.ts";
import { CapabilityError } from "../../../engine/errors/errors.ts";
import { readsLoss } from "../../../engine/optimise/cost.ts";
import { adam } from "../../../engine/optimise/rules/adam.ts";
import { BoltzmannMachine } from "../../../predict/boltzmann/boltzmann.ts";
import { gradientDescent } from "../../descent/gradient-descent.ts";
import { type BoltzmannModel, type BoltzmannOptions, boltzmannModel } from "../../models/boltzmann/boltzmann.ts";
import { fromDatasets } from "./from-datasets.ts";
import { algorithmFamilies, type Trainable, type TrainableModel } from "./trainable.ts";

/**
 * A restricted Boltzmann machine with binary units for `fit`: p(v, h) ∝ e^{a·v + b·h + vᵀWh}. The columns of a row are
 * its visible units v. The target is not used.
 *
 * Trained by contrastive divergence: the gradient of the log likelihood, with states of the model from Gibbs sampling.
 * `fit` reports the stochastic pseudo-likelihood as the loss, per row. All step rules that do
 * not take their rate from the loss can be used. `fit` makes 100 epochs by default, in batches of 64 rows, with
 * adam({ rate: 0.005 }). Sources: Hinton 2002, Tieleman 2008 (persistent chains).
 *
 * @param options number of hidden units, sampling and penalties
 * @throws OptionError; from `fit` DataError for values outside [0, 1], and CapabilityError if the options do not fit
 * together
 *
 * @example
 * ```ts
 * const machine = await fit(boltzmannMachine({ hidden: 64 }), digits, { epochs: 30, seed: 1 });
 * machine.features(digits);                        // p(h | v), one array per row
 * machine.logLikelihood(digits, machine.logPartition().value);
 * machine.sample(10);
 * ```
 */
export function boltzmannMachine(options: BoltzmannOptions): BoltzmannModel & TrainableModel<Dataset, BoltzmannMachine> {
  return { ...boltzmannModel(options), trainable: trainableBoltzmann };
}

const BATCH = 64;
/** After the 5 epochs that other models take by default, machines for digits were no better than independent columns. */
const EPOCHS = 100;

export const trainableBoltzmann: Trainable<Dataset, BoltzmannMachine> = {
  ...fromDatasets,
  // No target is used, so it is not checked.
  meant: (data) => data,
  from: ({ model: _, ...options }) => boltzmannModel(options as unknown as BoltzmannOptions),
  defaults: ({ algorithm }) => ({ epochs: EPOCHS, ...algorithm?.defaults, batch: algorithm?.defaults?.batch ?? BATCH }),
  families: ({ algorithm }) => [...algorithmFamilies(algorithm), "arrays"],
  choose({ rule = adam({ rate: 0.005 }), variance }) {
    if (rule.kind === "equation" && !readsLoss(rule)) return gradientDescent({ rule, variance });
    throw new CapabilityError(
      "fit",
      `${rule.name}() compares losses, but the gradient of a Boltzmann machine is not that of its reported loss; use a rule such as adam() or momentum()`,
      "RULE_CAPABILITY",
    );
  },
  predictor: (saved) => new BoltzmannMachine(saved),
  measure(saved, heldOut) {
    const measured = new BoltzmannMachine(saved).evaluate(heldOut);
    return { loss: -measured.pseudoLogLikelihood, ...measured };
  },
};
