// Kernels of the family "sampling": chains, particles and their densities.
export { logDensityGradient } from "../log-density";
export { firstStep } from "../hamiltonian";
export { nutsRun } from "../nuts";
export { hmcRun } from "../hmc";
export { blockDensity, powerDensity } from "../block-density";
export { gibbsDiscrete } from "../gibbs-discrete";
export { particleDensities, particleMoves } from "../particle-moves";
export { gatherBatch } from "../stochastic-gradient-rows";
export { stochasticGradientRun } from "../stochastic-gradient";
export { randomWalkRun } from "../random-walk";
export { coordinateWalkRun } from "../metropolis-within-gibbs";
export { sliceRun } from "../slice";
export { ellipticalSliceRun } from "../elliptical-slice";
