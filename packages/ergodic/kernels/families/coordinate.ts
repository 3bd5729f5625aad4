// Kernels of the family "coordinate": coordinate descent, duals, paths, factors, and Newton's method.
export { factorComponent, factorGram, factorObjective, factorSolve, factorSweep } from "../factors";
export { dualAscend, dualCollect, dualGap, dualShuffle, dualSquares } from "../dual";
export * from "../columns";
export { setScores, setScreen } from "../set-scores";
export { setAlong, setModel, setSlope } from "../set-model";
export { setCompact, setDirection, setGrow, setNorms, setOutputs, setSolve } from "../working-set";
export { lossRows, lossRowsInto } from "../loss-rows";
export { coordinateCall, coordinateEstimates, coordinateGram, coordinateLoss, coordinateMoves, coordinatePairs, coordinatePartials, coordinateRefresh } from "../coordinate-moves";
export * from "../hessian";
