/**
 * hogwild: what a second worker brings when both race on one sparse model.
 *
 * One worker trains for a fixed number of epochs. Two workers get the fewest epochs whose objective is no worse than that by more than
 * the tolerance, found beforehand: if racing costs progress, the extra epochs are in its seconds.
 */
import { sparseProblem } from "../data.mjs";
import { datasetOf, logistic, openErgodic, timedFit } from "../ergodic.mjs";
import { logisticObjective } from "../objective.mjs";

const SHAPE = { rowCount: 200_000, columnCount: 1_000_000, nonZeros: 75, seed: 1 };
const L2 = 1e-4;
const EPOCHS = 5;
const MOST_EPOCHS = 10;
const TOLERANCE = 1e-3;

/** A rule's t counts the updates of all racing workers together, so that the rate falls alike with one and with two. */
const settings = ({ sgd, inverseTimeDecay }) => ({
  rule: sgd({ rate: inverseTimeDecay({ rate: 0.06, decay: 2 / SHAPE.rowCount }) }),
  schedule: "blocks",
});

async function makeData() {
  const problem = sparseProblem(SHAPE);
  const ergodic = await openErgodic();
  const data = datasetOf(ergodic, problem, "hogwild");
  const model = logistic(ergodic, L2);
  const train = async (execution, epochs, seed) => {
    const options = {
      batch: 1,
      epochs,
      seed,
      precision: "f32",
      ...settings(ergodic),
      ...execution,
    };
    const { seconds, weights, intercept } = await timedFit(ergodic, model, data, options);
    return { value: seconds, loss: logisticObjective(problem, L2, weights, intercept) };
  };
  return {
    alone: (epochs, seed) => train({ workers: 1, replicas: 1 }, epochs, seed),
    race: (epochs, seed) => train({ workers: 2, replicas: "shared" }, epochs, seed),
  };
}

async function ours({ alone, race }) {
  const target = (await alone(EPOCHS, 1)).loss * (1 + TOLERANCE);
  let epochs = EPOCHS;
  while ((await race(epochs, 1)).loss > target && epochs < MOST_EPOCHS) epochs += 1;
  return { name: `ergodic, two workers on one model, ${epochs} epochs`, round: (i) => race(epochs, i + 1) };
}

export default {
  name: "hogwild",
  measures:
    "two workers racing on one model against one worker, 200,000 rows of 75 non-zeros in 50,000 columns: seconds to an equal objective",
  metric: "seconds",
  better: "less",
  lossTolerance: TOLERANCE,
  makeData,
  ours,
  peers: ({ alone }) => {
    const name = `ergodic, one worker, ${EPOCHS} epochs`;
    return [{ name, goal: 1.6, open: async () => ({ name, round: (i) => alone(EPOCHS, i + 1) }) }];
  },
};
