/**
 * random-features-…: prediction speed of a classifier on 4096 random features: mapping a row, including cosines, and a
 * linear model on the features, with the structured map of O(D log d). Compared with: dense frequencies, ours in
 * float64 and NumPy's in float32, on one thread; precomputed features in float32 and in 8 bits; and a plain linear
 * model without features, trained to reproduce our answers. Images of MNIST, the 512 pixels that vary most, even or odd
 * digits. `loss` is the root mean square error of the kernel's estimate over all pairs of 64 rows. Notes report the
 * share of 2000 test images that are classified correctly, and that are classified as by ours.
 */
import { Dataset, fit, lbfgs, linear } from "ergodic";
import { rff, sorf } from "ergodic/data";
import { share } from "../data.mjs";
import { openErgodic } from "../ergodic.mjs";
import { firstRows, mnistProblem } from "../mnist.mjs";
import { openPeer } from "../peer.mjs";
import { sized } from "../size.mjs";

const COLUMNS = sized(512, 64);
const COUNT = sized(4096, 128);
const ROWS = 64;
/** Number of images that are used for training. */
const TRAINED = sized(8000, 200);
const CALLED = sized(512, 64);
/** How much larger our error can be: it varies more with few features. */
const MAY_BE_LARGER = sized(1.1, 3);
const GAMMA = 0.5;
const SEED = 1;
const FIT = { epochs: sized(5, 1, 10), batch: 32, seed: SEED, workers: 1 };

/**
 * The pixels that vary most, scaled so that two images have a distance of about √2, where the kernel is neither 0 nor
 * 1.
 */
async function images() {
  const problem = firstRows(mnistProblem(await openErgodic()), TRAINED);
  const { trainImages, testImages, trainLabels, testLabels, rowCount, testRowCount } = problem;
  const pixels = trainImages.length / rowCount;
  const sums = new Float64Array(pixels);
  const squares = new Float64Array(pixels);
  trainImages.forEach((value, i) => {
    sums[i % pixels] += value / rowCount;
    squares[i % pixels] += value ** 2 / rowCount;
  });
  const variance = squares.map((square, j) => square - sums[j] ** 2);
  const chosen = Array.from(variance, (_, j) => j)
    .sort((a, b) => variance[b] - variance[a])
    .slice(0, COLUMNS);
  // The mean squared distance of two rows is twice the sum of variances.
  const scale = 1 / Math.sqrt(chosen.reduce((sum, j) => sum + variance[j], 0));
  const of = (all, count) =>
    Float32Array.from({ length: count * COLUMNS }, (_, i) => scale * all[Math.floor(i / COLUMNS) * pixels + chosen[i % COLUMNS]]);
  const parity = (labels) => Array.from(labels, (label) => (label % 2 ? "odd" : "even"));
  const [train, test] = [of(trainImages, rowCount), of(testImages, testRowCount)];
  return { train, test, trained: parity(trainLabels), truth: parity(testLabels), values: test.slice(0, ROWS * COLUMNS) };
}

const datasetOf = (values, y, type = "f32") => Dataset.fromArrays({ x: { values, columnCount: COLUMNS }, y, type });

const pairs = Array.from({ length: ROWS }, (_, i) => Array.from({ length: i }, (_, j) => [i, j])).flat();

function kernelError(values, data) {
  const z = Array.from({ length: ROWS }, (_, i) => data.row(i));
  let squares = 0;
  for (const [i, j] of pairs) {
    let distance = 0;
    for (let k = 0; k < COLUMNS; k++) distance += (values[i * COLUMNS + k] - values[j * COLUMNS + k]) ** 2;
    const estimate = z[i].reduce((sum, value, k) => sum + value * z[j][k], 0);
    squares += (estimate - Math.exp(-GAMMA * distance)) ** 2;
  }
  return Math.sqrt(squares / pairs.length);
}

/** A classifier on random features, and its answers for the test images. */
async function classifier({ train, trained, test, truth, values }, map) {
  const data = datasetOf(train, trained);
  const rows = datasetOf(values, truth.slice(0, ROWS));
  const features = map({ count: COUNT, gamma: GAMMA, seed: SEED });
  const model = await fit(linear({ features, loss: "logistic", standardise: false }), data, FIT);
  const said = rows.map(features);
  return { model, features, said: saidBy(model, datasetOf(test, truth)), loss: kernelError(values, said) };
}

