/** Adds the line of the user's model to errors. Distributions, transforms and data checks do not know this line. */

import { userLine } from "../../engine/compiler/array/position.ts";
import { ErgodicError } from "../../engine/errors/errors.ts";

export function withUserLine<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ErgodicError) || error.message.includes("(at ")) throw error;
    const Kind = error.constructor as typeof ErgodicError;
    throw new Kind(error.where, `${error.said}${userLine()}`, error.code, { cause: error });
  }
}
