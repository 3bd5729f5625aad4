/**
 * npm run accuracy [-- NAME …] [--seeds N]: accuracy of networks on MNIST's test set (8000 images for training, 2000
 * for testing), with the size of each network.
 *
 * Each network is trained with Adam on batches of 32; the rate falls from 0.001 along a cosine, and images are shifted
 * at random by up to two cells. Reports mean and range over three seeds (or --seeds).
 */
import { parseArgs } from "node:util";
import { openErgodic } from "./ergodic.mjs";
import { mnistDatasets, mnistProblem } from "./mnist.mjs";

const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { seeds: { type: "string", default: "3" } },
});
const SEEDS = Array.from({ length: Number(values.seeds) }, (_, i) => i + 1);
const BATCH = 32;
const IMAGE = [28, 28, 1];

const ergodic = await openErgodic();
const { adam, circulantNet, cnn, cosineDecay, countNetwork, fit, mlp, mobileNetV1, mobileNetV2, network } = ergodic;
const { randomShift, sequential, shuffleNetV1, shuffleNetV2 } = ergodic;
const outputs = 10;
const small = { outputs, form: "small" };
const networks = {
  mlp: { epochs: 30, shift: 1, make: () => mlp([256], { outputs, dropout: 0.1 }) },
  cnn: { epochs: 12, shift: 2, make: () => cnn({ outputs }) },
  mobileNetV1: { epochs: 12, shift: 2, make: () => mobileNetV1({ ...small, width: 0.5 }) },
  mobileNetV2: { epochs: 12, shift: 2, make: () => mobileNetV2({ ...small, width: 0.35 }) },
  shuffleNetV1: { epochs: 12, shift: 2, make: () => shuffleNetV1({ ...small, groups: 2, width: 0.25 }) },
  shuffleNetV2: { epochs: 12, shift: 2, make: () => shuffleNetV2({ ...small, width: 0.5 }) },
  circulant: { epochs: 15, shift: 2, make: () => circulantNet({ outputs }) },
};

const { train, test } = mnistDatasets(ergodic, mnistProblem(ergodic));
for (const [name, { epochs, shift, make }] of Object.entries(networks)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const { parameters, multiplyAdds } = countNetwork(make(), IMAGE);
  const updates = Math.ceil(train.rowCount / BATCH) * epochs;
  const reached = [];
  for (const seed of SEEDS) {
    const model = network(sequential([randomShift(shift), make()]));
    const rule = adam({ rate: cosineDecay({ rate: 0.001, updates }) });
    const trained = await fit(model, train, { rule, batch: BATCH, epochs, seed });
    reached.push(100 * trained.evaluate(test).accuracy);
  }
  const mean = reached.reduce((a, b) => a + b, 0) / reached.length;
  const range = `${Math.min(...reached).toFixed(2)} … ${Math.max(...reached).toFixed(2)}`;
  const size = `${parameters.toLocaleString("en")} parameters  ${(multiplyAdds / 1e6).toFixed(2)} M multiply-adds`;
  process.stdout.write(`${name.padEnd(14)} ${mean.toFixed(2)} %  (${range})  ${epochs} epochs  ${size}\n`);
}
