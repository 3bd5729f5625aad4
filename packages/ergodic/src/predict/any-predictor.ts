import type { FactorPredictor } from "./factorisation.ts";
import type { LinearPredictor } from "./linear.ts";
import type { NetworkPredictor } from "./network.ts";

/** A predictor from a file; its `kind` ("linear", "network", "factorisation") tells which. */
export type AnyPredictor = LinearPredictor | NetworkPredictor | FactorPredictor;
