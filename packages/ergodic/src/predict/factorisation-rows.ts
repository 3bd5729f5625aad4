/** Reads names of users and items, and ratings, from callers' rows. */

import type { Name } from "../engine/data/name-index.ts";
import { told } from "../engine/data/number-cells.ts";
import type { RatingColumns, Ratings } from "../engine/data/ratings.ts";
import { listed } from "../engine/data/raw.ts";
import type { Row } from "../engine/data/table.ts";
import { refuse } from "../engine/errors/checks.ts";
import { DataError } from "../engine/errors/errors.ts";

type Role = keyof RatingColumns;

/**
 * Returns the name of a row's user or item. The name is read from the training column or from `user` and `item`.
 * `index` is the row's position, for errors.
 *
 * @throws DataError if the row lacks the column, or if the value is not a name
 */
export function nameIn(row: Row, role: "user" | "item", columns: RatingColumns, where: string, index: number): Name {
  const column = columnIn(row, role, columns, where, index);
  if (column === undefined) {
    const known = Object.keys(row);
    const has = known.length > 0 ? `it has ${listed(known)}` : "it has none";
    throw new DataError(where, `row ${index + 1} has no column "${columns[role]}" (${has}); give the ${role}`, "DATA_COLUMN");
  }
  const cell = row[column];
  if (isName(cell)) return cell;
  throw new DataError(where, `row ${index + 1}: the ${role} is ${told(cell)}, but must be a string or a number`, "DATA_VALUE");
}

/** Returns a row's rating, or undefined if it has none. @throws DataError if it is not a finite number from `low` */
export function ratingIn(row: Row, columns: RatingColumns, low: number, where: string, index: number): number | undefined {
  const column = columnIn(row, "value", columns, where, index);
  const value = column === undefined ? undefined : row[column];
  if (value === undefined || (typeof value === "number" && Number.isFinite(value) && value >= low)) return value;
  const wanted = `a finite number${low > -Infinity ? ` >= ${low}` : ""}`;
  throw new DataError(where, `rating ${index + 1}: the value is ${told(value)}, but must be ${wanted}`, "DATA_VALUE");
}

/** Checks a name given as an argument. @throws OptionError unless it is a string or a number */
export function checkName(where: string, role: "user" | "item", name: unknown): asserts name is Name {
  if (!isName(name)) refuse(where, `the ${role}`, name, "a name, a string or a number", '"anna"');
}

/** An empty string is accepted as a name, although no user or item has this name. */
const isName = (cell: unknown): cell is Name => typeof cell === "string" || (typeof cell === "number" && Number.isFinite(cell));

/** Also accepts the names `user`, `item` and `value`, unless a training column for another role has that name. */
function columnIn(row: Row, role: Role, columns: RatingColumns, where: string, index: number): string | undefined {
  if (typeof row !== "object" || row === null) {
    const problem = `row ${index + 1} is ${told(row)}, but must be an object with a value for each column`;
    throw new DataError(where, problem, "DATA_SHAPE");
  }
  const column = columns[role];
  if (column !== undefined && Object.hasOwn(row, column)) return column;
  const isTaken = Object.values(columns).includes(role);
  return !isTaken && Object.hasOwn(row, role) ? role : undefined;
}

/** Returns the names of the items that a user has rated, or none for an unknown user. */
export function namesRatedBy(ratings: Ratings, user: Name | undefined): Name[] {
  const u = user === undefined ? -1 : ratings.users.find(user);
  return u < 0 ? [] : Array.from(ratings.of("user", u).others, (i) => ratings.items.names[i]);
}
