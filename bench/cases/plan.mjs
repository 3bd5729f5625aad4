/**
 * plan-…: cost of `workers: 2` without a given plan, against one worker: seconds of the whole call for the same number
 * of epochs, including the plan's measurements, on data where a second worker may help and on data where it cannot.
 * Leaving the choice open must never cost much: at least 0.9 of one worker's speed everywhere, with an objective that
 * is worse by at most the tolerance. In runs of about ten seconds on sparse data, where averaged replicas are worth
 * their trials, 1.6 is required.
 */
import { denseProblem, pagesProblem, sparseProblem } from "../data.mjs";
import { datasetOf, logistic, openErgodic } from "../ergodic.mjs";
import { logisticObjective } from "../objective.mjs";

const L2 = 1e-4;
const GOAL = 0.9;
const GOAL_OF_LONG = 1.6;
const ROUNDS = 9;
const ROUNDS_OF_LONG = 5;
const long = { epochs: 90, rate: 0.06, goal: GOAL_OF_LONG, rounds: ROUNDS_OF_LONG };

const problems = [
  {
    name: "plan-sparse",
    words: "200,000 rows of 75 non-zeros in 50,000 columns",
    make: () => sparseProblem({ rowCount: 200_000, columnCount: 50_000, nonZeros: 75, seed: 1 }),
    epochs: 20,
    rate: 0.06,
  },
  {
    name: "plan-pages",
    words: "20,000 rows of words by Zipf's law, 50,000 columns",
    make: () => pagesProblem({ rowCount: 20_000, columnCount: 50_000, seed: 1 }),
    epochs: 20,
    rate: 0.06,
  },
  {
    name: "plan-dense",
    words: "100,000 × 100, dense",
    make: () => denseProblem({ rowCount: 100_000, columnCount: 100, seed: 1 }),
    epochs: 20,
    rate: 0.01,
  },
  {
    name: "plan-small",
    words: "1,000 × 20, dense",
    make: () => denseProblem({ rowCount: 1000, columnCount: 20, seed: 1 }),
    epochs: 100,
    rate: 0.01,
  },
  {
    name: "plan-sparse-long",
    words: "400,000 rows of 75 non-zeros in 50,000 columns",
    make: () => sparseProblem({ rowCount: 400_000, columnCount: 50_000, nonZeros: 75, seed: 1 }),
    ...long,
  },
  {
    name: "plan-zipf-long",
    words: "400,000 rows of 75 non-zeros by Zipf's law in 50,000 columns",
    make: () => sparseProblem({ rowCount: 400_000, columnCount: 50_000, nonZeros: 75, seed: 1, law: "zipf" }),
    ...long,
  },
];

function makeCase({ name, words, make, epochs, rate, goal = GOAL, rounds = ROUNDS }) {
  const contestant = (title, workers) => (train) => ({
    name: title,
    round: () => train(workers),
    note: (made) => made.at(-1).plan,
  });
  return {
    name,
    measures: `two workers without a named plan against one, logistic, ${words}, ${epochs} epochs: seconds`,
    metric: "seconds",
    better: "less",
    rounds,
    lossTolerance: 1e-3,
    async makeData() {
      const problem = make();
      const ergodic = await openErgodic();
      const data = datasetOf(ergodic, problem, name);
      const model = logistic(ergodic, L2);
      return async (workers) => {
        const rule = ergodic.sgd({ rate: ergodic.inverseTimeDecay({ rate, decay: 2 / problem.rowCount }) });
        const start = performance.now();
        const run = ergodic.fit(model, data, { rule, epochs, schedule: "blocks", seed: 1, workers });
        const { weights, intercept } = await run;
        const value = (performance.now() - start) / 1000;
        const { plan, planChoice } = await run.chosen;
        const taken = plan.replicas === "shared" ? "racing" : plan.replicas === 1 ? "one lane" : "replicas";
        return {
          value,
          loss: logisticObjective(problem, L2, weights, intercept[0]),
          plan: planChoice ? `took ${taken}: ${planChoice.why}` : "",
        };
      };
    },
    ours: contestant("ergodic, workers: 2", 2),
    peers: (train) => [{ name: "ergodic, workers: 1", goal, open: async () => contestant("ergodic, workers: 1", 1)(train) }],
  };
}

export default problems.map(makeCase);
