/** Checks arguments of the functions that a model calls, and adds the user's line to errors. */

import { isArray, type SymbolicArray, toArray } from "../../engine/compiler/index.ts";
import { checkArgument, type Kind, operand, operation } from "../../engine/compiler/signature.ts";
import { distributionKind } from "../distributions/kinds.ts";
import type { MarginaliseOptions } from "./context.ts";
import { type MarginalValue, refuseSymbols } from "./marginalise.ts";
import { withUserLine } from "./user-line.ts";

export const OBJECT: Kind = {
  wanted: "an object",
  fits: (x) => typeof x === "object" && x !== null && !Array.isArray(x) && !isArray(x),
};
export const PRIOR: Kind = {
  wanted: 'a distribution, a constraint such as "real" or "positive", or bounds { lower, upper }',
  fits: (x) => typeof x === "string" || OBJECT.fits(x),
};
export const GENERATED: Kind = {
  wanted: "a symbolic array or a distribution",
  fits: (x) => isArray(x) || distributionKind.fits(x),
};

/** Wraps a function of the model context with argument checks and the user's line in every error. */
export function said<Given extends unknown[], Made>(
  name: string,
  parameters: Readonly<Record<string, Kind>>,
  act: (...given: Given) => Made,
): (...given: Given) => Made {
  const checked = operation(name, parameters, act as unknown as (...given: never[]) => Made) as unknown as typeof act;
  return (...given) => withUserLine(() => checked(...given));
}

/** Converts an operand, a list of operands, or operands by name to symbolic arrays. */
export function marginalValue(given: NonNullable<MarginaliseOptions["value"]>): MarginalValue {
  const converted = (name: string, value: unknown): SymbolicArray => {
    checkArgument("marginalise", name, operand, value);
    return toArray(value as SymbolicArray);
  };
  if (typeof given !== "object" || isArray(given) || given === null) return converted("value", given);
  const isNumbers = Array.isArray(given) && given.length > 0 && given.every((one) => typeof one === "number");
  if (isNumbers) return converted("value", given);
  refuseSymbols(given);
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [key, converted(`value.${key}`, value)]));
}
