/**
 * Detects columns that are linear combinations of earlier columns, by Gram-Schmidt orthogonalisation. A column counts
 * as a combination if less than 1e-9 of its length remains after orthogonalisation.
 *
 * @throws DataError that names the column and the columns of which it is a combination
 */
import { DataError } from "../../engine/errors/errors.ts";
import type { Coding } from "./design.ts";

const LEAST = 1e-9;
const SHARE = 1e-6;

/** `matrix`: [row, column]. */
export function refuseCollinear(where: string, { names, terms }: Coding, matrix: Float64Array, intercept: boolean): void {
  const width = names.length;
  const rowCount = matrix.length / width;
  const labels = [...(intercept ? ["the intercept"] : []), ...names.map((name) => `"${name}"`)];
  const columns = [
    ...(intercept ? [new Float64Array(rowCount).fill(1)] : []),
    ...names.map((_, j) => Float64Array.from({ length: rowCount }, (_, i) => matrix[i * width + j])),
  ].map(unit);
  const basis: Float64Array[] = [];
  /** Coordinates of each column in the basis. */
  const shares: number[][] = [];
  for (const [j, column] of columns.entries()) {
    const rest = column.slice();
    const own = new Array<number>(basis.length).fill(0);
    // Two passes are enough.
    for (let pass = 0; pass < 2; pass++)
      for (const [k, direction] of basis.entries()) {
        const share = dot(rest, direction);
        own[k] += share;
        for (let i = 0; i < rowCount; i++) rest[i] -= share * direction[i];
      }
    const left = Math.sqrt(dot(rest, rest));
    if (!(left > LEAST)) {
      const made = solved(shares, own).flatMap((weight, k) => (Math.abs(weight) > SHARE ? [labels[k]] : []));
      const at = j - (intercept ? 1 : 0);
      const what =
        made.length === 0
          ? "is 0 in all rows"
          : made.join() === "the intercept"
            ? "is the same in all rows, as the intercept is"
            : `is a combination of ${made.join(", ")}`;
      throw new DataError(
        where,
        `the column ${labels[j]} of the term "${terms[at]}" ${what}, so that the data cannot tell their effects apart; remove one of them from the formula`,
        "DATA_COLLINEAR",
      );
    }
    shares.push([...own, left]);
    basis.push(rest.map((value) => value / left));
  }
}

/**
 * Solves for the weights w by back substitution, so that Σ_j w_j (column j) equals the column with coordinates `own`.
 */
function solved(shares: readonly (readonly number[])[], own: readonly number[]): number[] {
  const weights = own.slice();
  for (let j = weights.length - 1; j >= 0; j--) {
    weights[j] /= shares[j][j];
    for (let k = 0; k < j; k++) weights[k] -= weights[j] * shares[j][k];
  }
  return weights;
}

function unit(column: Float64Array): Float64Array {
  const length = Math.sqrt(dot(column, column));
  return length > 0 ? column.map((value) => value / length) : column;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
