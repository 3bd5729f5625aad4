/**
 * gradient-small: value and gradient of a logistic loss on 100 rows of 10 columns, float32, in consecutive calls.
 *
 * Both sides hold the rows and are called from JavaScript; a call ends when the gradient can be read. The arithmetic
 * takes about 1 µs, and the rest is call overhead.
 */
import { openCompiler } from "../ergodic.mjs";
import { gradientPeers, gradientProblem } from "../networks.mjs";
import { sized } from "../size.mjs";

const REPEATS = sized(20_000, 20);
/** Fewer calls, because jax-js takes tens of microseconds per call. */
const PEER_REPEATS = sized(2000, 20);
const TOLERANCE = 1e-5;

async function ours(problem) {
  const { compileFunction, add, matmul, mean, mul, neg, softplus } = await openCompiler();
  const { rowCount, columnCount } = problem;
  // log(1 + exp z) − y z
  const f = await compileFunction(
    { w: [columnCount], x: [rowCount, columnCount], y: [rowCount] },
    ({ w, x, y }) => {
      const z = matmul(x, w);
      return mean(add(softplus(z), neg(mul(y, z))));
    },
    { gradient: ["w"], precision: "f32" },
  );
  for (const name of ["w", "x", "y"]) f.inputs[name].set(problem[name]);
  return {
    name: "ergodic compileFunction",
    async round() {
      const start = performance.now();
      for (let i = 0; i < REPEATS; i++) f.run();
      const seconds = (performance.now() - start) / 1000;
      return { value: (seconds * 1e6) / REPEATS, loss: f.outputs.value[0], gradient: [...f.gradients.w] };
    },
  };
}

function compare(ours, theirs) {
  const off = Math.max(...ours.rounds[0].gradient.map((g, i) => Math.abs(g - theirs.rounds[0].gradient[i])));
  return { text: `gradients differ by ${off.toExponential(1)} (may be ${TOLERANCE})`, passed: off <= TOLERANCE };
}

export default {
  name: "gradient-small",
  measures: "value and gradient of a logistic loss, 100 × 10, float32: microseconds a call",
  metric: "µs",
  better: "less",
  makeData: (folder) => ({ folder, ...gradientProblem() }),
  ours,
  peers: ({ folder, ...problem }) => gradientPeers(folder, problem, { repeats: PEER_REPEATS, goal: 15 }),
  compare,
};
