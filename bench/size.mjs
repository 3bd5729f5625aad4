/**
 * Sizes of the benchmarks. run.mjs sets the environment variable from `--tiny` and `--long` before it imports the
 * cases, and child processes inherit it.
 *
 * At tiny size a case takes about a second, so that a test can run all of them. It shows that a case works, not how
 * fast the code is.
 */
const size = () => process.env.ERGODIC_BENCH_SIZE;

export const isTiny = () => size() === "tiny";

/** Returns the value for the size of this run. `long`: only for a case whose usual size is reduced to fit three minutes. */
export function sized(usual, tiny, long = usual) {
  if (isTiny()) return tiny;
  return size() === "long" ? long : usual;
}
