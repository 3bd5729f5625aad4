/** Coverage of ln Z by the intervals of annealed importance sampling, compared with enumeration. */
import { expect, it } from "vitest";
import { stream } from "../../../src/engine/random/stream.ts";
import { annealedImportanceSampling, infer } from "../../../src/entries/everything.ts";
import { power } from "../../power.ts";
import { binomialLimit } from "../../reference/binomial-limit.ts";
import { enumerateGraph } from "../../reference/enumerate-graph.ts";
import { pairwiseGraph } from "../../reference/random-graph.ts";

const edges = Array.from({ length: 7 }, (_, a) => Array.from({ length: a }, (_, b): [number, number] => [a, b])).flat();

it("intervals cover ln Z at least 95 % of the time, and half as wide ones do not", async () => {
  const runs = power(40, 250);
  let [intervals, missed, missedByHalf] = [0, 0, 0];
  for (let seed = 0; seed < runs; seed++) {
    const draws = stream(seed, "annealed").at(0);
    const graph = pairwiseGraph(7, edges, 1, () => draws.normal());
    const truth = enumerateGraph(graph).logZ;
    const algorithm = annealedImportanceSampling({ particles: 100, temperatures: 100, level: 0.95 });
    const { logZ, logZCertificate } = await infer(graph, { task: "partition", algorithm, seed });
    if (!("interval" in logZCertificate)) continue;
    intervals++;
    const [low, high] = logZCertificate.interval as readonly [number, number];
    if (truth < low || truth > high) missed++;
    if (truth < logZ - (logZ - low) / 2 || truth > logZ + (high - logZ) / 2) missedByHalf++;
  }
  console.log(`annealed importance sampling: ${intervals} intervals at 95 %, ${missed} missed, ${missedByHalf} if half as wide`);
  expect(intervals).toBeGreaterThan(0.8 * runs);
  // This many misses have a probability of 1e-4. Intervals half as wide would miss a third of the time.
  const limit = binomialLimit(intervals, 0.05, 1e-4);
  expect(missed).toBeLessThan(limit);
  expect(missedByHalf).toBeGreaterThanOrEqual(limit);
});
