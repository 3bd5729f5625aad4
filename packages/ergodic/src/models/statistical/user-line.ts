/** Errors of distributions, transforms and data do not know the line that asked for them: it is added. */
import { ErgodicError } from "../../base/errors.ts";
import { userLine } from "../../compiler/array/position.ts";

export function withUserLine<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ErgodicError) || error.message.includes("(at ")) throw error;
    const Kind = error.constructor as typeof ErgodicError;
    throw new Kind(error.where, `${error.said}${userLine()}`, error.code, { cause: error });
  }
}
