/**
 * Every schedule, one per line. `scheduleFromJson`, the public entry, the command line and the conformance tests read
 * this list.
 */
export * from "./constant-rate.ts";
export * from "./cosine-decay.ts";
export * from "./exponential-decay.ts";
export * from "./inverse-time-decay.ts";
export * from "./optimal-rate.ts";
export * from "./step-decay.ts";
export * from "./warm-up.ts";
