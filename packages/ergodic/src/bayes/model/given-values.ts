/** Parameter values from users: a number, a flat row-major list, or nested lists (a matrix is a list of rows). */

import type { Shape } from "../../engine/compiler/index.ts";
import { isList } from "../../engine/errors/checks.ts";
import { OptionError } from "../../engine/errors/errors.ts";

/** Value of a parameter: a number, a flat row-major list, or a list of rows. */
export type GivenValue = number | ArrayLike<number> | readonly GivenValue[];

/** Values by name. */
export type GivenValues = Readonly<Record<string, GivenValue>>;

/**
 * Returns the numbers of a value, row-major. Nested lists must have the parameter's shape; a flat list is checked by
 * its transform. @throws OptionError
 */
export function numbersOf(value: GivenValue, shape: Shape): ArrayLike<number> {
  if (typeof value === "number") return [value];
  if (!isList(value) || !Array.from(value).some(isList)) return value as ArrayLike<number>;
  const numbers: number[] = [];
  gather(value, shape, 0, numbers);
  return numbers;
}

function gather(value: unknown, shape: Shape, axis: number, out: number[]): void {
  if (axis === shape.length && typeof value === "number") out.push(value);
  else if (axis < shape.length && isList(value) && value.length === shape[axis])
    for (let i = 0; i < value.length; i++) gather(value[i], shape, axis + 1, out);
  else
    throw new OptionError(
      "value",
      `its lists do not have the shape [${shape.join(", ")}]; give lists of this shape, or one flat list, row by row`,
      "OPTION_SHAPE",
    );
}
