/**
 * Kernels come in families, each a module of its own, so that a host downloads those that it runs:
 *
 * - training: random numbers, stochastic gradients, linear models
 * - coordinate: coordinate descent, duals, paths, factors, Newton's method
 * - arrays: what compiled functions of arrays call, and networks
 * - images: convolutions, patches, pools, circulant products
 * - sampling: chains, particles, their densities
 * - graphs: sweeps over the joint states of discrete variables
 *
 * kernels/families/ lists their kernels. Those of different families call each other through table slots alone.
 */
export type Family = "training" | "coordinate" | "arrays" | "images" | "sampling" | "graphs";

export const families: readonly Family[] = ["training", "coordinate", "arrays", "images", "sampling", "graphs"];

/** Families of what makes code itself, so that nothing is gained by kernels that a host compiled beforehand: no files have them. */
export const makesCode = (family: Family): boolean => family === "coordinate" || family === "sampling";

const starts: readonly (readonly [Family, RegExp])[] = [
  ["graphs", /^(clique|graph)/],
  ["images", /^(averagePool|circulant|convolution|depthwise|maxPool|patches)/],
  [
    "arrays",
    /^(areFinite|cholesky|copy$|cumulativeSum|elementwise|fill|gather(?!Batch)|gemm|loadRows|lu[FS]|network|scatter|triangular|zero$)/,
  ],
  ["coordinate", /^(column|coordinate(?!Walk)|dual|factor|hessian|lossRows|set)/],
  ["sampling", /Run$|^(blockDensity|firstStep|gatherBatch|gibbs|logDensity|particle|powerDensity)/],
];

/** By the kernel's name. A test holds it to kernels/families/. */
export function familyOf(kernel: string): Family {
  return starts.find(([, start]) => start.test(kernel))?.[0] ?? "training";
}
