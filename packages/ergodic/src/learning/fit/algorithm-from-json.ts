/** Readers of algorithms by the name in their JSON, one line each. Checkpoints are resumed with them. */

import type { Algorithm, JsonObject } from "../../engine/contract/index.ts";
import { checkNamedJson } from "../../engine/errors/checks.ts";
import { DataError } from "../../engine/errors/errors.ts";
import type { GradientDescent } from "../../engine/optimise/fits.ts";
import { ruleFromJson } from "../../engine/optimise/index.ts";
import type { RuleJson } from "../../engine/optimise/kinds.ts";
import { varianceFromJson } from "../../engine/optimise/variance.ts";
import { alternatingFrom } from "../coordinates/alternating.ts";
import { coordinateDescentFrom } from "../coordinates/coordinate-descent.ts";
import { dualCoordinateDescentFrom } from "../coordinates/dual-coordinate-descent.ts";
import { factorDescentFrom } from "../coordinates/factor-descent.ts";
import { gradientDescent } from "../descent/gradient-descent.ts";
import { newtonCholeskyFrom } from "../newton/newton-cholesky.ts";
import { bagging, boosting } from "../trees/boosting.ts";

const algorithms: Readonly<Record<string, (json: JsonObject) => Algorithm>> = {
  gradientDescent: gradientDescentFrom,
  coordinateDescent: coordinateDescentFrom,
  dualCoordinateDescent: dualCoordinateDescentFrom,
  alternatingLeastSquares: alternatingFrom,
  factorCoordinateDescent: factorDescentFrom,
  newtonCholesky: newtonCholeskyFrom,
  boosting,
  bagging,
};

/** Returns the algorithm that `toJSON` described. */
export function algorithmFromJson(json: JsonObject): Algorithm {
  checkNamedJson("algorithmFromJson", json, "algorithm", "an algorithm");
  const name = json.algorithm as string;
  const make = Object.hasOwn(algorithms, name) ? algorithms[name] : undefined;
  if (make) return make(json);
  throw new DataError(
    "algorithm",
    `"${name.slice(0, 60)}" is not an algorithm of this version (known: ${Object.keys(algorithms).join(", ")}); was it saved by a newer one?`,
    "CHECKPOINT_FORMAT",
  );
}

/** Defined here rather than next to gradientDescent(), which would otherwise import every rule. */
function gradientDescentFrom(json: JsonObject): GradientDescent {
  return gradientDescent({
    rule: ruleFromJson(json.rule as unknown as RuleJson),
    ...(json.preconditioned ? { preconditioned: true } : {}),
    ...(json.variance ? { variance: varianceFromJson(json.variance as JsonObject) } : {}),
  });
}
