/**
 * cnn-train: one epoch of a small MobileNet on 2048 images of MNIST, batches of 64, plain gradient descent, float32,
 * one thread (networks.mjs).
 */
import { openNetwork } from "../ergodic.mjs";
import { cnnPeers, cnnProblem, compareTrainings } from "../networks.mjs";

export default {
  name: "cnn-train",
  measures: "a small MobileNet on 28 × 28, batches of 64, one thread: milliseconds an epoch",
  metric: "ms",
  better: "less",
  makeData: async (folder) => ({ folder, ...(await cnnProblem()) }),
  ours: (problem) =>
    openNetwork(problem, ({ batchNorm, convolution, dense, depthwise, globalAveragePool, relu, sequential }, given) => {
      const { channels, blocks, classes, epsilon } = problem;
      const settled = () => [batchNorm({ epsilon }), relu()];
      const options = (stride, size) => ({ kernel: 3, stride, padding: 1, bias: false, initial: given(size) });
      return sequential([
        convolution(channels, options(2, 9 * channels)),
        ...settled(),
        ...blocks.flatMap(({ from, to, stride }) => [
          depthwise(options(stride, 9 * from)),
          ...settled(),
          convolution(to, { kernel: 1, bias: false, initial: given(from * to) }),
          ...settled(),
        ]),
        globalAveragePool(),
        dense(classes, { initial: given(blocks.at(-1).to * classes) }),
      ]);
    }),
  peers: ({ folder, ...problem }) => cnnPeers(folder, problem, { torch: 0.25, tfjs: 3 }),
  compare: compareTrainings(0.01),
};
