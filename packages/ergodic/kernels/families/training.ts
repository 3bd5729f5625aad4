// Kernels of the family "training": random numbers, stochastic gradients and linear models.
export { drawRows, fill as randomFill, bits as randomBits, exponential as randomExponential, integer as randomInteger, normal as randomNormal, philox, philoxWord, seek as randomSeek, uniform as randomUniform } from "../random";
export { shuffle } from "../shuffle";
export { log } from "../log";
export { normalQuantile } from "../normal-quantile";
export { descend } from "../descend";
export * from "../linear";
export { sweepGradient, sweepLoss } from "../sweep";
export { average } from "../average";
export { groupShrink } from "../group";
export { searchStep } from "../search";
export { fixedStep } from "../fixed";
export { decayStep, openDecay } from "../decay";
export { exp } from "../exp";
