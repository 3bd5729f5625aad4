/**
 * path-folds: seconds for a cross-validated logistic lasso path: 100 λ on 40,000 pages of 300 words (sparse, like w8a),
 * five folds, two workers.
 *
 * Both sides get the same numbers, folds and λ, geometric from λ_max to 1e-4 of it, and solve all of them. glmnet uses
 * its default `thresh`. Our path has a relative duality gap of 1e-6 at every λ, recomputed here from the weights, and
 * our folds use the default, looser tolerance. Two choices of λ count as equal if the mean errors differ by a small
 * part of the smallest error's standard error; if they differ by more than a tenth, there is no ratio.
 */
import { join } from "node:path";
import { pagesProblem, share } from "../data.mjs";
import { datasetOf, openErgodic, openModules } from "../ergodic.mjs";
import { worstLogisticGap } from "../logistic-gap.mjs";
import { openPeer, readNumbers } from "../peer.mjs";
import { sized } from "../size.mjs";

const LAMBDAS = sized(100, 10);
/** With few rows the classes can be separated at small λ, where weights are large. */
const RATIO = sized(1e-4, 0.1);
const SHAPE = sized({ rowCount: 40_000, columnCount: 300 }, { rowCount: 500, columnCount: 20 });
const FOLDS = 5;
const SEED = 1;
const GAP = 1e-6;
const WORKERS = 2;
/** In units of a standard error. */
const MOST_OFF = 0.1;

/** Returns the smallest λ at which all weights are 0. */
function largestLambda({ rowCount, columnCount, rowStart, columnIndex, values, target }) {
  const mean = target.reduce((sum, y) => sum + y, 0) / rowCount;
  const slopes = new Float64Array(columnCount);
  for (let i = 0; i < rowCount; i++)
    for (let at = rowStart[i]; at < rowStart[i + 1]; at++) slopes[columnIndex[at]] += values[at] * (target[i] - mean);
  return slopes.reduce((most, slope) => Math.max(most, Math.abs(slope)), 0) / rowCount;
}

async function makeData(folder) {
  const problem = pagesProblem({ ...SHAPE, seed: 1 });
  const largest = largestLambda(problem);
  const lambdas = Float64Array.from({ length: LAMBDAS }, (_, k) => largest * RATIO ** (k / (LAMBDAS - 1)));
  const ergodic = await openErgodic();
  const [{ dealFolds }] = await openModules("learning/fit/folds.js");
  const data = datasetOf(ergodic, problem, "pages").asClasses();
  return { folder, ...problem, lambdas, data, foldOf: dealFolds(data, FOLDS, SEED) };
}

async function ours({ data, lambdas, ...problem }) {
  const { fit, linear } = await openErgodic();
  const model = linear({ loss: "logistic", standardise: false });
  return {
    name: "ergodic, 2 workers",
    note: (rounds) => `largest relative gap ${Math.max(...rounds.map(({ gap }) => gap)).toExponential(1)} (may be ${GAP})`,
    async round() {
      const start = performance.now();
      const path = await fit.path(model, data, { lambdas, folds: FOLDS, seed: SEED, workers: WORKERS });
      const value = (performance.now() - start) / 1000;
      const gap = worstLogisticGap(problem, lambdas, (k) => ({ weights: path.weights(k), intercept: path.intercept(k)[0] }));
      const { mean, standardError } = path.crossValidation;
      return { value, gap, mean: [...mean], standardError: [...standardError] };
    },
  };
}

async function open({ folder, data, ...problem }) {
  const peer = await openPeer("glmnet_folds.R", share(folder, { ...problem, lambdaCount: LAMBDAS }));
  const errors = join(folder, "glmnet_folds.raw");
  return {
    name: peer.version,
    close: peer.close,
    note: () => "thresh 1e-7, its default; one thread",
    async round() {
      const { seconds } = await peer.run({ errors });
      return { value: seconds, mean: [...readNumbers(errors).subarray(0, LAMBDAS)] };
    },
  };
}

/**
 * Returns the largest difference of mean errors, in standard errors of the smallest error, which are the scale on which
 * λ is chosen.
 */
function largestDifference({ mean, standardError }, other) {
  const least = mean.indexOf(Math.min(...mean));
  return mean.reduce((most, error, k) => Math.max(most, Math.abs(error - other.mean[k]) / standardError[least]), 0);
}

export default {
  name: "path-folds",
  measures: "lasso path of 100 λ with five folds on 40,000 × 300 sparse rows, logistic: seconds, two workers",
  metric: "seconds",
  better: "less",
  makeData,
  ours,
  peers: (problem) => [{ name: "cv.glmnet", goal: 0.5, open: () => open(problem) }],
  compare(ours, theirs) {
    const gap = Math.max(...ours.rounds.map((round) => round.gap));
    const off = largestDifference(ours.rounds[0], theirs.rounds[0]);
    return {
      text: `largest relative gap ${gap.toExponential(1)} (may be ${GAP}); mean errors differ by ${off.toFixed(3)} standard errors (may by ${MOST_OFF})`,
      passed: gap <= GAP && off <= MOST_OFF,
    };
  },
};
