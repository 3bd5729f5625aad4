// Kernels of the family "training": random numbers, stochastic gradients and linear models.
export { drawRows, fill as randomFill, bits as randomBits, exponential as randomExponential, integer as randomInteger, normal as randomNormal, philox, philoxWord, seek as randomSeek, uniform as randomUniform } from "../engine/random/random";
export { shuffle } from "../engine/random/shuffle";
export { log } from "../engine/numbers/log";
export { normalQuantile } from "../engine/numbers/normal-quantile";
export { descend } from "../engine/optimise/descend";
export * from "../learning/linear";
export { sweepGradient, sweepLoss } from "../learning/sweep";
export { average } from "../engine/optimise/average";
export { groupShrink } from "../engine/optimise/group";
export { searchStep } from "../engine/optimise/search";
export { fixedStep } from "../engine/optimise/fixed";
export { decayStep, openDecay } from "../engine/optimise/decay";
export { exp } from "../engine/numbers/exp";
