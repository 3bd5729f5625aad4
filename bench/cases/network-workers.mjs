/**
 * network-workers: images per second of a network trained by two workers, whose copies are averaged twice per epoch,
 * against one worker. 784-256-10 on 8000 images of MNIST, batches of 64, momentum. Averaging can slow progress per
 * epoch, so the accuracy on the other 2000 images after the same number of epochs must be at most one point lower.
 */
import { openErgodic } from "../ergodic.mjs";
import { firstRows, mnistDatasets, mnistProblem } from "../mnist.mjs";
import { sized } from "../size.mjs";

const EPOCHS = sized(8, 1);
/** Number of training images. */
const ROWS = sized(8000, 256);
/** After one epoch on a few images, averaged copies are far behind. */
const MAY_LOSE = sized(0.01, 1);
const PLANS = {
  one: { workers: 1, replicas: 1 },
  two: { workers: 2, replicas: 2, averageEvery: 0.5 },
};

async function makeData() {
  const ergodic = await openErgodic();
  const { train, test } = mnistDatasets(ergodic, firstRows(mnistProblem(ergodic), ROWS));
  return async (plan) => {
    const { network, mlp, momentum, fit } = ergodic;
    const options = { rule: momentum({ rate: 0.05 }), batch: 64, epochs: EPOCHS, seed: 1, ...plan };
    const trained = await fit(network(mlp([256], { outputs: 10 })), train, options);
    return { value: (train.rowCount * EPOCHS) / trained.run.seconds, accuracy: trained.evaluate(test).accuracy };
  };
}

const contestant = (name, plan) => async (train) => ({ name, round: () => train(plan) });

function compare(ours, theirs) {
  const [two, one] = [ours, theirs].map(({ rounds }) => rounds[0].accuracy);
  return {
    text: `accuracy ${two.toFixed(4)} against ${one.toFixed(4)} (may be ${MAY_LOSE} lower)`,
    passed: two >= one - MAY_LOSE,
  };
}

export default {
  name: "network-workers",
  measures: "784-256-10 on MNIST, two workers with averaged copies against one: images a second",
  metric: "images/s",
  better: "more",
  makeData,
  ours: contestant("ergodic, two workers, averaged", PLANS.two),
  peers: (train) => [{ name: "ergodic, one worker", goal: 1.6, open: () => contestant("ergodic, one worker", PLANS.one)(train) }],
  compare,
};
