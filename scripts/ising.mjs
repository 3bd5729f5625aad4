/**
 * node scripts/ising.mjs [--sides 8,16,32] [--temperatures 1.8,2.1,2.269,2.5,3] [--sweeps N]: energy and heat capacity a site of Ising magnets on tori by
 * replicaGibbs' and graphGibbs' kernels, each with its standard error and the distance from the exact value in such errors. Some minutes.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({
  options: {
    sides: { type: "string", default: "8,16,32" },
    temperatures: { type: "string", default: "1.8,2.1,2.269,2.5,3" },
    sweeps: { type: "string", default: "100000" },
  },
});
const numbers = (text) => text.split(",").map(Number);

const folder = mkdtempSync(join(tmpdir(), "ergodic-ising-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const sources = join(root, "packages/ergodic");
await build({
  stdin: {
    contents:
      'export * from "./test/reference/ising.ts"; export { openEngine } from "./src/host/engine.ts"; import "./src/at-start.ts";',
    resolveDir: sources,
  },
  outfile: join(folder, "ising.mjs"),
  ...{ bundle: true, format: "esm", platform: "node", target: "es2023", ignoreAnnotations: true, logLevel: "error" },
});
const { chromaticMoments, exactMoments, openEngine, replicaMoments } = await import(
  pathToFileURL(join(folder, "ising.mjs")).href
);
const engine = await openEngine({ families: ["graphs"] });
const sweeps = Number(values.sweeps);

for (const side of numbers(values.sides))
  for (const temperature of numbers(values.temperatures)) {
    const exact = exactMoments(join(root, `../shared/data/graphs/ising/islogdos${side}x${side}.txt`), side, temperature);
    for (const [name, found] of [
      ["replicas", replicaMoments(engine, side, temperature, { warmup: 10 * side ** 3, sweeps, every: 4 })],
      ["chromatic", chromaticMoments(engine, side, temperature, { warmup: 2000, sweeps: 10 * sweeps, every: 4 })],
    ]) {
      const energy = (found.energy - exact.energy) / found.energyError;
      const capacity = (found.capacity - exact.capacity) / found.capacityError;
      const share = (100 * found.energyError) / Math.abs(exact.energy);
      process.stdout.write(
        `${side} × ${side}, T = ${temperature}, ${name}: energy ${found.energy.toFixed(5)} (MCSE ${share.toFixed(3)} %, off by ${energy.toFixed(1)}), heat capacity ${found.capacity.toFixed(4)} ± ${found.capacityError.toFixed(4)} (off by ${capacity.toFixed(1)})\n`,
      );
    }
  }
