/**
 * jax-js on its WebAssembly backend: value and gradient of the mean logistic loss of networks.mjs, jitted; every call
 * reads both.
 */
import { floats, packages, problem, serve, versionOf } from "./lines.mjs";

const [jax] = await packages("@jax-js/jax");
const { numpy: np, nn, init, defaultDevice, jit, valueAndGrad } = jax;
await init("wasm");
defaultDevice("wasm");

const x = np.array(floats(problem.x)).reshape([problem.rowCount, problem.columnCount]);
const y = np.array(floats(problem.y));
const w = np.array(floats(problem.w));

const loss = (w, x, y) => {
  const z = np.matmul(x, w);
  return nn.softplus(z.ref).sub(y.mul(z)).mean();
};
const gradientOf = jit(valueAndGrad(loss));

function run({ repeats }) {
  let value;
  let gradient;
  const start = performance.now();
  for (let i = 0; i < repeats; i++) {
    const [v, g] = gradientOf(w.ref, x.ref, y.ref);
    value = v.dataSync()[0];
    gradient = g.dataSync();
  }
  return { seconds: (performance.now() - start) / 1000, value, gradient: [...gradient] };
}

await serve(`jax-js ${versionOf("@jax-js/jax")} (wasm)`, run);
