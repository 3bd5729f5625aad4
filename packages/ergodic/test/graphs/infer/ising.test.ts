/**
 * The Ising model on an 8 × 8 torus. Its numbers of states per energy are known, so ln Z is exact at any temperature.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  annealedImportanceSampling,
  elimination,
  infer,
  loopyBeliefPropagation,
  miniBuckets,
  naiveMeanField,
} from "../../../src/entries/everything.ts";
import { isSlow } from "../../power.ts";
import { heldTo } from "../../reference/held-to-certificate.ts";
import { graphOf, gridEdges } from "../../reference/random-graph.ts";

const file = fileURLToPath(new URL("../../../../../../shared/data/graphs/ising/islogdos8x8.txt", import.meta.url));
const present = existsSync(file);
if (!present) console.log(`skipped: the 8 × 8 Ising model, since there is no ${file}`);
/** Values below, near and above the critical point of 0.4407. */
const betas = [0.1, 0.3, 0.4406868, 0.6, 1];
const edges = gridEdges(8, 8, true);

/** ln of the number of states with energy −128, −124, …, 128. */
const counts = (): number[] =>
  readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => Number(line.replace(/`.*/, "")));

function exactLogZ(beta: number): number {
  const terms = counts().map((count, i) => (count < 0 ? -Infinity : count - beta * (4 * i - 128)));
  const high = Math.max(...terms);
  return high + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - high), 0));
}

const ising = (beta: number) =>
  graphOf(
    Array(64).fill(2),
    edges.map((scope) => ({ scope: [...scope], values: [Math.exp(beta), Math.exp(-beta), Math.exp(-beta), Math.exp(beta)] })),
  );

describe.skipIf(!present)("the 8 × 8 Ising model", () => {
  it.each(betas)("eliminates exactly at β = %d", async (beta) => {
    const { logZ } = await infer(ising(beta), { task: "partition", algorithm: elimination() });
    expect(Math.abs(logZ - exactLogZ(beta))).toBeLessThan(1e-9);
  });

  it.each(betas)("computes valid bounds and reports the error of estimates at β = %d", async (beta) => {
    const truth = exactLogZ(beta);
    for (const algorithm of [miniBuckets(), naiveMeanField()]) {
      const { logZ, logZCertificate } = await infer(ising(beta), { task: "partition", algorithm });
      expect(Object.keys(logZCertificate)).toContain("lower");
      expect(heldTo(logZCertificate, logZ, truth)).toBe("holds");
    }
    const bethe = await infer(ising(beta), { task: "partition", algorithm: loopyBeliefPropagation() });
    expect(Object.keys(bethe.logZCertificate)).toEqual(["none"]);
  });

  // Runs are longest at the largest values, and all take the same path.
  it.each(isSlow ? betas : betas.slice(0, 3))(
    "covers ln Z with an interval of annealed importance sampling at β = %d",
    async (beta) => {
      const truth = exactLogZ(beta);
      const algorithm = annealedImportanceSampling({ particles: 200, temperatures: 600, level: 0.9999 });
      const { logZ, logZCertificate } = await infer(ising(beta), { task: "partition", algorithm, seed: 1 });
      console.log(
        `annealed importance sampling at β ${beta}: ${(logZ - truth).toFixed(4)} off, ${JSON.stringify(logZCertificate)}`,
      );
      expect(Object.keys(logZCertificate)).toContain("interval");
      // One false alarm in five has a probability of 5e-4. annealed.test.ts tests the coverage of intervals.
      expect(heldTo(logZCertificate, logZ, truth)).toBe("holds");
    },
  );
});
