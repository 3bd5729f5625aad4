import type { Certificate } from "../../engine/contract/index.ts";
import { checkChoice } from "../../engine/errors/checks.ts";
import { checkKeys, checkNumber, DataError, OptionError } from "../../engine/errors/errors.ts";
import { printable } from "../../engine/errors/printable.ts";
import { openEngine } from "../../engine/memory/engine.ts";
import { stream } from "../../engine/random/stream.ts";
import { type Certified, certifiedSum } from "../answers/index.ts";
import { exactOr } from "../infer/automatic.ts";
import { Inference } from "../infer/inference.ts";
import type { FactorGraph } from "../model/graph.ts";
import { annealedImportanceSampling } from "../sampling/ensembles/annealed-importance-sampling.ts";
import { MEMORY } from "./graph-learning.ts";

/** Log-likelihood of a graph's evidence, with its accuracy. */
export interface GraphLikelihood {
  /** ln of the probability of the observations, in nats per observed variable. */
  readonly value: number;
  /** Standard error of `value`. 0 if it is exact. */
  readonly error: number;
  /** Number of variables that `value` covers. */
  readonly count: number;
  /** Certificate of `value`. */
  readonly certificate: Certificate;
  /** "exact", or a description of the estimate. */
  readonly method: string;
}

/** Options of `likelihood()` of a learned graph. */
export interface GraphLikelihoodOptions {
  /**
   * Evidence to evaluate: the held-out evidence given all other evidence, or the evidence shown during learning.
   * Default "heldOut" if there is any.
   */
  of?: "heldOut" | "shown";
  /**
   * Time limit in seconds for exact elimination of a part of the graph. A part with a longer predicted time uses
   * annealed importance sampling. Default 10; > 0.
   */
  seconds?: number;
  /** Number of runs of annealed importance sampling. Default 500; >= 100. */
  particles?: number;
  /** Seed of these runs. Default 0; a whole number >= 0. */
  seed?: number;
  /** Number of threads. The answer does not depend on this number. Default 1. */
  workers?: number;
}

/** Settings of the likelihood computation. */
interface LikelihoodPlan {
  readonly seconds: number;
  readonly particles: number;
  readonly seed: number;
  readonly workers: number;
}

/** Implements `likelihood()` of a learned graph. `all` includes the held-out evidence, `shown` does not. */
export async function likelihoodIn(
  all: FactorGraph,
  shown: FactorGraph,
  isHeldOut: boolean,
  options: GraphLikelihoodOptions = {},
): Promise<GraphLikelihood> {
  const where = "likelihood";
  checkKeys(where, options, ["of", "seconds", "particles", "seed", "workers"]);
  const { of = isHeldOut ? "heldOut" : "shown", seconds = 10, particles = 500, seed = 0, workers = 1 } = options;
  checkChoice(where, "of", of, ["heldOut", "shown"]);
  checkNumber(where, "seconds", seconds, { low: 0, open: true });
  checkNumber(where, "particles", particles, { low: 100, integer: true });
  checkNumber(where, "seed", seed, { low: 0, high: Number.MAX_SAFE_INTEGER, integer: true });
  checkNumber(where, "workers", workers, { low: 1, high: 1024, integer: true });
  if (of === "heldOut" && !isHeldOut)
    throw new OptionError(
      where,
      'of is "heldOut", but nothing was held out; give fit heldOut: 0.2, or use "shown"',
      "OPTION_CONFLICT",
    );
  const plan = { seconds, particles, seed, workers };
  if (of === "heldOut") return likelihoodOf(all, shown, plan);
  const seen = Array.from({ length: shown.variableCount }, (_, v) => v).filter((v) => shown.observedState(v) >= 0);
  return likelihoodOf(shown, shown.withoutEvidence(seen), plan);
}

/**
 * Returns ln P(additional evidence of `all` | evidence of `given`) = ln Z(all) − ln Z(given), per additional variable.
 */
async function likelihoodOf(all: FactorGraph, given: FactorGraph, plan: LikelihoodPlan): Promise<GraphLikelihood> {
  const seen = ({ variableCount }: FactorGraph, of: FactorGraph): number =>
    Array.from({ length: variableCount }, (_, v): number => (of.observedState(v) >= 0 ? 1 : 0)).reduce((a, b) => a + b, 0);
  const count = seen(all, all) - seen(given, given);
  if (count === 0)
    throw new DataError(
      "likelihood",
      "no variable was observed, so there is no probability to compute (labels with probabilities are not observations); give observations with graph.observe()",
      "GRAPH_EVIDENCE",
    );
  const [clamped, free] = [await partition(all, plan, "clamped"), await partition(given, plan, "free")];
  const { value, certificate } = certifiedSum([clamped, { value: -free.value, certificate: negated(free.certificate) }]);
  return printable({
    value: value / count,
    error: Math.sqrt(clamped.variance + free.variance) / count,
    count,
    certificate: scaled(certificate, 1 / count),
    method: clamped.method === free.method ? free.method : `${clamped.method}; without what was observed: ${free.method}`,
  });
}

/** Returns ln Z and the variance of its estimate (0 if it is exact). */
async function partition(
  graph: FactorGraph,
  { seconds, particles, seed, workers }: LikelihoodPlan,
  name: string,
): Promise<Certified & { readonly variance: number; readonly method: string }> {
  const sampled = annealedImportanceSampling({ particles });
  // Identical parts need different seeds, so that their errors are independent.
  let part = 0;
  const own: typeof sampled = {
    ...sampled,
    start: (of, plan, engine) =>
      sampled.start(of, { ...plan, seed: stream(seed, "likelihood", name, part++).at(0).bits() }, engine),
  };
  const engine = await openEngine({ families: ["graphs"] });
  const inference = await Inference.open(
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
