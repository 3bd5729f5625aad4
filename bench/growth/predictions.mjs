/** Predictions of fitted models for one row and for many, and inference on graphs. */
import { adagrad, dense as denseLayer, elimination, factorGraph, fit, graphGibbs, infer, linear, network, relu } from "ergodic";
import { dense, levelled } from "./problems.mjs";

const brief = { rule: adagrad(), epochs: 1, seed: 1 };

/** A ring of Booleans; every tenth one has a bias of its own. */
function ring(count) {
  const graph = factorGraph();
  for (let i = 0; i < count; i++) graph.variable();
  const neighbours = graph.weight("neighbours", 0.4);
  for (let i = 0; i < count; i++) {
    graph.equal([i, (i + 1) % count], { weight: neighbours });
    if (i % 10 === 0) graph.isTrue(i, { weight: 0.8 });
  }
  return graph;
}

/** Work of a two-class linear model on n rows. */
const onRows = (use) => async (n) => {
  const fitted = await fit(linear(), dense(1000, 10, 2), brief);
  const data = dense(n, 10, 2);
  return () => use(fitted, data);
};

export const predictionFamilies = {
  "one row, levels": {
    grows: "levels",
    theory: 0,
    sizes: [100, 1000, 10_000, 100_000],
    async open(levels) {
      const fitted = await fit(linear(), levelled(levels), brief);
      fitted.predict([{ c: "level 1" }]);
      return () => {
        for (let i = 0; i < 2000; i++) fitted.predict([{ c: `level ${i % levels}` }]);
      };
    },
  },
  "prediction, rows": {
    grows: "rows",
    theory: 1,
    sizes: [10_000, 100_000, 300_000, 1_000_000],
    open: onRows((fitted, data) => fitted.predict(data)),
  },
  "prediction, network rows": {
    grows: "rows",
    theory: 1,
    sizes: [30_000, 100_000, 300_000, 1_000_000],
    async open(n) {
      const fitted = await fit(network([denseLayer(64), relu(), denseLayer(1)], { loss: "squared" }), dense(1000, 10), brief);
      const data = dense(n, 10);
      return () => fitted.predict(data);
    },
  },
  "evaluation, rows": {
    grows: "rows",
    theory: 1,
    sizes: [10_000, 100_000, 300_000, 1_000_000],
    open: onRows((fitted, data) => fitted.evaluate(data)),
  },
  "Gibbs, variables": {
    grows: "variables",
    theory: 1,
    sizes: [3000, 10_000, 30_000, 100_000],
    open(count) {
      const graph = ring(count);
      return () => infer(graph, { algorithm: graphGibbs({ sweeps: 200, mcse: 1 }), workers: 1, seed: 1 });
    },
  },
  "elimination, variables": {
    grows: "variables",
    theory: 1,
    sizes: [1000, 3000, 10_000, 30_000],
    open(count) {
      const graph = ring(count);
      return () => infer(graph, { algorithm: elimination() });
    },
  },
};
