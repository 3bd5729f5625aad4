// A Cloudflare Worker, as somebody would write it: predictions from files, one with the kernels that were deployed with it; and what it cannot do.
import { Dataset, fit, linear, minimize, openEngine } from "ergodic";
import arrays from "ergodic/kernels/arrays.wasm";
import training from "ergodic/kernels/training.wasm";
import { predictor } from "ergodic/predict";
import linearBytes from "./linear.safetensors";
import networkBytes from "./network.safetensors";

/** @type {<T>(make: () => Promise<T>) => Promise<T | string>} */
const told = (make) => make().catch((error) => `${error.name}: ${error.message}`);

/** @param {ArrayBuffer} bytes @param {Record<string, number>} row */
async function predicted(bytes, row) {
  const model = /** @type {import("ergodic").LinearPredictor} */ (await predictor(new Uint8Array(bytes)));
  return model.predict(row).value;
}

export default {
  /** @param {Request} request */
  async fetch(request) {
    const { row, rows, deploys } = await request.json();
    const opened = () => openEngine({ kernels: [training, arrays] });
    // Before anything else.
    const engine = deploys ? await opened() : undefined;
    const data = Dataset.fromArrays({ x: rows, y: rows.map(/** @param {number[]} row */ ([a, b]) => a + b) });
    const found = {
      linear: await predicted(linearBytes, row),
      network: await told(() => predicted(networkBytes, row)),
      trained: await told(async () => (await fit(linear(), data, { epochs: 2 })).weights.length),
      minimised: (await minimize(([a, b]) => (a - 1) ** 2 + b ** 2, [3, 4], { evaluations: 400, seed: 1 })).value,
      engine: engine?.describe(),
      again: await told(async () => (await opened()) === engine),
    };
    return new Response(JSON.stringify(found));
  },
};
