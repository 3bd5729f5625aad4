/** Distributions, and the types that they share. */
export * from "./all.ts";
export type { Constraint, NumberOf, Support, Values } from "./constraint.ts";
export {
  type Definition,
  type DistributionOf,
  distribution,
  distributionNames,
  distributionOf,
  type Parameter,
} from "./distribution.ts";
export type { Family, SymbolicParameters } from "./family.ts";
export { type DistributionRow, distributionLedger } from "./ledger.ts";
export { Distribution, type Inputs, type SampleOptions } from "./value.ts";
