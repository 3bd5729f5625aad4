// Kernels of the family "arrays": array functions and networks, except images.
export { copy, zero } from "../engine/arrays/fill";
export { areFiniteF32, areFiniteF64 } from "../engine/arrays/finite";
export { gatherRowsF32, gatherRowsF64, scatterRowsF32, scatterRowsF64 } from "../engine/arrays/gather";
export { loadRowsF32, loadRowsF64 } from "../engine/arrays/load-rows";
export { fillNormalF32, fillNormalF64, fillUniformF32, fillUniformF64 } from "../engine/arrays/fill-random";
export { cumulativeSumF32, cumulativeSumF64 } from "../engine/arrays/cumulate";
export { choleskyF32, choleskyF64 } from "../engine/arrays/cholesky";
export { luFactorF32, luFactorF64, luSolveF32, luSolveF64 } from "../engine/arrays/lu";
export { triangularSolveF32, triangularSolveF64 } from "../engine/arrays/triangular";
export { gemmF32, gemmF64 } from "../engine/arrays/gemm";
export { elementwiseF32, elementwiseF64 } from "../engine/arrays/elementwise";
export { networkGradient, networkObjective, networkTouch } from "../engine/arrays/network";
