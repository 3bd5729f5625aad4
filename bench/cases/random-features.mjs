/**
 * random-features-…: a row's way through 4096 random features of 512 columns, cosines included, and a linear model on them, by the structured map of O(D log d) against
 * dense frequencies: our own, in float64, and NumPy's, in float32, one thread. `loss` is the root mean square error of the kernel's estimate over all pairs of 64
 * rows.
 */
import { Dataset, fit, linear, rff, sorf } from "ergodic";
import { randomNumbers, share } from "../data.mjs";
import { openPeer } from "../peer.mjs";

const COLUMNS = 512;
const COUNT = 4096;
const ROWS = 64;
const GAMMA = 0.5;
const SEED = 1;

function makeRows() {
  const random = randomNumbers(SEED);
  // Distances of about 1, where the kernel is neither 0 nor 1.
  return Float32Array.from({ length: ROWS * COLUMNS }, () => random.normal() / Math.sqrt(2 * COLUMNS));
}

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

async function contestant(values, map, batch, name) {
  const data = Dataset.fromArrays({ x: { values, columnCount: COLUMNS }, y: Float64Array.from({ length: ROWS }, (_, i) => i) });
  const features = map({ count: COUNT, gamma: GAMMA, seed: SEED });
  const loss = kernelError(values, data.map(features));
  const model = await fit(linear({ features, standardise: false }), data, { epochs: 1, workers: 1 });
  const rows = values.slice(0, batch * COLUMNS);
  const out = new Float64Array(batch);
  const calls = 512 / batch;
  return {
    name,
    async round() {
      const before = process.cpuUsage();
      for (let i = 0; i < calls; i++) model.predictInto(rows, out);
      const { user, system } = process.cpuUsage(before);
      return { value: (user + system) / calls / batch, loss };
    },
    note: () => `error of the kernel ${loss.toFixed(4)}`,
  };
}

async function dense(folder, values, batch) {
  const settings = { columnCount: COLUMNS, count: COUNT, gamma: GAMMA, batch, calls: 512 / batch };
  const peer = await openPeer("numpy_features.py", share(folder, { values, ...settings }));
  return { name: peer.ready.version, round: () => peer.run({}), close: () => peer.close() };
}

export default [1, 64].map((batch) => ({
  name: `random-features-${batch}`,
  measures: `${COUNT} random features of ${COLUMNS} columns by sorf, and a linear model on them, ${batch} rows a call`,
  metric: "µs of processor time a row",
  better: "less",
  lossTolerance: 0,
  makeData: (folder) => ({ folder, values: makeRows() }),
  ours: ({ values }) => contestant(values, sorf, batch, "ergodic, sorf"),
  peers: ({ folder, values }) => [
    { name: "ergodic, rff", goal: 3, open: () => contestant(values, rff, batch, "ergodic, rff") },
    { name: "NumPy", open: () => dense(folder, values, batch) },
  ],
}));
