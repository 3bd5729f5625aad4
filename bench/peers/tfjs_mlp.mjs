/** TensorFlow.js: the multilayer perceptron of networks.mjs. */
import { problem } from "./lines.mjs";
import { take, tf, train } from "./tfjs.mjs";

const { inputs, hidden, classes } = problem;
const [w1, w2] = [take(inputs, hidden), take(hidden, classes)];
const [b1, b2] = [tf.variable(tf.zeros([hidden])), tf.variable(tf.zeros([classes]))];

await train([inputs], (x) => tf.relu(x.matMul(w1).add(b1)).matMul(w2).add(b2));
