/**
 * TensorFlow.js: the small MobileNet of networks.mjs. The normalisation is written out, because tf.batchNorm takes the
 * statistics as arguments.
 */
import { problem } from "./lines.mjs";
import { take, tf, train } from "./tfjs.mjs";

const { height, width, channels, classes, blocks, epsilon } = problem;

/** Batch normalisation with a scale and a shift, then relu. */
function normaliser(count) {
  const scale = tf.variable(tf.ones([count]));
  const shift = tf.variable(tf.zeros([count]));
  return (x) => {
    const { mean, variance } = tf.moments(x, [0, 1, 2]);
    return tf.relu(tf.batchNorm(x, mean, variance, shift, scale, epsilon));
  };
}

const kernel = take(3, 3, 1, channels);
const first = normaliser(channels);
const parts = blocks.map(({ from, to, stride }) => {
  const depthwise = take(3, 3, from, 1);
  const pointwise = take(1, 1, from, to);
  const [between, after] = [normaliser(from), normaliser(to)];
  return (x) => after(tf.conv2d(between(tf.depthwiseConv2d(x, depthwise, stride, 1, "NHWC", 1, "floor")), pointwise, 1, 0));
});
const dense = take(blocks[blocks.length - 1].to, classes);
const bias = tf.variable(tf.zeros([classes]));

await train([height, width, 1], (images) => {
  let x = first(tf.conv2d(images, kernel, 2, 1, "NHWC", 1, "floor"));
  for (const part of parts) x = part(x);
  return x.mean([1, 2]).matMul(dense).add(bias);
});
