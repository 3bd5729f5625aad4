/** Log densities made from plain functions. */
export { type FunctionDensity, type FunctionDensityOptions, functionDensity } from "./function-density.ts";
