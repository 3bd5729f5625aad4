/**
 * serve-…: highest rate of single-row requests at which 99 % are answered within 10 ms, with the server on one core:
 * for a linear model, for 784-256-10, and for a small MobileNetV2. Peers: servers of Node's HTTP with onnxruntime-node,
 * on the same thread and on another. The last peer is the same without a model, which no server on Node's HTTP can
 * outperform.
 */
import { dense, linear, network, relu } from "ergodic";
import { mobileNetV2 } from "ergodic/layers";
import { makeModel, openServer, underLoad } from "../serving.mjs";
import { sized } from "../size.mjs";

/**
 * On one core, a separate model thread would only take turns with the server's thread. For the larger network, a batch
 * of all waiting requests would block the server.
 */
const kinds = {
  linear: {
    measures: "a linear model on 20 columns",
    rowShape: [20],
    classes: 2,
    model: () => linear({ standardise: false }),
    options: {},
    numberBytes: 8,
  },
  mlp: {
    measures: "784-256-10",
    rowShape: [784],
    model: (classes) => network([dense(256), relu(), dense(classes)], { standardise: false }),
    options: { workers: 0 },
    goals: [2, 1.2],
  },
  cnn: {
    measures: "a small MobileNetV2 on 28 × 28",
    rowShape: [28, 28, 1],
    model: (classes) => network([mobileNetV2({ outputs: classes, form: "small", width: 0.35 })], { standardise: false }),
    options: { workers: 0, maxBatch: 4 },
  },
};
/** Our rate also keeps our event loop free: in 99 % of samples its delay is at most so many milliseconds. */
const MOST_DELAY_MS = sized(5, Infinity);

function compare(ours, theirs) {
  if (theirs.loss === 0) return { text: "no model, no answers to compare", passed: true };
  const [own, their] = [ours, theirs].map(({ loss }) => loss.toFixed(6));
  return {
    text: `mean square of the probabilities ${own} against ${their} (may differ by 1e-5)`,
    passed: Math.abs(ours.loss - theirs.loss) <= 1e-5,
  };
}

const peer = (name, runs, goal) => (problem) => ({
  name,
  goal,
  open: async () => underLoad(await openServer("onnxruntime_server.mjs", { ...problem, runs }), { called: `${name}: ` }),
});

export default Object.entries(kinds).map(([name, kind]) => ({
  name: `serve-${name}`,
  measures: `the highest rate with a p99 of 10 ms, one core, single rows: ${kind.measures}`,
  metric: "requests a second",
  better: "more",
  // A search takes half a minute per server.
  rounds: sized(1, 1, 5),
  compare,
  makeData: (folder) => makeModel(folder, kind, 1),
  ours: async (problem) =>
    underLoad(await openServer("../serving-server.mjs", { ...problem, options: kind.options }, kind.numberBytes), {
      mostDelayMs: MOST_DELAY_MS,
    }),
  peers: (problem) =>
    [
      peer("on HTTP's thread", "here", kind.goals?.[0]),
      peer("in a worker thread", "threaded", kind.goals?.[1]),
      peer("without a model", "nothing"),
    ].map((open) => open(problem)),
}));
