// Kernels of the family "graphs": sweeps over the joint states of variables, and over variables.
export {
  cliqueDivide, cliqueExtremes, cliqueLogSum, cliqueMax, cliqueScale, cliqueSubtract, cliqueSum,
} from "../clique";
export {
  cliqueSparseLogSum, cliqueSparseMax, cliqueSparseSum, cliqueSupportBuild, cliqueSupportCount,
} from "../clique-support";
export { graphBlocks } from "../graph-blocks";
export { graphScan, graphScore, graphSettle, graphSweep } from "../graph-gibbs";
export { graphMoved, graphOwnGradient, graphOwnTerms, graphPseudo, graphStatistics, graphTerms } from "../graph-learning";
export { graphValue } from "../graph-value";
export { graphReplicas, graphSettleReplicas, graphTally } from "../replica-gibbs";
export { graphReplicaCounts, graphReplicaEmpty, graphReplicaOnes, graphReplicaTrade } from "../replica-ladder";
