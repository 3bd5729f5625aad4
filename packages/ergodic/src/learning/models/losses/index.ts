/** Every loss, one line each. `lossFromJson`, the public entry, types and the conformance tests read this list. */
export * from "./epsilon-insensitive.ts";
export * from "./hinge.ts";
export * from "./huber.ts";
export * from "./logistic.ts";
export * from "./multinomial.ts";
export * from "./poisson.ts";
export * from "./quantile.ts";
export * from "./squared.ts";
export * from "./squared-hinge.ts";
