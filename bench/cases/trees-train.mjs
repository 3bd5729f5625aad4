/**
 * trees-train: processor time to train gradient boosting of 100,000 × 30, with the same number of rounds, leaves and the
 * same rate. `loss` is the root mean square error on 20,000 held-out rows.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Dataset, fit, trees } from "ergodic";
import { share, treesProblem } from "../data.mjs";
import { openPeer } from "../peer.mjs";
import { sized } from "../size.mjs";

const shape = { rowCount: sized(100_000, 400), columnCount: 30, seed: 1 };
const settings = { rounds: sized(100, 5), leaves: 31, rate: 0.1 };

function makeData(folder) {
  const train = treesProblem(shape);
  const test = treesProblem({ ...shape, rowCount: sized(20_000, 200), seed: 2 });
  const shared = (name, rows) => {
    mkdirSync(join(folder, name));
    return share(join(folder, name), rows);
  };
  return { train, test, peer: { train: shared("train", train), test: shared("test", test), ...settings } };
}

const datasetOf = ({ values, columnCount, target }) => Dataset.fromArrays({ x: { values, columnCount }, y: target, type: "f32" });

function ours({ train, test }) {
  const [data, heldOut] = [train, test].map(datasetOf);
  const { rounds: epochs, leaves, rate } = settings;
  return {
    name: "ergodic",
    async round() {
      const before = process.cpuUsage();
      const model = await fit(trees({ leaves, rate }), data, { epochs, workers: 1 });
      const { user, system } = process.cpuUsage(before);
      return { value: (user + system) / 1e6, loss: model.evaluate(heldOut).rmse };
    },
  };
}

async function theirs(script, problem) {
  const peer = await openPeer(script, problem);
  return { name: peer.ready.version, round: () => peer.run({}), close: () => peer.close() };
}

export default {
  name: "trees-train",
  measures: `seconds of processor time to train ${settings.rounds} rounds of ${settings.leaves} leaves, ${shape.rowCount} × ${shape.columnCount} float32, one thread`,
  metric: "s of processor time",
  better: "less",
  lossTolerance: sized(0.005, 0.1),
  makeData,
  ours: async (problem) => ours(problem),
  peers: ({ peer }) => [
    { name: "XGBoost", goal: 0.6, open: () => theirs("xgboost_trees.py", peer) },
    { name: "scikit-learn", goal: 1, open: () => theirs("sklearn_trees.py", peer) },
  ],
};
