/**
 * MNIST's test set as a problem: 10,000 shuffled images, 8000 for training and 2000 for testing.
 *
 * Images are float32 pixels / 255, row-major, [n, 28, 28, 1]; labels are bytes 0 … 9. The shuffle is Fisher–Yates from
 * the first row, with the library's stream(1, "mnist"), whose numbers are fixed by golden values. `share` of data.mjs
 * writes the arrays, so that every peer trains on the same rows. The files are parsed here, not by the library's
 * readers.
 *
 * `node bench/mnist.mjs FOLDER` writes the four arrays into FOLDER as raw little-endian numbers, and prints their
 * description as JSON on stdout.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { share } from "./data.mjs";
import { openErgodic } from "./ergodic.mjs";
import { Skipped } from "./peer.mjs";

const FOLDER = "../shared/data/vision/";
const SEED = 1;
const TRAIN = 8000;
const SIDE = 28;
const PIXELS = SIDE * SIDE;
const CLASSES = 10;

/** Returns the data of an IDX file of bytes, after a header that must contain `shape`. */
function idxBytes(name, shape) {
  const file = fileURLToPath(new URL(`../${FOLDER}${name}`, import.meta.url));
  if (!existsSync(file)) throw new Skipped(`${FOLDER}${name} is not here`);
  const bytes = gunzipSync(readFileSync(file));
  const header = [0x0800 + shape.length, ...shape];
  const found = header.map((_, k) => bytes.readUInt32BE(4 * k));
  const size = shape.reduce((product, length) => product * length, 1);
  if (String(found) === String(header) && bytes.length === 4 * header.length + size) return bytes.subarray(4 * header.length);
  throw new Error(`${FOLDER}${name}: the header is ${found} and ${bytes.length} bytes follow; MNIST's test set is ${header}`);
}

function shuffled(count, draws) {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = 0; i < count - 1; i++) {
    const j = i + draws.integer(count - i);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** `order`: the rows of the file in the order of the images. */
export function mnistProblem({ stream }) {
  const rowCount = 10_000;
  const pixels = idxBytes("t10k-images-idx3-ubyte.gz", [rowCount, SIDE, SIDE]);
  const labels = idxBytes("t10k-labels-idx1-ubyte.gz", [rowCount]);
  const order = shuffled(rowCount, stream(SEED, "mnist").at(0));
  const images = new Float32Array(rowCount * PIXELS);
  order.forEach((row, i) => {
    for (let j = 0; j < PIXELS; j++) images[i * PIXELS + j] = pixels[row * PIXELS + j] / 255;
  });
  const classes = Uint8Array.from(order, (row) => labels[row]);
  return {
    format: "images",
    rowCount: TRAIN,
    testRowCount: rowCount - TRAIN,
    height: SIDE,
    width: SIDE,
    channels: 1,
    classCount: CLASSES,
    trainImages: images.subarray(0, TRAIN * PIXELS),
    trainLabels: classes.subarray(0, TRAIN),
    testImages: images.subarray(TRAIN * PIXELS),
    testLabels: classes.subarray(TRAIN),
    order,
  };
}

/** Returns the problem with the first `rowCount` training images only. */
export function firstRows(problem, rowCount) {
  const { trainImages, trainLabels } = problem;
  return {
    ...problem,
    rowCount,
    trainImages: trainImages.subarray(0, rowCount * PIXELS),
    trainLabels: trainLabels.subarray(0, rowCount),
  };
}

/** The same rows as datasets of the library: shape [28, 28, 1], ten classes. */
export function mnistDatasets({ Dataset }, { height, width, channels, trainImages, trainLabels, testImages, testLabels }) {
  const dataset = (values, y) =>
    Dataset.fromArrays({
      x: { values, columnCount: height * width * channels },
      y,
      classes: true,
      rowShape: [height, width, channels],
      type: "f32",
      source: "mnist",
    });
  return { train: dataset(trainImages, trainLabels), test: dataset(testImages, testLabels) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2];
  if (folder === undefined) {
    console.error("mnist: no folder was given; usage: node bench/mnist.mjs FOLDER");
    process.exit(2);
  }
  mkdirSync(folder, { recursive: true });
  const problem = mnistProblem(await openErgodic());
  console.log(JSON.stringify(share(folder, problem), null, 2));
}
