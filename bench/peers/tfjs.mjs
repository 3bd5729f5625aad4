/** TensorFlow.js for the peers that train with it: the problem's backend, batches, and the loop. */
import { readFileSync } from "node:fs";
import { floats, packages, problem, serve, versionOf } from "./lines.mjs";

const [module] = await packages("@tensorflow/tfjs", "@tensorflow/tfjs-backend-wasm");
/** The namespace; CommonJS packages have it as their default export. */
export const tf = module.default ?? module;
tf.env().set("PROD", true);
if (!(await tf.setBackend(problem.backend))) throw new Error(`TensorFlow.js has no backend "${problem.backend}" here`);

let weights = floats(problem.weights);

/** Returns a trained variable initialised from the next of the problem's weights. */
export function take(...shape) {
  const size = tf.util.sizeFromShape(shape);
  const values = tf.variable(tf.tensor(weights.slice(0, size), shape));
  weights = weights.subarray(size);
  return values;
}

/** Returns images of `shape` and one-hot classes, both in batches. */
function batches(shape) {
  const { rowCount, batch, classes } = problem;
  const parts = Array.from({ length: rowCount / batch }, () => batch);
  const images = tf.split(tf.tensor(floats(problem.trainImages), [rowCount, ...shape]), parts);
  const labels = tf.tensor1d(Array.from(readFileSync(problem.trainLabels)), "int32");
  return { images, labels: tf.split(tf.oneHot(labels, classes).toFloat(), parts) };
}

/** Trains the variables of `logits(images)` by cross-entropy and gradient descent. */
export async function train(shape, logits) {
  const { images, labels } = batches(shape);
  const optimiser = tf.train.sgd(problem.rate);
  const step = (at) => {
    const cost = optimiser.minimize(() => tf.losses.softmaxCrossEntropy(labels[at], logits(images[at])), true);
    const [value] = cost.dataSync();
    cost.dispose();
    return value;
  };
  let firstLoss;
  await serve(`TensorFlow.js ${versionOf("@tensorflow/tfjs")} (${problem.backend})`, ({ epochs }) => {
    const start = performance.now();
    let total = 0;
    for (let epoch = 0; epoch < epochs; epoch++) {
      total = 0;
      for (let at = 0; at < images.length; at++) {
        const loss = step(at);
        firstLoss ??= loss;
        total += loss;
      }
    }
    return { seconds: (performance.now() - start) / 1000, loss: total / images.length, firstLoss };
  });
}
