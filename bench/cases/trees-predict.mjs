/**
 * trees-predict-…: processor time per row of a trained ensemble on float32 rows in memory, one row per call or 100,000.
 * `loss` is the mean square of the predictions. The peers read the same trees: onnxruntime as a TreeEnsembleRegressor
 * within Python, and a program of nested if-else statements, compiled by gcc -O3.
 */
import { Dataset, fit, trees } from "ergodic";
import { share, treesProblem } from "../data.mjs";
import { openPeer } from "../peer.mjs";
import { sized } from "../size.mjs";
import { meanSquare, timedCalls } from "../timing.mjs";

const columnCount = 30;
const rowCount = sized(100_000, 64);
const roundMs = sized(400, 1);

/** The trees as arrays, in the layout of packages/ergodic/src/predict/trees/ensemble.ts. */
const arraysOf = ({ firstNode, feature, threshold, left, right, values, base }) => ({
  firstNode,
  feature,
  threshold,
  left,
  right,
  leaves: values,
  base: base[0],
});

async function makeData(folder, { rounds, leaves }) {
  const { values, target } = treesProblem({ rowCount: sized(20_000, 300), columnCount, seed: 1 });
  const data = Dataset.fromArrays({ x: { values, columnCount }, y: target, type: "f32" });
  const model = await fit(trees({ leaves }), data, { epochs: rounds });
  const rows = treesProblem({ rowCount, columnCount, seed: 2 }).values;
  const shared = share(folder, { ...arraysOf(model.ensemble), rows, columnCount, rowCount, roundMs });
  return { model, rows, shared: { ...shared, folder } };
}

function ours({ model, rows }, batch) {
  const out = new Float64Array(batch);
  const all = new Float64Array(rowCount);
  const count = rowCount / batch;
  const parts = Array.from({ length: Math.min(count, 1000) }, (_, i) =>
    rows.subarray(i * batch * columnCount, (i + 1) * batch * columnCount),
  );
  return {
    name: "ergodic",
    async round() {
      const value = (await timedCalls((i) => model.predictInto(parts[i % parts.length], out), roundMs)) / batch;
      model.predictInto(rows, all);
      return { value, loss: meanSquare(all) };
    },
  };
}

async function theirs(script, problem) {
  const peer = await openPeer(script, problem);
  return { name: peer.ready.version, round: () => peer.run({}), close: () => peer.close() };
}

/** onnxruntime adds in float32. */
const compare = (mine, other) => ({
  text: `mean square of the predictions ${mine.loss.toFixed(6)} against ${other.loss.toFixed(6)} (may differ by 1e-5)`,
  passed: Math.abs(mine.loss - other.loss) <= 1e-5,
});

const sizes = {
  "": { rounds: sized(100, 3), leaves: 31 },
  "-large": { rounds: sized(500, 3), leaves: 64 },
};

export default Object.entries(sizes).flatMap(([name, size]) =>
  [1, rowCount].map((batch) => ({
    name: `trees-predict${name}-${batch === 1 ? "one" : "many"}`,
    measures: `µs of processor time per row, ${size.rounds} trees of ${size.leaves} leaves, ${batch === 1 ? "one row" : `${batch} rows`} per call`,
    metric: "µs of processor time",
    better: "less",
    compare,
    makeData: (folder) => makeData(folder, size),
    ours: async (problem) => ours(problem, batch),
    peers: ({ shared }) => [
      { name: "onnxruntime", goal: batch === 1 ? 2 : 1, open: () => theirs("onnxruntime_trees.py", { ...shared, batch }) },
      { name: "gcc -O3", goal: 0.5, open: () => theirs("trees_c.mjs", { ...shared, batch }) },
    ],
  })),
);
