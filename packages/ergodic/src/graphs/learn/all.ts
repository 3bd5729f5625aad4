/**
 * Exports every graph learner, one per line. The registry, the public entry point and the conformance tests read this
 * list.
 */
export { type ContrastiveDivergenceOptions, contrastiveDivergence } from "./contrastive-divergence.ts";
export { exactLikelihood } from "./exact-likelihood.ts";
export { pseudoLikelihood } from "./pseudo-likelihood.ts";
