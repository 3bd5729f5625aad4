/** jax-js on its WebAssembly backend: the multilayer perceptron of networks.mjs, one jitted function per step. */
import { readFileSync } from "node:fs";
import { floats, packages, problem, serve, versionOf } from "./lines.mjs";

const [jax] = await packages("@jax-js/jax");
const { numpy: np, nn, init, defaultDevice, jit, valueAndGrad } = jax;
await init("wasm");
defaultDevice("wasm");

const { rowCount, batch, inputs, hidden, classes, rate } = problem;
const weights = floats(problem.weights);
const images = floats(problem.trainImages);
const labels = readFileSync(problem.trainLabels);
const batches = Array.from({ length: rowCount / batch }, (_, at) => {
  const x = np.array(images.slice(at * batch * inputs, (at + 1) * batch * inputs)).reshape([batch, inputs]);
  const y = new Float32Array(batch * classes);
  for (let i = 0; i < batch; i++) y[i * classes + labels[at * batch + i]] = 1;
  return { x, y: np.array(y).reshape([batch, classes]) };
});

let parameters = {
  w1: np.array(weights.slice(0, inputs * hidden)).reshape([inputs, hidden]),
  b1: np.zeros([hidden]),
  w2: np.array(weights.slice(inputs * hidden)).reshape([hidden, classes]),
  b2: np.zeros([classes]),
};

function lossOf({ w1, b1, w2, b2 }, x, y) {
  const h = nn.relu(np.matmul(x, w1).add(b1));
  const logits = np.matmul(h, w2).add(b2);
  return nn
    .logSoftmax(logits)
    .mul(y)
    .sum()
    .mul(-1 / batch);
}

const step = jit((p, x, y) => {
  const [loss, g] = valueAndGrad(lossOf)({ w1: p.w1.ref, b1: p.b1.ref, w2: p.w2.ref, b2: p.b2.ref }, x, y);
  const moved = (name) => p[name].sub(g[name].mul(rate));
  return [loss, { w1: moved("w1"), b1: moved("b1"), w2: moved("w2"), b2: moved("b2") }];
});

let firstLoss;

async function run({ epochs }) {
  const start = performance.now();
  let total = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    total = 0;
    for (const { x, y } of batches) {
      const [loss, next] = step(parameters, x.ref, y.ref);
      parameters = next;
      const [value] = await loss.data();
      firstLoss ??= value;
      total += value;
    }
  }
  return { seconds: (performance.now() - start) / 1000, loss: total / batches.length, firstLoss };
}

await serve(`jax-js ${versionOf("@jax-js/jax")} (wasm)`, run);
