// Kernels of the family "sampling": chains, particles and their densities.
export { logDensityGradient } from "../bayes/log-density";
export { firstStep } from "../bayes/hamiltonian";
export { nutsRun } from "../bayes/nuts";
export { hmcRun } from "../bayes/hmc";
export { blockDensity, powerDensity } from "../bayes/block-density";
export { gibbsDiscrete } from "../bayes/gibbs-discrete";
export { particleDensities, particleMoves } from "../bayes/particle-moves";
export { gatherBatch } from "../bayes/stochastic-gradient-rows";
export { stochasticGradientRun } from "../bayes/stochastic-gradient";
export { randomWalkRun } from "../bayes/random-walk";
export { coordinateWalkRun } from "../bayes/metropolis-within-gibbs";
export { sliceRun } from "../bayes/slice";
export { ellipticalSliceRun } from "../bayes/elliptical-slice";
