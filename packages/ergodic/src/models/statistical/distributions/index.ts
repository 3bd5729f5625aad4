/** Distributions: those of this library, and how to define others. */
import { reserveDistributionNames } from "./distribution.ts";

export { distributionNames, distributionOf } from "./by-name.ts";
export type { Constraint, NumberOf, Support, Values } from "./constraint.ts";
export {
  type Definition,
  type DistributionOf,
  distribution,
  type Parameter,
} from "./distribution.ts";
export type { Family, SymbolicParameters } from "./family.ts";
export * from "./library.ts";
export type { Bounds } from "./truncated.ts";
export { Distribution, type Inputs, type SampleOptions } from "./value.ts";

reserveDistributionNames();
