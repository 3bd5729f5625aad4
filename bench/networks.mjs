/**
 * Problems and peers of `gradient-small`, `mlp-train` and `cnn-train`.
 *
 * Every side starts from the same weights and takes the rows in order, in batches, with plain gradient descent. No side
 * draws random numbers, so after the same number of epochs all sides have the same network, except for rounding. The
 * `loss` of a round is the mean over the last epoch's steps of the batch loss before the step; a side that computes
 * something else has a different loss immediately. Rows are stored in batches; reading the step's loss is timed.
 *
 * Peers answer `run {"epochs"}` with `{ seconds, loss, firstLoss }` and continue where they ended: `firstLoss` is that
 * of the very first step. The peer of the gradient answers `run {"repeats"}` with `{ seconds, value, gradient }`.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { randomNumbers, share } from "./data.mjs";
import { openErgodic } from "./ergodic.mjs";
import { firstRows, mnistProblem } from "./mnist.mjs";
import { openPeer } from "./peer.mjs";
import { sized } from "./size.mjs";

/** Normal numbers of variance 2 ÷ fan-in, array by array (He et al. 2015). Shapes are row-major. */
function heWeights(seed, layers) {
  const random = randomNumbers(seed);
  return Float32Array.from(
    layers.flatMap(({ size, fanIn }) => Array.from({ length: size }, () => random.normal() * Math.sqrt(2 / fanIn))),
  );
}

/** ℓ(w) = mean_i log(1 + exp z_i) − y_i z_i, z = x w; x [100, 10], y in {0, 1}, w [10]. */
export function gradientProblem() {
  const random = randomNumbers(1);
  const [rowCount, columnCount] = [100, 10];
  const numbers = (length) => Float32Array.from({ length }, () => random.normal());
  const y = Float32Array.from({ length: rowCount }, () => (random.uniform() < 0.5 ? 1 : 0));
  return { rowCount, columnCount, x: numbers(rowCount * columnCount), y, w: numbers(columnCount) };
}

/**
 * 784-256-10 with relu and softmax cross-entropy on 8000 images of MNIST. `weights`: W1 [784, 256], W2 [256, 10];
 * biases start at 0. h = relu(x W1 + b1), logits = h W2 + b2.
 */
export async function mlpProblem() {
  const { rowCount, trainImages, trainLabels } = firstRows(mnistProblem(await openErgodic()), sized(8000, 128));
  const [inputs, hidden, classes] = [784, 256, 10];
  const weights = heWeights(2, [
    { size: inputs * hidden, fanIn: inputs },
    { size: hidden * classes, fanIn: hidden },
  ]);
  return { rowCount, inputs, hidden, classes, batch: 64, rate: 0.1, trainImages, trainLabels, weights };
}

/** Depthwise-separable blocks: input channels, output channels, stride. */
const BLOCKS = [
  { from: 16, to: 32, stride: 1 },
  { from: 32, to: 64, stride: 2 },
  { from: 64, to: 64, stride: 1 },
  { from: 64, to: 128, stride: 2 },
];

/**
 * A small MobileNet (Howard et al. 2017) on the first 2048 images of MNIST, [n, 28, 28, 1]: a 3×3 convolution with
 * stride 2 to 16 channels; `blocks`, each depthwise 3×3 then 1×1; the mean over the cells; a dense layer to 10 outputs.
 * One cell of padding on every side; only the dense layer has biases. Every convolution is followed by batch
 * normalisation (ε = 1e-5, initial scale 1 and shift 0, both trained) and relu. `weights`: convolution [3, 3, 1, 16];
 * for each block depthwise [3, 3, from] and pointwise [from, to]; dense [128, 10].
 */
export async function cnnProblem() {
  const all = mnistProblem(await openErgodic());
  const { rowCount, height, width, trainImages, trainLabels } = firstRows(all, sized(2048, 32));
  const classes = 10;
  const layers = [{ size: 9 * 16, fanIn: 9 }];
  for (const { from, to } of BLOCKS) layers.push({ size: 9 * from, fanIn: 9 }, { size: from * to, fanIn: from });
  layers.push({ size: 128 * classes, fanIn: 128 });
  const weights = heWeights(3, layers);
  return {
    rowCount,
    height,
    width,
    channels: 16,
    classes,
    batch: sized(64, 32),
    rate: 0.05,
    epsilon: 1e-5,
    blocks: BLOCKS,
    trainImages,
    trainLabels,
    weights,
  };
}

