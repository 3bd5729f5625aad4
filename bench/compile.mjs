/**
 * node bench/compile.mjs: milliseconds from a network to its linked update, for each network of bench/accuracy.mjs, on
 * batches of 64, float32. Each network is compiled alone in a fresh process ("cold") and once more for another batch
 * size ("warm").
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** Internal functions, bundled for this script. */
const contents = `
  export { openEngine } from "./engine/memory/engine.ts";
  export { cnn, circulantNet, mlp, mobileNetV1, mobileNetV2, shuffleNetV1, shuffleNetV2 } from "./learning/models/neural/index.ts";
  export { layOutParameters, outputsOf, updateProgram } from "./learning/models/neural/programs.ts";
  export { multinomial } from "./learning/models/losses/index.ts";
  export { linkArrays } from "./engine/compiler/array/link.ts";`;
const resolveDir = fileURLToPath(new URL("../packages/ergodic/src", import.meta.url));

async function openParts() {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir },
    bundle: true,
    format: "esm",
    platform: "node",
    write: false,
  });
  return await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}

const outputs = 10;
const small = { outputs, form: "small" };
const networks = {
  mlp: ({ mlp }) => mlp([256], { outputs }),
  cnn: ({ cnn }) => cnn({ outputs }),
  mobileNetV1: ({ mobileNetV1 }) => mobileNetV1({ ...small, width: 0.5 }),
  mobileNetV2: ({ mobileNetV2 }) => mobileNetV2({ ...small, width: 0.35 }),
  shuffleNetV1: ({ shuffleNetV1 }) => shuffleNetV1({ ...small, groups: 2, width: 0.25 }),
  shuffleNetV2: ({ shuffleNetV2 }) => shuffleNetV2({ ...small, width: 0.5 }),
  circulant: ({ circulantNet }) => circulantNet({ outputs }),
};

async function compile(name) {
  const parts = await openParts();
  const { layOutParameters, outputsOf, updateProgram, linkArrays } = parts;
  const engine = await parts.openEngine();
  const network = networks[name](parts);
  const facts = { network, loss: parts.multinomial(), outputs, rowShape: [28, 28, 1], scale: { mean: 0.1, factor: 3 } };
  const times = [64, 63].map((batch) => {
    const start = performance.now();
    const layout = layOutParameters(outputsOf(facts, 2, true));
    linkArrays(engine, updateProgram(facts, batch, "f32", layout));
    return (performance.now() - start).toFixed(0);
  });
  process.stdout.write(`${name.padEnd(14)} cold ${times[0]} ms, warm ${times[1]} ms\n`);
}

const [name] = process.argv.slice(2);
if (name) await compile(name);
else
  for (const each of Object.keys(networks))
    spawnSync(process.execPath, [fileURLToPath(import.meta.url), each], { stdio: "inherit" });
