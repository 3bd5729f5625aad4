/**
 * serve-mixed: p99 of one-row requests in a closed loop, while one more connection sends requests of 50,000 rows, with
 * the server on one core. Peers: Fastify with onnxruntime-node under the same load, and ourselves without the large
 * requests.
 */
import { dense, network, relu } from "ergodic";
import { besideLarge, makeModel, openServer } from "../serving.mjs";
import { sized } from "../size.mjs";

const LARGE_ROWS = sized(50_000, 500);
const kind = {
  rowShape: [64],
  model: (classes) => network([dense(256), relu(), dense(128), relu(), dense(classes)], { standardise: false }),
};

const open = (problem, options) => async () =>
  besideLarge(await openServer("../serving-server.mjs", { ...problem, options: {} }), options);

export default {
  name: "serve-mixed",
  measures: `p99 of one-row requests to 64-256-128-10, 8 connections, next to requests of ${LARGE_ROWS} rows, one core`,
  metric: "ms",
  better: "less",
  rounds: sized(3, 1, 5),
  compare: (ours, theirs) => ({
    text: `mean square of the probabilities ${ours.loss.toFixed(6)} against ${theirs.loss.toFixed(6)} (may differ by 1e-5)`,
    passed: Math.abs(ours.loss - theirs.loss) <= 1e-5,
  }),
  makeData: (folder) => makeModel(folder, kind, 1, LARGE_ROWS),
  ours: (problem) => open(problem)(),
  peers: (problem) => [
    {
      name: "Fastify with onnxruntime-node",
      goal: 1,
      open: async () => besideLarge(await openServer("fastify_onnxruntime.mjs", problem)),
    },
    // The large requests may make it 1.5 times as long.
    { name: "without large requests", goal: 0.67, open: open(problem, { called: "without large requests: ", isMixed: false }) },
  ],
};