/** A contestant for measure.mjs: milliseconds per epoch. `settings` are the script's own. */
async function openTraining(folder, problem, script, settings) {
  const peer = await openPeer(script, { ...share(folder, problem), blocks: problem.blocks, ...settings });
  return {
    name: peer.version,
    close: peer.close,
    async round() {
      const { seconds, loss, firstLoss } = await peer.run({ epochs: 1 });
      return { value: seconds * 1000, loss, firstLoss };
    },
  };
}

/**
 * The same on the first batch alone, repeatedly, extrapolated to all batches of an epoch: for a peer that would need
 * minutes.
 */
async function openOneBatch(folder, problem, script, settings) {
  const { rowCount, batch, trainImages, trainLabels } = problem;
  const first = (array) => array.subarray(0, (array.length / rowCount) * batch);
  const part = { ...problem, rowCount: batch, trainImages: first(trainImages), trainLabels: first(trainLabels) };
  mkdirSync(join(folder, "batch"), { recursive: true });
  const contestant = await openTraining(join(folder, "batch"), part, script, settings);
  return {
    ...contestant,
    name: `${contestant.name}, one batch taken for all`,
    async round() {
      const { value, firstLoss } = await contestant.round();
      return { value: (value * rowCount) / batch, firstLoss };
    },
  };
}

/**
 * Judges a training by the losses of the last epoch, or of the first step if a side did not train on all rows. A round
 * of `ours` reports both.
 */
export function compareTrainings(tolerance) {
  return (ours, theirs) => {
    const whole = theirs.loss !== undefined;
    const [mine, other] = whole ? [ours.loss, theirs.loss] : [ours.rounds[0].firstLoss, theirs.rounds[0].firstLoss];
    return {
      text: `${whole ? "loss" : "first loss"} ${mine.toFixed(6)} against ${other.toFixed(6)} (may differ by ${tolerance * 100} %)`,
      passed: Math.abs(mine - other) <= tolerance * Math.abs(other),
    };
  };
}

/** PyTorch on one thread, TensorFlow.js and jax-js, as `peers` of a case. `goals`: { torch, tfjs, jax }. */
export function mlpPeers(folder, problem, goals = {}) {
  return [
    { name: "PyTorch", goal: goals.torch, open: () => openTraining(folder, problem, "torch_mlp.py") },
    { name: "TensorFlow.js", goal: goals.tfjs, open: () => openTraining(folder, problem, "tfjs_mlp.mjs", { backend: "wasm" }) },
    { name: "jax-js", goal: goals.jax, open: () => openTraining(folder, problem, "jax_mlp.mjs") },
  ];
}

/**
 * PyTorch in both of its layouts; the faster one counts. TensorFlow.js's WebAssembly backend has no gradient of a
 * convolution with respect to its weights, so it trains on the plain backend, which takes ten seconds per batch.
 */
export function cnnPeers(folder, problem, goals = {}) {
  return [
    { name: "PyTorch", goal: goals.torch, open: () => openTraining(folder, problem, "torch_cnn.py") },
    {
      name: "PyTorch, channels last",
      goal: goals.torch,
      open: () => openTraining(folder, problem, "torch_cnn.py", { channelsLast: true }),
    },
    { name: "TensorFlow.js", goal: goals.tfjs, open: () => openOneBatch(folder, problem, "tfjs_cnn.mjs", { backend: "cpu" }) },
  ];
}

/** jax-js, jitted: microseconds per value and gradient. `round` also returns both, for the case to compare. */
export function gradientPeers(folder, problem, { repeats, goal }) {
  const open = async () => {
    const peer = await openPeer("jax_gradient.mjs", share(folder, problem));
    return {
      name: peer.version,
      close: peer.close,
      async round() {
        const { seconds, value, gradient } = await peer.run({ repeats });
        return { value: (seconds * 1e6) / repeats, loss: value, gradient };
      },
    };
  };
  return [{ name: "jax-js", goal, open }];
}
