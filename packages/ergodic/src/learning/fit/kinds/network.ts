import type { Dataset } from "../../../engine/data/dataset.ts";
import { currentEngine } from "../../../engine/memory/engine.ts";
import { adam } from "../../../engine/optimise/rules/adam.ts";
import { NetworkPredictor } from "../../../predict/network.ts";
import { descentDefaults, gradientDescent } from "../../descent/gradient-descent.ts";
import type { KindOf } from "../../models/linear/linear.ts";
import { type NetworkModel, type NetworkOptions, networkModel } from "../../models/neural/network.ts";
import { fromDatasets, measureOutputs } from "./from-datasets.ts";
import { algorithmFamilies, type Trainable, type TrainableModel } from "./trainable.ts";

/**
 * A neural network for `fit`: layers, and a loss on the outputs of the last layer.
 *
 * Minimises mean_i w_i ℓ(z_i, y_i) + l1‖p‖₁ + l2/2‖p‖². z is the output of the last layer, which needs no activation
 * because the loss includes it. Biases and norms are not penalised.
 * `loss`: as for linear(); default logistic or multinomial for classes, squared for numbers. `fit` trains it by adam()
 * on batches of 64 by default.
 *
 * @param layers a layer, a list of layers, or a function (x, scope) => array
 * @param given loss and penalties. Default: the loss above, no penalties
 * @throws OptionError for unknown options or losses, or layers that do not fit; from `fit` CapabilityError if loss,
 * data and plan do not fit together
 *
 * @example
 * ```ts
 * const model = await fit(network(mlp([64, 64], { outputs: 10 }), { loss: "multinomial" }), data, { epochs: 20, seed: 1 });
 * await fit(network([dense(64), relu(), dropout(0.2), dense(1)]), data, { rule: adam({ rate: 0.003 }), batch: 32 });
 * network((x, scope) => scope.apply(dense(1), tanh(x), "out"));   // a function of symbolic arrays is a layer, too
 * ```
 */
export function network<const O extends NetworkOptions = Record<never, never>>(
  layers: Parameters<typeof networkModel>[0],
  given?: O & NetworkOptions,
): NetworkModel<KindOf<O>> {
  const bare = networkModel(layers, given);
  const model: NetworkModel<KindOf<O>> & TrainableModel<Dataset, NetworkPredictor> = { ...bare, trainable: trainableNetwork };
  return model;
}

const BATCH = 64;

export const trainableNetwork: Trainable<Dataset, NetworkPredictor> = {
  ...fromDatasets,
  from: async (json) => (await import("../../models/neural/network-from.ts")).networkFromJson(json),
  defaults({ algorithm, rule, variance }) {
    const own = algorithm?.defaults ?? descentDefaults(rule, variance);
    return { ...own, batch: own.batch ?? BATCH };
  },
  families: ({ algorithm }, { model, prepared }) => [
    ...algorithmFamilies(algorithm),
    ...(model as NetworkModel).families(prepared),
  ],
  choose: ({ rule, variance }) => gradientDescent({ rule: rule ?? adam({ rate: 0.001 }), variance }),
  predictor: (saved) => new NetworkPredictor(saved, currentEngine()),
  measure(saved, heldOut) {
    const predictor = new NetworkPredictor(saved, currentEngine());
    try {
      return measureOutputs(predictor, heldOut);
    } finally {
      predictor.dispose();
    }
  },
};
