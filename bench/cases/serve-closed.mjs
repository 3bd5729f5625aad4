/**
 * serve-closed: processor time per one-row request of 64-256-128-10 in a closed loop of 64 connections, with the server
 * on one core, against Fastify with onnxruntime-node. A thread of its own would only take turns on that core.
 */
import { dense, network, relu } from "ergodic";
import { makeModel, openServer, timeOfRequests } from "../serving.mjs";

const kind = {
  rowShape: [64],
  model: (classes) => network([dense(256), relu(), dense(128), relu(), dense(classes)], { standardise: false }),
};

export default {
  name: "serve-closed",
  measures: "a one-row request of 64-256-128-10, 64 connections, closed loop",
  metric: "µs of processor time",
  better: "less",
  compare: (ours, theirs) => ({ text: `${(ours.value / theirs.value).toFixed(2)} times their processor time`, passed: true }),
  makeData: (folder) => makeModel(folder, kind, 1),
  ours: async (problem) => timeOfRequests(await openServer("../serving-server.mjs", { ...problem, options: { workers: 0 } }), 1),
  peers: (problem) => [
    {
      name: "Fastify with onnxruntime-node",
      goal: 0.9,
      open: async () => timeOfRequests(await openServer("fastify_onnxruntime.mjs", problem), 1),
    },
  ],
};
