/**
 * predict-linear-…: processor time of a linear model's outputs for many rows in memory: dense rows as a matrix, sparse
 * rows as a dataset. `loss` is the mean square of the outputs. The peer has the same weights; its time is that of
 * `decision_function`, including checks and conversions, as is ours.
 */
import { Dataset, fit, linear } from "ergodic";
import { randomNumbers, share, sparseProblem } from "../data.mjs";
import { openPeer } from "../peer.mjs";
import { sized } from "../size.mjs";

const rowCount = sized(100_000, 50);
const kinds = {
  "dense-20": { rowCount, columnCount: 20, outputs: 1, goal: 1 },
  "dense-784": { rowCount, columnCount: 784, outputs: 1, goal: 1 },
  "dense-784-f64": { rowCount: rowCount / 2, columnCount: 784, outputs: 1, type: "f64", goal: 1 },
  "dense-784-classes": { rowCount, columnCount: 784, outputs: 10, goal: 1 },
  sparse: { rowCount, columnCount: sized(1_000_000, 1000), nonZeros: 50, outputs: 1, goal: 0.8 },
};

async function makeData({ outputs, type = "f32", nonZeros, ...shape }, folder) {
  const random = randomNumbers(1);
  const { rowCount, columnCount } = shape;
  const numbers = (count, Numbers) => Numbers.from({ length: count }, () => random.uniform() - 0.5);
  const dense = () => ({
    format: "dense",
    ...shape,
    values: numbers(rowCount * columnCount, type === "f64" ? Float64Array : Float32Array),
  });
  const rows = nonZeros ? sparseProblem({ ...shape, nonZeros, seed: 1 }) : dense();
  const weights = numbers(outputs * columnCount, Float64Array);
  const intercept = numbers(outputs, Float64Array);
  const problem = { ...rows, outputs, type, weights, intercept };
  const few = Array.from({ length: 2 * outputs }, (_, i) => i % Math.max(outputs, 2));
  const data = nonZeros
    ? Dataset.fromSparse({ ...rows, source: "rows" })
    : Dataset.fromArrays({
        x: { values: rows.values.slice(0, few.length * columnCount), columnCount },
        y: outputs > 1 ? few.map((k) => `class ${k}`) : few,
        type,
      });
  // Losses for which the outputs are the predictions, without a link function.
  const options = { epochs: 1, seed: 1, precision: type, workers: 1 };
  const model = await fit(linear({ standardise: false, loss: outputs > 1 ? "hinge" : "squared" }), data, options);
  model.weights.set(weights);
  model.intercept.set(intercept);
  return { rows, model, data, outputs, peer: share(folder, problem) };
}

function ours({ rows, model, data, outputs }) {
  const out = new Float64Array(rows.rowCount * outputs);
  const predict = () => {
    if (rows.format === "sparse") return model.outputs(data);
    model.predictInto(rows.values, out);
    return out;
  };
  return {
    name: "ergodic",
    async round() {
      const before = process.cpuUsage();
      const z = predict();
      const { user, system } = process.cpuUsage(before);
      return { value: (user + system) / 1000, loss: z.reduce((sum, value) => sum + value * value, 0) / z.length };
    },
  };
}

async function theirs(problem) {
  const peer = await openPeer("sklearn_decision.py", problem);
  return { name: peer.ready.version, round: () => peer.run({}), close: () => peer.close() };
}

export default Object.entries(kinds).map(([name, kind]) => ({
  name: `predict-linear-${name}`,
  measures: `a linear model's ${kind.outputs} outputs for ${kind.rowCount} rows, ${kind.nonZeros ? `${kind.nonZeros} non-zeros of ${kind.columnCount}` : `${kind.columnCount} columns, ${kind.type ?? "f32"}`}`,
  metric: "ms of processor time",
  better: "less",
  lossTolerance: 1e-4,
  makeData: (folder) => makeData(kind, folder),
  ours: async (problem) => ours(problem),
  peers: ({ peer }) => [{ name: "scikit-learn", goal: kind.goal, open: () => theirs(peer) }],
}));
