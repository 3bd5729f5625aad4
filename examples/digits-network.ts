/**
 * A small convolutional network on hand-written digits of 8 × 8 pixels: trained, tested, saved, loaded again, asked.
 *
 * Run: ergodic example digits-network
 */
import { fileURLToPath } from "node:url";
import { read } from "@ergodic/ingest";
import { adam, cnn, fit, type NetworkPredictor, network, predictor } from "ergodic";

const file = fileURLToPath(new URL("../packages/cli/data/digits.csv", import.meta.url));

export async function main(print: (line: string) => void = console.log, out = "digits.safetensors"): Promise<number> {
  const data = await read(file, { target: "label", classes: true, rowShape: [8, 8, 1] });
  const { train, test } = data.split(0.8, { seed: 1, stratify: true });
  const layers = cnn({ channels: [16, 32], hidden: 64, outputs: 10 });
  const trained = await fit(network(layers), train, { rule: adam({ rate: 0.002 }), batch: 32, epochs: 15, seed: 1 });
  const { epochs, loss, seconds } = trained.run;
  print(`${epochs} epochs in ${seconds.toFixed(1)} s, mean loss of the last ${loss.toFixed(4)}`);
  const accuracy = trained.evaluate(test).accuracy!;
  print(`${(100 * accuracy).toFixed(1)} % of ${test.rowCount} held-out digits right`);
  await trained.save(out);
  const [first] = (await predictor<NetworkPredictor>(out)).predict(test);
  print(`the first of them is a ${first.value}, says the file`);
  return accuracy;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
