/**
 * Every search, one per line. The registry, the public entry, the command line and the conformance tests read this
 * list.
 */
export * from "./cma-es.ts";
export * from "./coordinate-search.ts";
export * from "./differential-evolution.ts";
export * from "./nelder-mead.ts";
export * from "./one-plus-one-es.ts";
export * from "./open-ai-es.ts";
export * from "./powell.ts";
export * from "./random-direction.ts";
export * from "./random-search.ts";
export * from "./simulated-annealing.ts";
export * from "./spsa.ts";
