/**
 * Every step rule, one per line. The registry, the public entry, the command line and the conformance tests read this
 * list.
 */
export * from "./adadelta.ts";
export * from "./adagrad.ts";
export * from "./adam.ts";
export * from "./adamax.ts";
export * from "./adamw.ts";
export * from "./ali-g.ts";
export * from "./amsgrad.ts";
export * from "./averaging.ts";
export * from "./backtracking.ts";
export * from "./clip-norm.ts";
export * from "./clip-value.ts";
export * from "./exact-line-search.ts";
export * from "./lbfgs.ts";
export * from "./lion.ts";
export * from "./momentum.ts";
export * from "./nadam.ts";
export * from "./nesterov.ts";
export * from "./polyak.ts";
export * from "./polyak-estimated.ts";
export * from "./prodigy.ts";
export * from "./radam.ts";
export * from "./rmsprop.ts";
export * from "./schedule-free-adam.ts";
export * from "./schedule-free-sgd.ts";
export * from "./sgd.ts";
export * from "./sps-max.ts";
export * from "./stochastic-line-search.ts";
export * from "./strong-wolfe.ts";
export * from "./weight-decay.ts";
