import { exactOr } from "../../algorithms/inference/automatic.ts";
import { Inference } from "../../algorithms/inference/inference.ts";
import { annealedImportanceSampling } from "../../algorithms/tempering/annealed-importance-sampling.ts";
import { type Certified, certifiedSum } from "../../answers/index.ts";
import { stream } from "../../base/stream.ts";
import type { Certificate } from "../../contract.ts";
import { openEngine } from "../../host/engine.ts";
import type { FactorGraph } from "../../models/graphs/graph.ts";
import type { GraphLikelihood } from "./graph.ts";
import { MEMORY } from "./graph-learning.ts";

/** How the likelihood is found. */
interface LikelihoodPlan {
  readonly seconds: number;
  readonly particles: number;
  readonly seed: number;
  readonly workers: number;
}

/** ln of the probability of what `all` has observed and `given` has not, given the rest, by variable: ln Z(all) − ln Z(given). */
export async function likelihoodOf(all: FactorGraph, given: FactorGraph, plan: LikelihoodPlan): Promise<GraphLikelihood> {
  const seen = ({ variableCount }: FactorGraph, of: FactorGraph): number =>
    Array.from({ length: variableCount }, (_, v): number => (of.observedState(v) >= 0 ? 1 : 0)).reduce((a, b) => a + b, 0);
  const count = seen(all, all) - seen(given, given);
  const [clamped, free] = [await partition(all, plan, "clamped"), await partition(given, plan, "free")];
  const { value, certificate } = certifiedSum([clamped, { value: -free.value, certificate: negated(free.certificate) }]);
  return {
    value: value / count,
    error: Math.sqrt(clamped.variance + free.variance) / count,
    count,
    certificate: scaled(certificate, 1 / count),
    method: clamped.method === free.method ? free.method : `${clamped.method}; without what was observed: ${free.method}`,
  };
}

/** ln Z, and the variance of its estimate: 0 where all of it is exact. */
async function partition(
  graph: FactorGraph,
  { seconds, particles, seed, workers }: LikelihoodPlan,
  name: string,
): Promise<Certified & { readonly variance: number; readonly method: string }> {
  const sampled = annealedImportanceSampling({ particles });
  // Parts alike must not have errors alike.
  let part = 0;
  const own: typeof sampled = {
    ...sampled,
    start: (of, plan, engine) =>
      sampled.start(of, { ...plan, seed: stream(seed, "likelihood", name, part++).at(0).bits() }, engine),
  };
  const engine = await openEngine({ families: ["graphs"] });
  const inference = new Inference(
    graph.factorTables("partition"),
    exactOr(own),
    { task: "partition", seed, workers, memory: MEMORY, seconds },
    engine,
  );
  try {
    while (!inference.converged) await inference.advance(64);
    const found = inference.found().map(({ answer }) => answer!);
    const sums = found.map(({ logZ }) => logZ!);
    const estimated = found.filter(({ logZ }) => logZ!.error !== undefined);
    const exact = { value: inference.reduction.scale, certificate: { exact: true } } as const;
    return {
      ...certifiedSum([exact, ...sums]),
      variance: sums.reduce((sum, { error = 0 }) => sum + error * error, 0),
      method:
        estimated.length === 0
          ? "exact"
          : `${estimated[0].method}${found.length > 1 ? ` (${estimated.length} of ${found.length} parts)` : ""}`,
    };
  } finally {
    inference.dispose();
  }
}

function negated(certificate: Certificate): Certificate {
  if (!("interval" in certificate)) return certificate;
  const [from, to] = certificate.interval as readonly [number, number];
  return { interval: [-to, -from], level: certificate.level };
}

function scaled(certificate: Certificate, by: number): Certificate {
  if (!("interval" in certificate)) return certificate;
  const [from, to] = certificate.interval as readonly [number, number];
  return { interval: [from * by, to * by], level: certificate.level };
}
