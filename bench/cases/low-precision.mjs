/**
 * low-precision: benefit of 8-bit data when memory is the limit. 50,000 × 1000 numbers are 200 MB as float32 and 50 MB
 * as 8-bit integers, both larger than a core's share of the cache. Ours is Buckwild: 8-bit data and a 16-bit model with
 * unbiased rounding (kernels/engine/optimise/fixed.ts). With a float32 model, 8-bit data alone are no faster (1.02
 * times), because converting bytes to floats costs as much as memory traffic saves. Quantisation happens once per
 * dataset, in the warm-up round.
 */
import { denseProblem } from "../data.mjs";
import { datasetOf, logistic, openErgodic, timedFit } from "../ergodic.mjs";
import { logisticObjective } from "../objective.mjs";
import { sized } from "../size.mjs";

const SHAPE = sized({ rowCount: 50_000, columnCount: 1000, seed: 1 }, { rowCount: 500, columnCount: 20, seed: 1 });
const L2 = 1e-4;
const EPOCHS = 5;

const settings = ({ sgd, inverseTimeDecay }) => ({
  rule: sgd({ rate: inverseTimeDecay({ rate: 0.8, decay: 10 / SHAPE.rowCount }) }),
  schedule: "blocks",
});

async function makeData() {
  const problem = denseProblem(SHAPE);
  const ergodic = await openErgodic();
  const data = datasetOf(ergodic, problem, "low-precision");
  const model = logistic(ergodic, L2);
  const contestant = (precision, name) => ({
    name,
    async round(i) {
      const options = { batch: 1, epochs: EPOCHS, seed: i + 1, workers: 1, replicas: 1, precision, ...settings(ergodic) };
      const { seconds, updates, weights, intercept } = await timedFit(ergodic, model, data, options);
      return { value: updates / seconds, loss: logisticObjective(problem, L2, weights, intercept) };
    },
  });
  return { contestant };
}

export default {
  name: "low-precision",
  measures:
    "8-bit data against float32, logistic regression on 50,000 × 1000 dense, one worker: updates a second, loss within 1 %",
  metric: "updates a second",
  better: "more",
  // Random rounding averages out over many updates only.
  lossTolerance: sized(1e-2, 0.3),
  makeData,
  ours: async ({ contestant }) => contestant({ data: "i8", model: "i16" }, "ergodic, 8-bit data, 16-bit model"),
  peers({ contestant }) {
    const name = "ergodic, float32 data";
    return [{ name, goal: 1.5, open: async () => contestant("f32", name) }];
  },
};
