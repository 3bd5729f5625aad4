/**
 * jax-js on its WebAssembly backend: C = A B of float32 matrices of several sizes, jitted.
 *
 * The problem names a file of operands and the `sizes` of square products; A of size s is the file's first s² numbers,
 * B its last. A run makes `repeats[i]` consecutive products of size i, waits for each, and repeats this `tries` times.
 * It reports the seconds of one product of each size in the fastest try, and the sum of C's elements.
 */
import { floats, packages, problem, serve, versionOf } from "./lines.mjs";

const [jax] = await packages("@jax-js/jax");
const { numpy: np, init, defaultDevice, jit, blockUntilReady } = jax;
await init("wasm");
defaultDevice("wasm");

const operands = floats(problem.operands);
const matmul = jit((a, b) => np.matmul(a, b));
const pairs = problem.sizes.map((size) => {
  const square = (from) => np.array(operands.slice(from, from + size * size)).reshape([size, size]);
  return [square(0), square(operands.length - size * size)];
});
await blockUntilReady(pairs);

async function multiplied(a, b) {
  const product = matmul(a.ref, b.ref);
  await product.blockUntilReady();
  return product;
}

async function run({ repeats, tries }) {
  const seconds = [];
  const sums = [];
  for (const [at, [a, b]] of pairs.entries()) {
    let least = Infinity;
    for (let attempt = 0; attempt < tries; attempt++) {
      const start = performance.now();
      for (let i = 0; i < repeats[at]; i++) (await multiplied(a, b)).dispose();
      least = Math.min(least, performance.now() - start);
    }
    seconds.push(least / 1000 / repeats[at]);
    sums.push((await (await multiplied(a, b)).data()).reduce((sum, value) => sum + value, 0));
  }
  return { seconds, sums };
}

await serve(`jax-js ${versionOf("@jax-js/jax")} (wasm)`, run);
