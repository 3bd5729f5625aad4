/**
 * Parameter values by name, as in the option `start`. This code has its own file, because pages that train linear
 * models do not need it.
 */
import { isList, refuse } from "../errors/checks.ts";
import { checkNumber } from "../errors/errors.ts";

/**
 * Maximum nesting depth of lists. No parameter has this many axes. The limit also catches lists that contain
 * themselves.
 */
const DEEPEST = 16;

/** Checks the starting values of a run: numbers or lists of numbers by name. Matrices can be lists of rows. */
export function checkValuesByName(where: string, start: unknown): void {
  if (Object.prototype.toString.call(start) !== "[object Object]")
    refuse(where, "start", start, "values by name", "start: { mu: 0 }");
  for (const [name, value] of Object.entries(start as object)) checkNested(`${where}.start`, name, value, 0);
}

function checkNested(where: string, name: string, value: unknown, depth: number): void {
  if (!isList(value) || depth === DEEPEST) checkNumber(where, name, value);
  else for (let i = 0; i < value.length; i++) checkNested(where, `${name}[${i}]`, value[i], depth + 1);
}
