/**
 * hogwild: benefit of a second worker when both race on one sparse model, against one worker. (replicas.mjs: averaged
 * replicas instead.)
 *
 * One worker trains for a fixed number of epochs. Two workers get the fewest epochs whose objective is worse than that
 * by at most the tolerance; this number is found beforehand. If a second worker slows progress per epoch, its extra
 * epochs are therefore included in its seconds. The cores' caches limit racing: a row of 75 non-zeros writes about 73
 * of the 3,125 cache lines that hold 50,000 float32 parameters, so about every second line that a worker needs has been
 * changed in the other's cache.
 */
import { sparseProblem } from "../data.mjs";
import { datasetOf, logistic, openErgodic, timedFit } from "../ergodic.mjs";
import { logisticObjective } from "../objective.mjs";
import { sized } from "../size.mjs";

const SHAPE = sized(
  { rowCount: 200_000, columnCount: 50_000, nonZeros: 75, seed: 1 },
  { rowCount: 500, columnCount: 200, nonZeros: 10, seed: 1 },
);
const L2 = 1e-4;
const EPOCHS = 5;
const MOST_EPOCHS = 10;
/** The order of updates, which varies, matters more after a few hundred updates. */
const TOLERANCE = sized(1e-3, 0.2);

/**
 * A rule's t counts the updates of all racing workers together, but only a replica's own updates, so the rate falls
 * equally over an epoch.
 */
const ALONE = { workers: 1, replicas: 1, rate: 0.06, decay: 2 };
const RACING = { workers: 2, replicas: "shared", rate: 0.06, decay: 2 };

async function makeData() {
  const problem = sparseProblem(SHAPE);
  const ergodic = await openErgodic();
  const data = datasetOf(ergodic, problem, "two workers");
  const model = logistic(ergodic, L2);
  return async ({ rate, decay, ...execution }, epochs, seed) => {
    const rule = ergodic.sgd({ rate: ergodic.inverseTimeDecay({ rate, decay: decay / SHAPE.rowCount }) });
    const options = { batch: 1, epochs, seed, precision: "f32", schedule: "blocks", rule, ...execution };
    const { seconds, weights, intercept } = await timedFit(ergodic, model, data, options);
    return { value: seconds, loss: logisticObjective(problem, L2, weights, intercept) };
  };
}

/** A case with two workers under `plan` against one worker. */
export function twoWorkers(name, plan, words) {
  return {
    name,
    measures: `two workers ${words} against one, 200,000 rows of 75 non-zeros in 50,000 columns: seconds to an equal objective`,
    metric: "seconds",
    better: "less",
    lossTolerance: TOLERANCE,
    makeData,
    async ours(train) {
      const target = (await train(ALONE, EPOCHS, 1)).loss * (1 + TOLERANCE);
      let epochs = EPOCHS;
      while ((await train(plan, epochs, 1)).loss > target && epochs < MOST_EPOCHS) epochs += 1;
      return { name: `ergodic, two workers ${words}, ${epochs} epochs`, round: (i) => train(plan, epochs, i + 1) };
    },
    peers(train) {
      const alone = `ergodic, one worker, ${EPOCHS} epochs`;
      return [{ name: alone, goal: 1.6, open: async () => ({ name: alone, round: (i) => train(ALONE, EPOCHS, i + 1) }) }];
    },
  };
}

export default twoWorkers("hogwild", RACING, "racing on one model");
