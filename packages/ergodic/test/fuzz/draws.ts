/** Damaged draws files, through their readers and all functions that process draws. */
import { readDrawsArrow, writeDrawsArrow } from "@ergodic/ingest/draws";
import { Draws, fromCmdStanCsv, loadDraws, toCmdStanCsv, toDataFrame } from "../../src/entries/everything.ts";
import { type FuzzResult, fuzz, type Target } from "./mutate.ts";

/** Two chains of a Hamiltonian sampler, because more functions than the summary read its trajectory statistics. */
function example(): Draws {
  const [chains, count] = [2, 12];
  const length = chains * count;
  const wave = (size: number, scale: number) =>
    Float64Array.from({ length: length * size }, (_, k) => scale * Math.sin(3 * k + 1));
  const fields = ["logDensity", "acceptance", "stepSize", "treeDepth", "leapfrogs", "divergent", "energy"];
  const numbers = (k: number) => [-k, 0.8, 0.5, 1 + (k % 3), 7, k === 5 ? 1 : 0, k + 1];
  return new Draws({
    chains,
    count,
    quantities: [
      { name: "mu", shape: [], kind: "parameter" },
      { name: "theta", shape: [2], kind: "parameter" },
      { name: "L", shape: [2, 2], kind: "generated" },
    ],
    values: { mu: wave(1, 1), theta: wave(2, 10), L: wave(4, 100) },
    fields,
    transitions: Float64Array.from(Array.from({ length }, (_, k) => numbers(k)).flat()),
    description: { model: "m", algorithm: { algorithm: "nuts", maxTreeDepth: 10 }, plan: { warmup: 10, draws: count, seed: 1 } },
    report: { divergences: 1 },
  });
}

/** Everything that can be computed from draws without their model. */
function use(draws: Draws): void {
  String(draws);
  draws.summary();
  draws.treeDepths();
  draws.energy();
  toDataFrame(draws);
  JSON.stringify(draws.toJSON());
}

const encode = (text: string) => new TextEncoder().encode(text);

let targets: Promise<Target[]> | undefined;

async function made(): Promise<Target[]> {
  const draws = example();
  const csv = toCmdStanCsv(draws, 0);
  const plain = csv
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .join("\n");
  const arrow = await writeDrawsArrow(draws);
  const load = async (bytes: Uint8Array) => use(await loadDraws(bytes));
  const beside = encode(toCmdStanCsv(draws, 1));
  return [
    { name: "CSV", bytes: encode(csv), read: load },
    { name: "CSV of two chains", bytes: encode(csv), read: async (bytes) => use(await loadDraws([bytes, beside])) },
    { name: "CSV without comments", bytes: encode(plain), read: load },
    { name: "CSV text", bytes: encode(plain), read: async (bytes) => use(fromCmdStanCsv([new TextDecoder().decode(bytes)])) },
    { name: "JSON", bytes: encode(JSON.stringify(draws.toJSON())), read: load },
    { name: "Arrow", bytes: arrow, read: async (bytes) => use(await readDrawsArrow(bytes)) },
  ];
}

export function drawsTargets(): Promise<Target[]> {
  targets ??= made();
  return targets;
}

export async function run(cases: number, seed: number): Promise<FuzzResult> {
  return fuzz(await drawsTargets(), cases, seed);
}
