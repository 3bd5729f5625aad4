/**
 * Forty posteriors with exact answers, drawn from a fixed stream: twenty with several modes (mixtures.ts) and twenty
 * with one (unimodal.ts).
 *
 * They judge verdicts: a trusted run must be right. They were chosen without regard to the performance of any sampler.
 */

import type { SampleData, Sampled } from "../../../src/bayes/sample.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import type { Marginal } from "./marginals.ts";
import { drawMixture, type Part } from "./mixtures.ts";
import { drawUnimodal } from "./unimodal.ts";

export type Kind = "modes" | "curved" | "heavy" | "edge" | "hierarchical";

export interface Drawn {
  readonly name: string;
  readonly kind: Kind;
  readonly model: Sampled;
  readonly data: SampleData;
  /** Exact distributions of some quantities. */
  readonly marginals: readonly Marginal[];
  /** log p of the unconstrained numbers, up to a constant, written without the library. */
  logDensity(u: ArrayLike<number> & Iterable<number>): number;
  /** The modes, if they are normals. */
  readonly parts?: readonly Part[];
}

const SEED = 20_261_201;
const COUNT = 20;

export const posteriors: readonly Drawn[] = [
  ...Array.from({ length: COUNT }, (_, i) => drawMixture(i, stream(SEED, "verdicts", "modes").at(i))),
  ...Array.from({ length: COUNT }, (_, i) => drawUnimodal(i, stream(SEED, "verdicts", "one mode").at(i))),
];

/** Seed of run `k` of a posterior. */
export const seedOf = (name: string, k: number): number =>
  stream(SEED, "verdicts", "run", name)
    .at(k)
    .integer(2 ** 31);
