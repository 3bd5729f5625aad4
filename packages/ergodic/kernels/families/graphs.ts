// Kernels of the family "graphs": sweeps over the joint states of variables.
export {
  cliqueDivide, cliqueExtremes, cliqueLogSum, cliqueMax, cliqueScale, cliqueSubtract, cliqueSum,
} from "../clique";
export {
  cliqueSparseLogSum, cliqueSparseMax, cliqueSparseSum, cliqueSupportBuild, cliqueSupportCount,
} from "../clique-support";
