/**
 * predict-row-…: processor time per prediction of one row, after warm-up, with the row given as numbers or by column
 * name. The models are read from their files: a linear model with two classes on 20 columns, and a network 16-64-64-1.
 * `loss` is the mean square of the predictions.
 */
import { Dataset, dense, fit, linear, network, predictor, relu } from "ergodic";
import { share } from "../data.mjs";
import { openPeer } from "../peer.mjs";
import { sized } from "../size.mjs";

const ROWS = sized(500, 50);
const CALLS = sized(50_000, 100);
/** Number of calls for slower peers. */
const PEER_CALLS = sized(5000, 100);

const kinds = {
  linear: {
    columns: 20,
    widths: "1",
    goal: 3,
    target: (row) => (row[0] + row[3] > 0 ? "yes" : "no"),
    model: () => linear({ standardise: false }),
    weights: ({ weights, intercept }) => [...weights, ...intercept],
    read: ({ probabilities }) => probabilities.yes,
  },
  mlp: {
    columns: 16,
    widths: "64,64,1",
    goal: 10,
    target: (row) => row[0] + row[5],
    model: () => network([dense(64), relu(), dense(64), relu(), dense(1)], { loss: "squared", standardise: false }),
    weights: (model) =>
      ["0", "2", "4"].flatMap((layer) => ["weight", "bias"].flatMap((name) => [...numbersOf(model, `${layer}.${name}`)])),
    read: ({ value }) => value,
  },
};

const numbersOf = (model, name) => model.tensors()[name].values;

async function makeModels({ columns, target, model, weights }, folder, settings) {
  const x = Array.from({ length: ROWS }, (_, i) =>
    Array.from({ length: columns }, (_, j) => Math.fround(Math.sin(7.1 * i + 3.3 * j))),
  );
  const y = x.map(target);
  const names = x[0].map((_, j) => `column${j}`);
  const ofClasses = typeof y[0] === "string";
  const targetColumn = ofClasses
    ? { name: "y", kind: "category", levels: ["no", "yes"], codes: Int32Array.from(y, (value) => Number(value === "yes")) }
    : { name: "y", kind: "number", values: Float64Array.from(y) };
  const numbers = names.map((name, j) => ({ name, kind: "number", values: Float64Array.from(x, (row) => row[j]) }));
  const table = { source: "rows", rowCount: ROWS, columns: [...numbers, targetColumn] };
  const trained = async (data) => predictor((await fit(model(), data, { epochs: 2, seed: 1 })).toBytes());
  const models = {
    numbers: { model: await trained(Dataset.fromArrays({ x, y })), rows: x },
    names: {
      model: await trained(Dataset.fromTable(table, { target: "y" })),
      rows: x.map((row) => Object.fromEntries(row.map((value, j) => [names[j], value]))),
    },
  };
  const raw = { x: Float32Array.from(x.flat()), weights: Float32Array.from(weights(models.numbers.model)) };
  return { ...models, peer: share(folder, { ...settings, columns, rowCount: ROWS, calls: PEER_CALLS, ...raw }) };
}

function ours({ model, rows }, read) {
  for (let i = 0; i < CALLS; i++) model.predict(rows[i % ROWS]);
  return {
    name: "ergodic",
    async round() {
      let total = 0;
      const before = process.cpuUsage();
      for (let i = 0; i < CALLS; i++) total += read(model.predict(rows[i % ROWS])) ** 2;
      const { user, system } = process.cpuUsage(before);
      return { value: (user + system) / CALLS, loss: total / CALLS };
    },
  };
}

async function theirs(problem) {
  const peer = await openPeer("tfjs_row.mjs", problem);
  return { name: peer.ready.version, round: () => peer.run({}), close: () => peer.close() };
}

const benchCase = (name, form) => ({
  name: `predict-row-${name}-${form}`,
  measures: `predicting one row given ${form === "names" ? "by column names" : "as numbers"}`,
  metric: "µs of processor time",
  better: "less",
  lossTolerance: 1e-4,
  makeData: (folder) => makeModels(kinds[name], folder, { kind: name, widths: kinds[name].widths }),
  ours: async (problem) => ours(problem[form], kinds[name].read),
  peers: ({ peer }) => [{ name: "TensorFlow.js", goal: kinds[name].goal, open: () => theirs(peer) }],
});

export default Object.keys(kinds).flatMap((name) => ["numbers", "names"].map((form) => benchCase(name, form)));
