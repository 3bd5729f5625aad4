// Kernels of the family "graphs": sweeps over the joint states of cliques, and Gibbs sweeps over variables.
export {
  cliqueDivide, cliqueExtremes, cliqueLogSum, cliqueMax, cliqueScale, cliqueSubtract, cliqueSum,
} from "../graphs/clique";
export {
  cliqueSparseLogSum, cliqueSparseMax, cliqueSparseSum, cliqueSupportBuild, cliqueSupportCount,
} from "../graphs/clique-support";
export { graphBlocks } from "../graphs/graph-blocks";
export { graphScan, graphScore, graphSettle, graphSweep } from "../graphs/graph-gibbs";
export { graphMoved, graphOwnGradient, graphOwnTerms, graphPseudo, graphStatistics, graphTerms } from "../graphs/graph-learning";
export { graphValue } from "../graphs/graph-value";
export { graphReplicas, graphSettleReplicas, graphTally } from "../graphs/replica-gibbs";
export { graphReplicaCounts, graphReplicaEmpty, graphReplicaOnes, graphReplicaTrade } from "../graphs/replica-exchange";
