// @ts-nocheck: a program of JavaScript, as users write it.
// What the tests of bundlers build and run: training, sampling and prediction.
import { Dataset, dense, fit, linear, model, network, normal, relu, sample, vector } from "ergodic";
import { predictor } from "ergodic/predict";

const x = Array.from({ length: 60 }, (_, i) => [Math.sin(i), Math.cos(1.3 * i)]);
export const data = Dataset.fromArrays({ x, y: x.map(([a, b]) => 2 * a - b) });
export const plan = { epochs: 3, seed: 1, deterministic: true };

export async function main({ workers = 1 } = {}) {
  const trained = await fit(network([dense(4), relu(), dense(1)]), data, plan);
  const read = await predictor(trained.toBytes());
  const located = model(({ data, param, observe }) => {
    const { y } = data({ y: vector("N") });
    observe(y, normal(param("mu", normal(0, 5)), 1));
  });
  const posterior = await sample(located, { y: [1, 2, 3] }, { chains: 2, warmup: 50, draws: 50, seed: 1, deterministic: true });
  const raced = workers > 1 ? await fit(linear(), data, { workers, replicas: "shared", epochs: 2 }) : undefined;
  return {
    trained: [...trained.outputs(data)].slice(0, 3),
    read: [...read.outputs(data)].slice(0, 3),
    mu: posterior.mean("mu")[0],
    raced: raced ? raced.weights.length : 0,
  };
}
