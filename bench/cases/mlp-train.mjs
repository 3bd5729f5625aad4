/**
 * mlp-train: one epoch of 784-256-10 on 8000 images of MNIST, batches of 64, plain gradient descent, float32, one
 * thread (networks.mjs).
 */
import { openNetwork } from "../ergodic.mjs";
import { compareTrainings, mlpPeers, mlpProblem } from "../networks.mjs";

export default {
  name: "mlp-train",
  measures: "784-256-10 on MNIST, batches of 64, one thread: milliseconds an epoch",
  metric: "ms",
  better: "less",
  makeData: async (folder) => ({ folder, ...(await mlpProblem()) }),
  ours: (problem) =>
    openNetwork(problem, ({ dense, flatten, relu, sequential }, given) => {
      const { inputs, hidden, classes } = problem;
      return sequential([
        flatten(),
        dense(hidden, { initial: given(inputs * hidden) }),
        relu(),
        dense(classes, { initial: given(hidden * classes) }),
      ]);
    }),
  peers: ({ folder, ...problem }) => mlpPeers(folder, problem, { torch: 0.4, tfjs: 3, jax: 3 }),
  compare: compareTrainings(0.001),
};
