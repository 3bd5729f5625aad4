/**
 * Losses by name. Programs that look up a loss by name include all built-in losses. Other programs include only the
 * losses that they call.
 */

import type { Json } from "../../../engine/contract/index.ts";
import { assert } from "../../../engine/errors/errors.ts";
import { lossFromJson as definedFrom, lossNames as definedNames, type Loss } from "../loss.ts";
import * as library from "./index.ts";

/** Whether the library's losses are present. The list refers to all losses, so that bundlers keep them. */
const isHeld = (): boolean => Object.keys(library).length > 0;

/**
 * Returns a loss from its name or its JSON. @throws OptionError [LOSS_UNKNOWN] if it is not defined, [JSON_TYPE] for
 * other values
 */
export function lossFromJson(json: Json): Loss {
  assert(isHeld(), "the library's losses are defined");
  return definedFrom(json);
}

/** Names of all losses defined so far. */
export const lossNames = (): string[] => (isHeld() ? definedNames() : []);
