/**
 * node scripts/ising.mjs [--sides 8,16,32] [--temperatures 1.8,2.1,2.269,2.5,3] [--sweeps N]: computes energy and heat
 * capacity per site of Ising magnets on tori with the kernels of replicaGibbs and graphGibbs. Prints each with its
 * standard error and its distance from the exact value in standard errors. Takes some minutes.
 *
 * --infer SECONDS: instead runs `infer` with its own choice of algorithm for that time, on one worker. Prints the error
 * of ln Z and the width of its interval, the widest interval of a marginal, and the number of intervals that miss 1/2.
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
    infer: { type: "string" },
  },
});
const numbers = (text) => text.split(",").map(Number);

const folder = mkdtempSync(join(tmpdir(), "ergodic-ising-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const sources = join(root, "packages/ergodic");
await build({
  stdin: {
    contents:
      'export * from "./test/reference/ising.ts"; export { factorGraph, infer } from "./src/index.ts"; export { openEngine } from "./src/host/engine.ts"; import "./src/at-start.ts";',
    resolveDir: sources,
  },
  outfile: join(folder, "ising.mjs"),
  ...{
    bundle: true,
    format: "esm",
    platform: "node",
    target: "es2023",
    ignoreAnnotations: true,
    logLevel: "error",
  },
});
const { chromaticMoments, exactMoments, factorGraph, infer, openEngine, replicaMoments } = await import(
  pathToFileURL(join(folder, "ising.mjs")).href
);
const engine = await openEngine({ families: ["graphs"] });
const sweeps = Number(values.sweeps);

async function inferred(side, temperature, truth) {
  const sites = side * side;
  const graph = factorGraph();
  for (let site = 0; site < sites; site++) graph.variable();
  // Factor e^β for equal neighbours, e^-β for others.
  const coupling = graph.weight("coupling", 1 / temperature);
  for (let site = 0; site < sites; site++) {
    const [row, column] = [Math.floor(site / side), site % side];
    graph.equal([site, row * side + ((column + 1) % side)], { weight: coupling });
    graph.equal([site, ((row + 1) % side) * side + column], { weight: coupling });
  }
  const answer = await infer(graph, { until: { seconds: Number(values.infer) } });
  const ends = ({ interval, exact }, value) => (exact ? [value, value] : (interval ?? [-Infinity, Infinity]));
  const [low, high] = ends(answer.logZCertificate, answer.logZ);
  let [widest, missed] = [0, 0];
  for (let site = 0; site < sites; site++) {
    const { certificate, p } = answer.marginal(site);
    const [from, to] = certificate.interval?.[0] ?? ends(certificate, p[0]);
    widest = Math.max(widest, to - from);
    if (from > 0.5 + 1e-9 || to < 0.5 - 1e-9) missed++;
  }
  return `ln Z off by ${(answer.logZ - truth).toFixed(4)}, width ${(high - low).toFixed(3)}; marginals' widest ${widest.toFixed(3)}, missed ${missed}; ${answer.method}`;
}

for (const side of numbers(values.sides))
  for (const temperature of numbers(values.temperatures)) {
    const exact = exactMoments(join(root, `../shared/data/graphs/ising/islogdos${side}x${side}.txt`), side, temperature);
    if (values.infer !== undefined) {
      process.stdout.write(`${side} × ${side}, T = ${temperature}: ${await inferred(side, temperature, exact.logZ)}\n`);
      continue;
    }
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
