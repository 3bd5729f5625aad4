/** Log densities that are plain functions. */
export { type FunctionDensity, type FunctionDensityOptions, functionDensity } from "./function-density.ts";
