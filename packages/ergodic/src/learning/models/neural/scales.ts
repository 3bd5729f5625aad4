import type { Json, JsonObject } from "../../../engine/contract/index.ts";
import { DataError } from "../../../engine/errors/errors.ts";
import { isNumber, isObject } from "../../../engine/loop/kept-part.ts";
import { FROM } from "../beginning.ts";
import type { NetworkFacts } from "./programs.ts";

/**
 * JSON of the units of inputs and targets. A saved network includes these units in its weights, so a network that
 * starts from its file must use the same units.
 */
export const scalesJson = ({ scale, target }: Pick<NetworkFacts, "scale" | "target">): Json => ({
  input: { ...scale },
  target: target ? { ...target } : null,
});

/** Reads the units from the description of a network. @throws DataError if there are none */
export function scalesOf({ scales }: JsonObject): Pick<NetworkFacts, "scale" | "target"> {
  if (isObject(scales)) {
    const { input, target } = scales;
    const [mean, factor] = numbersOf(input, "mean", "factor");
    if (target === null) return { scale: { mean, factor } };
    const [centre, deviation] = numbersOf(target, "mean", "deviation");
    return { scale: { mean, factor }, target: { mean: centre, deviation } };
  }
  return refuse();
}

const numbersOf = (json: Json | undefined, ...names: readonly string[]): number[] =>
  names.map((name) => {
    const value = isObject(json) ? json[name] : null;
    return isNumber(value) ? value : refuse();
  });

function refuse(): never {
  throw new DataError(
    FROM,
    "the network does not record the units of its inputs and targets; it was saved by an older version, or is damaged: train it again",
    "FROM_MODEL",
  );
}
