/**
 * multiclass-…: processor time of one fit of several classes to within 1e-4 (relative) of the smallest objective, on
 * data with the scales of letter, shuttle and covertype.
 *
 * Objective: mean multinomial log loss + ½ l2 ‖W‖² with l2 = 1 / rows (C = 1), unpenalised intercepts, and columns as
 * they are, or standardised beforehand ("-scaled"), which is how scikit-learn is meant to be used. Each
 * side makes the fewest iterations that reach the objective, found beforehand. We use the algorithm that `fit` chooses;
 * a note says how long `fit` takes if it stops by its own test, which is much stricter. If the peer would take more than
 * PATIENCE seconds, it is stopped there, and its ratio is a lower bound.
 */
import { join } from "node:path";
import { share } from "../data.mjs";
import { openErgodic } from "../ergodic.mjs";
import { covertypeLike, letterLike, scaledColumns, shuttleLike } from "../multiclass-data.mjs";
import { multinomialObjective } from "../objective.mjs";
import { openPeer, readNumbers } from "../peer.mjs";
import { sized } from "../size.mjs";

const WITHIN = sized(1e-4, 1e-2);
const PATIENCE = sized(15, 0.2);
/** Options of a fit that comes much closer to the minimum than WITHIN. */
const CLOSE = { gradientTolerance: 1e-10, changeTolerance: 1e-14 };

const datasetOf = ({ Dataset }, { values, columnCount, target }) =>
  Dataset.fromArrays({ x: { values, columnCount }, y: Array.from(target, (k) => String(k).padStart(2, "0")), type: "f32" });

const modelOf = ({ linear }, { l2 }) => linear({ loss: "multinomial", l2, standardise: false });

async function makeData(folder, generated) {
  const problem = { ...generated, l2: 1 / generated.rowCount, folder };
  const ergodic = await openErgodic();
  const { fit, gradientDescent, lbfgs } = ergodic;
  const algorithm = gradientDescent({ rule: lbfgs(CLOSE), preconditioned: true });
  const data = datasetOf(ergodic, problem);
  const { weights, intercept } = await fit(modelOf(ergodic, problem), data, { algorithm, precision: "f64", epochs: 2000 });
  data.dispose();
  const least = multinomialObjective(problem, problem.l2, weights, intercept);
  return { ...problem, least, goal: least * (1 + WITHIN) };
}

async function ours(problem) {
  const ergodic = await openErgodic();
  const { fit, gradientDescent, lbfgs } = ergodic;
  const train = async (options) => {
    const data = datasetOf(ergodic, problem);
    const start = process.cpuUsage();
    const { weights, intercept, run } = await fit(modelOf(ergodic, problem), data, options);
    const { user, system } = process.cpuUsage(start);
    data.dispose();
    return {
      value: (user + system) / 1e6,
      loss: multinomialObjective(problem, problem.l2, weights, intercept),
      updates: run.updates,
    };
  };
  const ended = (epochs) => train({ algorithm: gradientDescent({ rule: lbfgs(), preconditioned: true }), epochs });
  let [low, high] = [0, (await train({})).updates];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((await ended(middle)).loss <= problem.goal) high = middle;
    else low = middle;
  }
  const byDefault = [];
  return {
    name: "ergodic",
    note: () => {
      const { value, updates, loss } = byDefault.at(-1);
      const above = ((loss - problem.least) / problem.least).toExponential(0);
      return `${high} iterations; by its own test ${value.toFixed(2)} s, ${updates} iterations, to ${above}`;
    },
    async round() {
      byDefault.push(await train({}));
      return ended(high);
    },
  };
}

async function open({ folder, goal, ...problem }) {
  const peer = await openPeer("sklearn_multiclass.py", share(folder, problem));
  const file = join(folder, "sklearn-multiclass.raw");
  const { iterations } = await peer.run({ goal, patience: PATIENCE });
  const { columnCount, classCount, l2 } = problem;
  return {
    name: `${peer.version} LogisticRegression(lbfgs)`,
    close: peer.close,
    note: (rounds) =>
      `${iterations} iterations${rounds.every(({ loss }) => loss <= goal) ? "" : ", which do not reach the objective"}`,
    async round() {
      const answer = await peer.run({ iterations, weights: file });
      const numbers = readNumbers(file);
      const count = columnCount * classCount;
      const loss = multinomialObjective(problem, l2, numbers.subarray(0, count), numbers.subarray(count));
      if (!(Math.abs(loss - answer.loss) <= 1e-9 * loss))
        throw new Error(`the peer's own objective is ${answer.loss}, but its weights give ${loss} here`);
      return { value: answer.seconds, loss };
    },
  };
}

const multiclass = (name, what, generated) => ({
  name: `multiclass-${name}`,
  measures: `multinomial regression on ${what}: processor time to within 1e-4 of the least L2-regularised objective`,
  metric: "seconds",
  better: "less",
  rounds: 3,
  makeData: (folder) => makeData(folder, generated()),
  ours,
  peers: (problem) => [{ name: "LogisticRegression(lbfgs)", goal: 1, open: () => open(problem) }],
  compare(ours, theirs, { least, goal }) {
    const above = (loss) => ((loss - least) / least).toExponential(1);
    return {
      text: `least objective ${least.toFixed(6)}; above it by ${above(ours.loss)} against ${above(theirs.loss)}`,
      passed: ours.loss <= goal,
    };
  },
});

const SETS = [
  ["letter", "20,000 × 16 integers, 26 classes", () => letterLike(sized(20_000, 400), 1)],
  ["shuttle", "43,500 × 9 columns of different scales, 7 classes", () => shuttleLike(sized(43_500, 600), 1)],
  ["covertype", "20,000 × 54 columns of different scales and 0/1, 7 classes", () => covertypeLike(sized(20_000, 500), 1)],
];

export default SETS.flatMap(([name, what, generated]) => [
  multiclass(name, what, generated),
  multiclass(`${name}-scaled`, `${what}, standardised`, () => scaledColumns(generated())),
]);
