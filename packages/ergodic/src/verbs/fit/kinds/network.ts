import { descentDefaults, gradientDescent } from "../../../algorithms/gradient/gradient-descent.ts";
import { adam } from "../../../algorithms/gradient/rules/adam.ts";
import type { Dataset } from "../../../data/dataset.ts";
import { currentEngine } from "../../../host/engine.ts";
import type { KindOf } from "../../../models/linear/linear.ts";
import { type NetworkModel, type NetworkOptions, networkModel } from "../../../models/neural/network.ts";
import { NetworkPredictor } from "../../../predict/network.ts";
import { measureOutputs, trainableLinear } from "./linear.ts";
import { algorithmFamilies, type Trainable, type TrainableModel } from "./trainable.ts";

/**
 * Neural networks, as the verb `fit` treats them: Adam on minibatches, unless told otherwise.
 *
 * A neural network, ready for `fit`: @see networkModel for the options.
 */
export function network<const O extends NetworkOptions = Record<never, never>>(
  layers: Parameters<typeof networkModel>[0],
  given?: O,
): NetworkModel<KindOf<O>> {
  const bare = networkModel(layers, given);
  const model: NetworkModel<KindOf<O>> & TrainableModel<Dataset, NetworkPredictor> = { ...bare, trainable: trainableNetwork };
  return model;
}

const BATCH = 64;

export const trainableNetwork: Trainable<Dataset, NetworkPredictor> = {
  ...trainableLinear,
  from: async (json) => (await import("../../../models/neural/network-from.ts")).networkFrom(json),
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
