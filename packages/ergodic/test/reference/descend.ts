/**
 * Plain twin of kernels/engine/optimise/descend.ts with kernels/learning/linear.ts, in float64. It runs one lane of
 * updates on rows given as [column, value] pairs, with several outputs, batches, control variates, and penalties
 * weighted by the inverse probability of being touched. The rule runs in the compiler's interpreter.
 */
import { type EquationRule, RuleRunner } from "../../src/engine/optimise/index.ts";
import { dotTwin, type Entry } from "./linear-gradient.ts";

export interface LaneTwin {
  rows: readonly (readonly Entry[])[];
  y: readonly number[];
  outputs: number;
  stride: number;
  loss: (z: number[], y: number) => { value: number; dz: number[] };
  rule: EquationRule;
  variance?: "saga" | "sag" | "svrg";
  /** Whether rows touch only their own coordinates. */
  sparse: boolean;
  l1: number;
  l2: number;
  /** 1 for penalised parameters, 0 for others, one per parameter. */
  penaltyWeights: readonly number[];
  /** Whether a penalty with this largest weight is applied implicitly. */
  damped: (largestShare: number) => boolean;
  batch: number;
  /** Rows of an epoch in order of visit. `from`: number of the first update. */
  order: (epoch: number, from: number) => number[];
}

export function descendTwin(lane: LaneTwin, epochs: number): { parameters: number[]; evaluation: number[]; lossSum: number } {
  const { rows, y, outputs, stride, rule, variance, sparse, l1, l2, batch } = lane;
  const count = outputs * stride;
  const chance = touchChance(lane);
  const penalised = l1 > 0 || l2 > 0;
  const options = {
    count,
    precision: "f64" as const,
    interpret: true,
    indexed: sparse,
    share: penalised,
    base: variance !== undefined,
    reach: variance !== undefined && sparse,
  };
  const share = (j: number, weight: number): number => (chance[j] > 0 ? weight / chance[j] : 0);
  const damped = sparse && lane.damped(Math.max(...lane.penaltyWeights.map((w, j) => share(j, w))));
  using runner = new RuleRunner(rule, { ...options, damped, l1: l1 > 0, l2: l2 > 0 }, null);
  if (penalised) runner.vector("share").set(lane.penaltyWeights.map((w, j) => share(j, w)));
  if (options.reach) runner.vector("reach").set(chance.map((_, j) => share(j, 1)));
  const table = rows.map(() => new Array<number>(outputs).fill(0));
  const mean = new Float64Array(count);
  const n = rows.length;
  const epochUpdates = Math.ceil(n / batch);
  const at = (i: number) =>
    lane.loss(
      Array.from({ length: outputs }, (_, k) => dotTwin(rows[i], runner.parameters().subarray(k * stride)).value),
      y[i],
    );
  const addRow = (into: Float64Array, i: number, dz: number[], factor: number): void => {
    for (const [j, x] of rows[i]) for (let k = 0; k < outputs; k++) into[k * stride + j] += factor * dz[k] * x;
  };
  let lossSum = 0;
  for (let epoch = 0, update = 0; epoch < epochs; epoch++) {
    if (variance === "svrg") {
      mean.fill(0);
      for (let i = 0; i < n; i++) addRow(mean, i, (table[i] = at(i).dz), 1 / n);
    }
    const order = lane.order(epoch, update);
    for (let from = 0; from < n; from += batch, update++) {
      const listed = order.slice(from, from + batch);
      const results = listed.map((i) => at(i));
      const change = new Float64Array(count);
      const share = 1 / (variance === "sag" ? n : listed.length);
      listed.forEach((i, b) => {
        const now = results[b].dz;
        const used = variance ? now.map((d, k) => d - table[i][k]) : now;
        if (variance && variance !== "svrg") table[i] = now;
        addRow(change, i, used, share);
      });
      const loss = results.reduce((sum, r) => sum + r.value, 0) / listed.length;
      lossSum += loss * listed.length;
      const touched = sparse ? touchedBy(lane, listed) : Array.from(change, (_, j) => j);
      if (options.base) runner.vector("base").set(mean);
      if (sparse) runner.indices().set(touched);
      runner.gradient().set(touched.map((j) => change[j]));
      runner.step(loss, { l1, l2, epochUpdates, touched: touched.length });
      if (variance === "saga") for (let j = 0; j < count; j++) mean[j] += (change[j] * listed.length) / n;
      if (variance === "sag") for (let j = 0; j < count; j++) mean[j] += change[j];
    }
  }
  return { parameters: [...runner.parameters()], evaluation: [...runner.evaluationPoint()], lossSum };
}

function touchedBy({ rows, outputs, stride }: LaneTwin, listed: number[]): number[] {
  const columns = new Set(listed.flatMap((i) => rows[i].map(([j]) => j)));
  return Array.from({ length: outputs }, (_, k) => [...columns].map((j) => k * stride + j)).flat();
}

function touchChance({ rows, outputs, stride, sparse, batch }: LaneTwin): number[] {
  const columns = Array.from({ length: stride }, (_, j) => rows.filter((row) => row.some(([c]) => c === j)).length / rows.length);
  return Array.from({ length: outputs }, () => columns.map((density) => (sparse ? 1 - (1 - density) ** batch : 1))).flat();
}
