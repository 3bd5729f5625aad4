/**
 * Number of starts that lead to each mode of a posterior. A mode that few starts reach can be missed, and does not
 * count against a verdict.
 */

import { DensityPoint } from "../../../src/bayes/approximate/density-point.ts";
import { scouted } from "../../../src/bayes/places/scouts.ts";
import type { LogDensity } from "../../../src/engine/contract/index.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import type { Part } from "./mixtures.ts";
import type { Drawn } from "./posteriors.ts";

const STARTS = 100;
const LEAST_REACHED = 0.15;
const EVALUATIONS = 1000;

/**
 * Share of starts that lead to the least reached mode. Reaching a narrow mode also counts as reaching the broad mode
 * around it.
 */
export async function leastReached({ model, data, parts }: Drawn): Promise<number> {
  if (!parts) return 1;
  const density = "condition" in model ? await model.condition(data as never) : (model as LogDensity);
  const point = new DensityPoint(await openEngine(), density, "reach");
  const plan = { chains: 1, warmup: 1, draws: 1, seed: 17, workers: 1, deterministic: true };
  const counts = parts.map(() => 0);
  for (let i = 0; i < STARTS; i++) {
    const found = await scouted(point, density, plan, i, EVALUATIONS);
    const end = found[found.length - 1];
    if (end) for (const [k, part] of parts.entries()) if (holds(part, end.normal.mean)) counts[k]++;
  }
  point.dispose();
  return Math.min(...counts) / STARTS;
}

export const isReached = (share: number): boolean => share >= LEAST_REACHED;

function holds({ mean, sd }: Part, x: ArrayLike<number>): boolean {
  const d = mean.length;
  const squares = mean.reduce((total, m, i) => total + ((x[i] - m) / sd) ** 2, 0);
  return squares <= d + 2 * Math.sqrt(2 * d);
}
