/** Losses by name. What asks for one holds all of this library, where bundlers leave out what is not called. */

import type { Json } from "../../../engine/contract/index.ts";
import { assert } from "../../../engine/errors/errors.ts";
import { lossFromJson as definedFrom, lossNames as definedNames, type Loss } from "../loss.ts";
import * as library from "./index.ts";

/** Asked for, so that bundlers leave out none. */
const isHeld = (): boolean => Object.keys(library).length > 0;

/** A loss from its name, or from what toJSON() gave. @throws OptionError [LOSS_UNKNOWN] for one that nobody defined, [JSON_TYPE] for what is neither */
export function lossFromJson(json: Json): Loss {
  assert(isHeld(), "the library's losses are defined");
  return definedFrom(json);
}

/** Names of all losses defined so far. */
export const lossNames = (): string[] => (isHeld() ? definedNames() : []);
