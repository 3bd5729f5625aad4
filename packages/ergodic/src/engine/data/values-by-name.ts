/** Values of parameters by name, as starts give them: a file of its own, as pages that train linear models do not need it. */
import { isList, refuse } from "../errors/checks.ts";
import { checkNumber } from "../errors/errors.ts";

/** Lists within lists: no parameter has as many axes, and a list that holds itself has no end. */
const DEEPEST = 16;

/** Where a run starts: numbers, or lists of them, by name; those of matrices may be lists of rows. */
export function checkValuesByName(where: string, start: unknown): void {
  if (Object.prototype.toString.call(start) !== "[object Object]")
    refuse(where, "start", start, "values by name", "start: { mu: 0 }");
  for (const [name, value] of Object.entries(start as object)) checkNested(`${where}.start`, name, value, 0);
}

function checkNested(where: string, name: string, value: unknown, depth: number): void {
  if (!isList(value) || depth === DEEPEST) checkNumber(where, name, value);
  else for (let i = 0; i < value.length; i++) checkNested(where, `${name}[${i}]`, value[i], depth + 1);
}
