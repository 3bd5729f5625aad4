/**
 * Finds valid models that are probably mistakes. Such models observe a value that depends on parameters, or use an
 * unbounded parameter where a distribution needs a positive number. The description of draws stores the hints, the
 * verdict repeats them, and the command line prints them before sampling.
 */

import { userLine } from "../../engine/compiler/array/position.ts";
import { arrayPrimitiveOf } from "../../engine/compiler/array/primitive.ts";
import { arraysBelow, type SymbolicArray } from "../../engine/compiler/index.ts";
import type { Distribution } from "../distributions/index.ts";
import type { Hint, TracedParameter } from "./context.ts";

export type ParametersByValue = ReadonlyMap<SymbolicArray, TracedParameter>;

/** Hint about a model that observes `value`; undefined if the value depends only on data. */
export function observationHint(value: SymbolicArray, { name }: Distribution, parameters: ParametersByValue): Hint | undefined {
  const whole = parameterOf(value, parameters);
  if (whole)
    return {
      code: "observedParameter",
      text: `observe() is applied to the parameter "${whole.name}", which then counts as an observation in loo(), predict() and check()${userLine()}`,
      advice: `if it is meant as a prior, write param("${whole.name}", ${name}(…))`,
    };
  const moved = arraysBelow([value]).filter(({ op, attributes }) => op === "input" && String(attributes).startsWith("u "));
  if (moved.length === 0) return undefined;
  const names = moved.map(({ attributes }) => `"${String(attributes).slice(2)}"`).join(", ");
  return {
    code: "jacobian",
    text: `observe() is applied to an expression that depends on ${names}, and no Jacobian is added${userLine()}`,
    advice:
      "unless it is linear in them, add log |∂value/∂parameter| with target(), or observe data and write the expression into the distribution",
  };
}

/** Hint about an unbounded parameter used where a distribution needs a non-negative number. */
export function unboundedHint(distribution: Distribution, parameters: ParametersByValue): Hint | undefined {
  const { constraints, name } = distribution.family;
  for (const [key, array] of Object.entries(distribution.parameters)) {
    const constraint = constraints[key];
    if (!/^(positive|positiveVector|nonnegative|probability)$/.test(constraint)) continue;
    const found = parameterOf(array, parameters);
    if (found?.transform.name !== "unbounded" || hasLowerBound(found)) continue;
    const isChance = constraint === "probability";
    return {
      code: "unbounded",
      text: `the parameter "${found.name}" has no bounds, but is the ${key} of ${name}, which must be ${isChance ? "between 0 and 1" : "positive"}${userLine()}`,
      advice: `write param("${found.name}", ${isChance ? '"unitInterval"' : '"positive"'}), or a prior with that support, such as ${isChance ? "beta(1, 1)" : "halfNormal(1)"}`,
    };
  }
  return undefined;
}

/** Whether the prior of an unbounded (non-centred) parameter has a lower bound. */
const hasLowerBound = ({ prior }: TracedParameter): boolean =>
  prior?.support.kind === "interval" ? prior.support.low !== undefined : false;

/** Returns the parameter from which the array is copied, selected or reordered. */
function parameterOf(array: SymbolicArray, parameters: ParametersByValue): TracedParameter | undefined {
  for (let shown = array; ; [shown] = shown.args) {
    const found = parameters.get(shown);
    if (found || shown.args.length === 0) return found;
    const repeats = shown.op === "map" && shown.args.length === 1 && (shown.attributes as { op: string }).op === "scalar";
    if (!repeats && shown.op !== "gather" && (shown.op === "customDerivative" || arrayPrimitiveOf(shown).code.form !== "view"))
      return undefined;
  }
}
