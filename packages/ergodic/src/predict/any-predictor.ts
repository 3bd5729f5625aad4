import type { FactorPredictor } from "./factorisation.ts";
import type { LinearPredictor } from "./linear.ts";
import type { NetworkPredictor } from "./network.ts";
import type { TreesPredictor } from "./trees/trees.ts";

/** A predictor loaded from a file. The predictor's `kind` is "linear", "network", "trees" or "factorisation". */
export type AnyPredictor = LinearPredictor | NetworkPredictor | TreesPredictor | FactorPredictor;
