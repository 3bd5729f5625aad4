// Kernels of the family "arrays": what functions of arrays call, and networks, images aside.
export { copy, zero } from "../fill";
export { areFiniteF32, areFiniteF64 } from "../finite";
export { gatherRowsF32, gatherRowsF64, scatterRowsF32, scatterRowsF64 } from "../gather";
export { loadRowsF32, loadRowsF64 } from "../load-rows";
export { fillNormalF32, fillNormalF64, fillUniformF32, fillUniformF64 } from "../fill-random";
export { cumulativeSumF32, cumulativeSumF64 } from "../cumulate";
export { choleskyF32, choleskyF64 } from "../cholesky";
export { luFactorF32, luFactorF64, luSolveF32, luSolveF64 } from "../lu";
export { triangularSolveF32, triangularSolveF64 } from "../triangular";
export { gemmF32, gemmF64 } from "../gemm";
export { elementwiseF32, elementwiseF64 } from "../elementwise";
export { networkGradient, networkObjective, networkTouch } from "../network";
