/**
 * TensorFlow.js: predictions of single rows, with the layers of bench/cases/predict.mjs; reports the processor time of
 * each and the mean square of the predictions.
 */
import { floats, packages, problem, serve, versionOf } from "./lines.mjs";

const [module] = await packages("@tensorflow/tfjs");
const tf = module.default ?? module;
tf.env().set("PROD", true);
await tf.setBackend("cpu");

const { columns, rowCount, calls, kind } = problem;
const rows = floats(problem.x);
let weights = floats(problem.weights);
const layers = problem.widths
  .split(",")
  .map(Number)
  .map((units, k, widths) => {
    const inputs = k === 0 ? columns : widths[k - 1];
    const matrix = tf.tensor2d(weights.slice(0, inputs * units), [inputs, units]);
    const bias = tf.tensor1d(weights.slice(inputs * units, (inputs + 1) * units));
    weights = weights.subarray((inputs + 1) * units);
    return { matrix, bias };
  });
const given = Array.from({ length: rowCount }, (_, i) => Array.from(rows.subarray(i * columns, (i + 1) * columns)));

function predict(row) {
  const z = tf.tidy(() => {
    let x = tf.tensor2d([row]);
    layers.forEach(({ matrix, bias }, k) => {
      x = x.matMul(matrix).add(bias);
      if (k + 1 < layers.length) x = x.relu();
    });
    return kind === "linear" ? x.sigmoid() : x;
  });
  const [value] = z.dataSync();
  z.dispose();
  return value;
}

for (let i = 0; i < 2000; i++) predict(given[i % rowCount]);
await serve(`TensorFlow.js ${versionOf("@tensorflow/tfjs")} (cpu)`, () => {
  let total = 0;
  const before = process.cpuUsage();
  for (let i = 0; i < calls; i++) total += predict(given[i % rowCount]) ** 2;
  const { user, system } = process.cpuUsage(before);
  return { value: (user + system) / calls, loss: total / calls };
});
