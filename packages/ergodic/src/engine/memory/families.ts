/**
 * Families of kernels. Each family is a module of its own, so that a host downloads only the kernels that it runs:
 *
 * - training: random numbers, stochastic gradients, linear models
 * - coordinate: coordinate descent, duals, paths, factors
 * - hessian: Newton's method
 * - arrays: kernels that compiled functions of arrays call, and networks
 * - images: convolutions, patches, pools, circulant products
 * - sampling: chains, particles, their densities
 * - trees: bins, histograms and divisions of trees
 * - graphs: sweeps over the joint states of discrete variables
 *
 * kernels/families/ lists the kernels of each family. There is no other table of kernels, because a loaded module knows
 * its exports. A family groups the kernels that a page downloads together. The folders of kernels/ instead follow the
 * folders of src/. The groupings differ for "training", "coordinate" and "hessian", which divide the kernels of
 * learning/ and engine/ by algorithm. Kernels of different families call each other only through table slots.
 */
export type Family = "training" | "coordinate" | "arrays" | "images" | "sampling" | "graphs" | "hessian" | "trees";

/** Name of one kernel per family, by which a compiled module is recognised. */
const marks: Readonly<Record<Family, string>> = {
  training: "descend",
  coordinate: "coordinateMoves",
  arrays: "copy",
  images: "patchesF32",
  sampling: "nutsRun",
  graphs: "graphSweep",
  hessian: "hessianDenseF64",
  trees: "treesHistogram",
};

export const families = Object.keys(marks) as readonly Family[];

/** Returns the family of a compiled module, or undefined if the module contains no kernels of this library. */
export function familyOfModule(module: WebAssembly.Module): Family | undefined {
  const names = new Set(WebAssembly.Module.exports(module).map(({ name }) => name));
  return families.find((family) => names.has(marks[family]));
}

/**
 * Whether the algorithms of a family also generate code at run time. Hosts that forbid generated code cannot use such a
 * family, so its .wasm files are not published.
 */
export const makesCode = (family: Family): boolean => ["coordinate", "sampling", "hessian", "trees"].includes(family);

/**
 * Names of the kernels in "images", without F32 or F64. Array programs and network plans call these kernels and the
 * kernels of "arrays".
 */
const images: ReadonlySet<string> = new Set(
  "averagePool averagePoolInput circulant circulantInput circulantWeight convolution convolutionInput convolutionWeight depthwise depthwiseInput depthwiseWeight maxPool maxPoolInput patches patchesInput".split(
    " ",
  ),
);

/**
 * Returns the family of a kernel that an array program or a plan calls. `kernel`: its name without F32 or F64. A test
 * compares this function with kernels/families/.
 */
export const familyOfArrayKernel = (kernel: string): Family => (images.has(kernel) ? "images" : "arrays");
