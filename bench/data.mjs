/**
 * Problems for the benchmarks: seeded synthetic data, and a LIBSVM file for cases with real data.
 *
 * A dense problem is `{ format: "dense", rowCount, columnCount, values: Float32Array (row-major), target }`, a sparse
 * one `{ format: "sparse", rowCount, columnCount, rowStart, columnIndex: Uint32Array, values: Float32Array, target }`;
 * the target is a Float64Array of classes 0 and 1. `share` writes the arrays into a folder as raw little-endian
 * numbers, so that a peer in another process reads exactly the same bits. The generator is independent of the library
 * under test, so that a benchmark does not change with it.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** xoshiro128**, seeded by splitmix32. Source: Blackman and Vigna 2018. */
export function randomNumbers(seed) {
  let mixed = seed | 0;
  const mix = () => {
    mixed = (mixed + 0x9e3779b9) | 0;
    let z = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return z ^ (z >>> 15);
  };
  let a = mix();
  let b = mix();
  let c = mix();
  let d = mix();
  const bits = () => {
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result >>> 0;
  };
  const uniform = () => (bits() + 0.5) / 4294967296;
  let spare = NaN;
  const normal = () => {
    if (!Number.isNaN(spare)) {
      const kept = spare;
      spare = NaN;
      return kept;
    }
    const radius = Math.sqrt(-2 * Math.log(uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  return { bits, uniform, normal };
}

const sigmoid = (margin) => 1 / (1 + Math.exp(-margin));

/**
 * Returns true weights for which the margins have the standard deviation `signal`, if a row's squares add up to
 * `squares`.
 */
function trueWeights(random, columnCount, signal, squares) {
  const scale = signal / Math.sqrt(squares);
  return Float64Array.from({ length: columnCount }, () => random.normal() * scale);
}

/**
 * Normal features of variance 1 / columnCount, so that rows have a length of about 1, for which scikit-learn's default
 * rate is designed. Classes are drawn from a logistic model whose margins have the standard deviation `signal`.
 */
export function denseProblem({ rowCount, columnCount, seed, signal = 3 }) {
  const random = randomNumbers(seed);
  const weights = trueWeights(random, columnCount, signal, 1);
  const scale = 1 / Math.sqrt(columnCount);
  const values = new Float32Array(rowCount * columnCount);
  const target = new Float64Array(rowCount);
  for (let i = 0, at = 0; i < rowCount; i++) {
    let margin = 0.5;
    for (let j = 0; j < columnCount; j++, at++) {
      values[at] = random.normal() * scale;
      margin += weights[j] * values[at];
    }
    target[i] = random.uniform() < sigmoid(margin) ? 1 : 0;
  }
  return { format: "dense", rowCount, columnCount, values, target };
}

/**
 * `nonZeros` different columns per row; values of either sign, with sizes uniform in [0.5, 1]. All columns are equally
 * likely or, with `law`: "zipf", column j (from 0) is drawn with weight 1/(j + 10).
 */
export function sparseProblem({ rowCount, columnCount, nonZeros, seed, signal = 3, law }) {
  const random = randomNumbers(seed);
  const weights = trueWeights(random, columnCount, signal, (nonZeros * 7) / 12);
  const draw = law === "zipf" ? zipfColumns(random, columnCount) : () => Math.floor(random.uniform() * columnCount);
  const count = rowCount * nonZeros;
  const rowStart = Uint32Array.from({ length: rowCount + 1 }, (_, i) => i * nonZeros);
  const columnIndex = new Uint32Array(count);
  const values = new Float32Array(count);
  const target = new Float64Array(rowCount);
  const lastRowWith = new Int32Array(columnCount).fill(-1);
  for (let i = 0; i < rowCount; i++) {
    const row = columnIndex.subarray(i * nonZeros, (i + 1) * nonZeros);
    for (let k = 0; k < nonZeros; ) {
      const column = draw();
      if (lastRowWith[column] === i) continue;
      lastRowWith[column] = i;
      row[k++] = column;
    }
    row.sort();
    let margin = 0.5;
    for (let k = 0; k < nonZeros; k++) {
      const centred = random.uniform() - 0.5;
      const value = Math.fround(centred < 0 ? centred - 0.5 : centred + 0.5);
      values[i * nonZeros + k] = value;
      margin += weights[row[k]] * value;
    }
    target[i] = random.uniform() < sigmoid(margin) ? 1 : 0;
  }
  return { format: "sparse", rowCount, columnCount, rowStart, columnIndex, values, target };
}

/**
 * Uniform features and a numeric target with waves, steps and products of the first ten of them, with noise of standard
 * deviation 0.3. Features lie in [−1, 1.1), so that the target does not bend at a quantile where only some bins end.
 */
export function treesProblem({ rowCount, columnCount, seed }) {
  const random = randomNumbers(seed);
  const values = new Float32Array(rowCount * columnCount);
  const target = new Float64Array(rowCount);
  for (let i = 0, at = 0; i < rowCount; i++, at += columnCount) {
    for (let j = 0; j < columnCount; j++) values[at + j] = 2.1 * random.uniform() - 1;
    const x = values.subarray(at, at + columnCount);
    const bent = Math.sin(3 * x[0]) + 2 * x[1] * x[2] + (x[3] > 0.2 ? 1 : 0) + Math.abs(x[4]) + x[5] * x[6] * x[7];
    target[i] = bent + x[8] ** 2 + 0.3 * x[9] + 0.3 * random.normal();
  }
  return { rowCount, columnCount, values, target };
}

/** Draws columns by Zipf's law: a binary search in the cumulative shares. */
function zipfColumns(random, columnCount) {
  const sums = new Float64Array(columnCount);
  let sum = 0;
  for (let j = 0; j < columnCount; j++) sums[j] = sum += 1 / (j + 10);
  return () => {
    const wanted = random.uniform() * sum;
    let [low, high] = [0, columnCount - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle] < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/**
 * Pages described by their words (like w8a): columns of 0 and 1; frequent columns are hundreds of times as frequent as
 * rare ones, and columns of a topic occur together. A few percent of the rows are of class 1.
 */
export function pagesProblem({ rowCount, columnCount, seed, topics = 12 }) {
  const random = randomNumbers(seed);
  const shares = Float64Array.from({ length: columnCount }, (_, j) => 0.25 / (1 + 0.35 * j) ** 0.75);
  const topic = Uint8Array.from(shares, () => Math.floor(random.uniform() * topics));
  const weights = Float64Array.from(shares, () => random.normal() * 1.2);
  const rowStart = new Uint32Array(rowCount + 1);
  const target = new Float64Array(rowCount);
  const columnIndex = [];
  for (let i = 0; i < rowCount; i++) {
    const own = Math.floor(random.uniform() * topics);
    let margin = -5.2;
    for (let j = 0; j < columnCount; j++) {
      if (random.uniform() >= Math.min(0.9, shares[j] * (topic[j] === own ? 5 : 0.64))) continue;
      columnIndex.push(j);
      margin += weights[j];
    }
    target[i] = random.uniform() < sigmoid(margin) ? 1 : 0;
    rowStart[i + 1] = columnIndex.length;
  }
  const values = new Float32Array(columnIndex.length).fill(1);
  return { format: "sparse", rowCount, columnCount, rowStart, columnIndex: Uint32Array.from(columnIndex), values, target };
}

/** Parses a LIBSVM text of two classes; columns count from 1 in the file and from 0 here. */
export function parseLibsvm(text, source) {
  const rowStart = [0];
  const columnIndex = [];
  const values = [];
  const target = [];
  let columnCount = 0;
  text.split("\n").forEach((line, number) => {
    const [label, ...entries] = line.trim().split(/\s+/);
    if (label === "") return;
    target.push(Number(label) > 0 ? 1 : 0);
    for (const entry of entries) {
      const [column, value] = entry.split(":").map(Number);
      if (!(column >= 1) || !Number.isFinite(value)) throw new Error(`${source}:${number + 1}: "${entry}" is not column:value`);
      columnIndex.push(column - 1);
      values.push(value);
      columnCount = Math.max(columnCount, column);
    }
    rowStart.push(columnIndex.length);
  });
  return {
    format: "sparse",
    rowCount: target.length,
    columnCount,
    rowStart: Uint32Array.from(rowStart),
    columnIndex: Uint32Array.from(columnIndex),
    values: Float32Array.from(values),
    target: Float64Array.from(target),
  };
}

/** Returns the same rows with zeros stored. */
export function asDense({ rowCount, columnCount, rowStart, columnIndex, values, target }) {
  const dense = new Float32Array(rowCount * columnCount);
  for (let i = 0; i < rowCount; i++)
    for (let k = rowStart[i]; k < rowStart[i + 1]; k++) dense[i * columnCount + columnIndex[k]] = values[k];
  return { format: "dense", rowCount, columnCount, values: dense, target };
}

/**
 * Writes every array of `problem` into `folder`. Returns the problem with file names in place of the arrays, ready for
 * JSON.
 */
export function share(folder, problem) {
  const description = {};
  for (const [name, value] of Object.entries(problem)) {
    if (ArrayBuffer.isView(value)) {
      description[name] = join(folder, `${name}.raw`);
      writeFileSync(description[name], new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    } else if (typeof value === "number" || typeof value === "string") {
      description[name] = value;
    }
  }
  return description;
}
