// Kernels of the family "coordinate": coordinate descent, duals, paths and factors.
export { factorComponent, factorGram, factorObjective, factorSolve, factorSweep } from "../learning/factors";
export { dualAscend, dualCollect, dualGap, dualShuffle, dualSquares } from "../learning/dual";
export * from "../learning/columns";
export { setScores, setScreen } from "../learning/set-scores";
export { setAlong, setModel, setSlope } from "../learning/set-model";
export { setCompact, setDirection, setGrow, setNorms, setOutputs, setSolve } from "../learning/working-set";
export { lossRows, lossRowsInto } from "../learning/loss-rows";
export { coordinateCall, coordinateEstimates, coordinateGram, coordinateLoss, coordinateMoves, coordinatePairs, coordinatePartials, coordinateRefresh } from "../engine/optimise/coordinate-moves";
