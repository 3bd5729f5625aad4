/** Small data and networks, and their numbers by name. Shared by the tests of training. */
import { readFileSync } from "node:fs";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import {
  batchNorm,
  Dataset,
  dense,
  dropout,
  type LayerLike,
  type NetworkModel,
  type NetworkPredictor,
  noise,
  relu,
} from "../../../../src/entries/everything.ts";
import { planOf } from "../bound-network.ts";

/** Two classes that no line separates: two numbers have equal or different signs. */
export function signs(rows: number, type: "f32" | "f64" = "f32", seed = 1): Dataset {
  const draws = stream(seed, "signs").at(0);
  const x = Array.from({ length: rows }, () => [draws.normal(), draws.normal(), draws.normal()]);
  return Dataset.fromArrays({ x, y: x.map(([a, b]) => (a * b > 0 ? "same" : "other")), type });
}

export function digits(): { train: Dataset; test: Dataset } {
  const file = readFileSync(new URL("../../../../../cli/data/digits.csv", import.meta.url), "utf8");
  const rows = file
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split(",").map(Number));
  const all = Dataset.fromArrays({
    x: rows.map((row) => row.slice(0, 64)),
    y: rows.map((row) => row[64]),
    classes: true,
    rowShape: [8, 8, 1],
  });
  return all.split(0.8, { seed: 1 });
}

/** The numbers of the file by name. */
export const numbersOf = (model: NetworkPredictor): Record<string, number[]> =>
  Object.fromEntries(
    Object.entries((model as unknown as { tensors(): Record<string, { values: ArrayLike<number> }> }).tensors()).map(
      ([name, { values }]) => [name, Array.from(values)],
    ),
  );

/** The numbers before training. */
export async function startOf(model: NetworkModel, data: Dataset, seed: number): Promise<Record<string, number[]>> {
  const problem = model.bind(data, planOf({ seed }), await openEngine());
  const { tensors } = model.save(data, problem.start);
  problem.dispose();
  return Object.fromEntries(Object.entries(tensors).map(([name, values]) => [name, Array.from(values)]));
}

export const bytesOf = (model: NetworkPredictor): string => Buffer.from(model.toBytes()).toString("base64");
/** Batch norm, dropout and noise: everything that is special in an update. */
export const stirred = (outputs = 1): LayerLike[] => [noise(0.05), dense(12), batchNorm(), relu(), dropout(0.2), dense(outputs)];
export const small = { epochs: 3, batch: 16, seed: 5 };
