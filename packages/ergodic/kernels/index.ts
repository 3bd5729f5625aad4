// The kernels that the engine loads, an explicit list: one file a kernel.
export { drawRows, fill as randomFill, bits as randomBits, exponential as randomExponential, integer as randomInteger, normal as randomNormal, philox, philoxWord, seek as randomSeek, uniform as randomUniform } from "./random";
export { shuffle } from "./shuffle";
export { log } from "./log";
export { normalQuantile } from "./normal-quantile";
export { descend } from "./descend";
export * from "./linear";
export { sweepGradient, sweepLoss } from "./sweep";
export { average } from "./average";
export { groupShrink } from "./group";
export { searchStep } from "./search";
export { fixedStep } from "./fixed";
export { decayStep, openDecay } from "./decay";