const saidBy = (model, data) => Array.from(model.outputs(data), (z) => (z > 0 ? "odd" : "even"));
const shareOf = (list, other) => list.filter((value, i) => value === other[i]).length / list.length;

/** `predict` is called so often that a round predicts CALLED rows. */
function contestant(name, { predict, batch, said, loss, problem }) {
  const calls = CALLED / batch;
  const [right, alike] = [problem.truth, problem.ours.said].map((wanted) => (100 * shareOf(said, wanted)).toFixed(1));
  const error = loss === undefined ? "no features" : `error of the kernel ${loss.toFixed(4)}`;
  return {
    name,
    async round() {
      const before = process.cpuUsage();
      for (let i = 0; i < calls; i++) predict();
      const { user, system } = process.cpuUsage(before);
      return { value: (user + system) / calls / batch, loss };
    },
    note: () => `${error}; ${right} % right, ${alike} % as sorf`,
  };
}

function fromMatrix(name, { model, ...facts }, batch, problem) {
  const rows = problem.values.slice(0, batch * COLUMNS);
  const out = new Float64Array(batch * model.width);
  return contestant(name, { ...facts, predict: () => model.predictInto(rows, out), batch, problem });
}

/**
 * Precomputed features, for rows that are requested again: only the linear model remains to be evaluated. Rows in 8
 * bits cannot be mapped.
 */
function kept(name, { model, features }, type, batch, problem) {
  const { test, truth, values } = problem;
  const held = (x, y) => datasetOf(x, y).map(features).as(type);
  const rows = held(values.slice(0, batch * COLUMNS), truth.slice(0, batch));
  const loss = kernelError(values, held(values, truth.slice(0, ROWS)));
  return contestant(name, { said: saidBy(model, held(test, truth)), loss, predict: () => model.outputs(rows), batch, problem });
}

/** Least squares fit to our model's output before its link, because only the order of the classes matters. */
async function distilled({ train, trained, test, truth, ours }) {
  const teacher = datasetOf(train, trained);
  const data = datasetOf(train, [...ours.model.outputs(teacher)]);
  const model = await fit(linear({ loss: "squared", l2: 1e-3, standardise: false }), data, {
    rule: lbfgs(),
    batch: "all",
    until: { updates: sized(300, 10) },
    workers: 1,
  });
  return {
    model,
    said: Array.from(
      model.predict(
        datasetOf(
          test,
          truth.map(() => 0),
        ),
      ),
      ({ value }) => (value > 0 ? "odd" : "even"),
    ),
  };
}

async function dense(folder, values, batch) {
  const settings = { columnCount: COLUMNS, count: COUNT, gamma: GAMMA, batch, calls: CALLED / batch };
  const peer = await openPeer("numpy_features.py", share(folder, { values, ...settings }));
  return { name: peer.ready.version, round: () => peer.run({}), close: () => peer.close() };
}

const compare = (mine, { loss }) => ({
  text: loss === undefined ? "which has no features" : `error of the kernel ${mine.loss.toFixed(4)} against ${loss.toFixed(4)}`,
  // Our features rounded to 8 bits estimate the kernel about as well as ours, by chance slightly better or worse.
  passed: !(mine.loss > MAY_BE_LARGER * loss),
});

export default [1, 64].map((batch) => ({
  name: `random-features-${batch}`,
  measures: `${COUNT} random features of ${COLUMNS} columns by sorf, and a linear model on them, ${batch} rows a call`,
  metric: "µs of processor time a row",
  better: "less",
  compare,
  async makeData(folder) {
    const problem = await images();
    return { ...problem, folder, ours: await classifier(problem, sorf) };
  },
  ours: async (problem) => fromMatrix("ergodic, sorf", problem.ours, batch, problem),
  peers: (problem) => [
    {
      name: "ergodic, rff",
      goal: 3,
      open: async () => fromMatrix("ergodic, rff", await classifier(problem, rff), batch, problem),
    },
    ...["f32", "i8"].map((type) => {
      const name = `ergodic, sorf, kept as ${type}`;
      return { name, open: async () => kept(name, problem.ours, type, batch, problem) };
    }),
    {
      name: "ergodic, linear, distilled",
      open: async () => fromMatrix("ergodic, linear, distilled", await distilled(problem), batch, problem),
    },
    { name: "NumPy", open: () => dense(problem.folder, problem.values, batch) },
  ],
}));
