/**
 * Single numbers as table columns, with Stan's order and names: "mu", "theta.1", "L.2.1", counted from 1, with the
 * first index running fastest.
 *
 * In `Draws`, a quantity is row-major, and a column's `offset` is its position in that order.
 *
 * @throws DataError [DRAWS_COLUMNS] for columns that do not fill their quantity
 */
import { DataError } from "../../engine/errors/errors.ts";
import type { DrawsQuantity } from "./content.ts";
import { sizeOf } from "./series.ts";

export interface DrawsColumn {
  readonly label: string;
  readonly name: string;
  readonly offset: number;
}

/** The columns of all quantities, in order. */
export function columnsOf(quantities: readonly DrawsQuantity[]): DrawsColumn[] {
  return quantities.flatMap(({ name, shape }) =>
    Array.from({ length: sizeOf(shape) }, (_, k) => {
      const index = firstFastest(shape, k);
      return { label: [name, ...index.map((i) => i + 1)].join("."), name, offset: rowMajor(shape, index) };
    }),
  );
}

/** Characters not allowed in a column name. Dots and brackets mark indices, and Stan's colons mark parts of tuples. */
const UNFIT = /[\s,.:#"'[\]]+/g;

/**
 * Renames quantities to valid column names: "x:z" becomes x_z, "sd(g): x" becomes sd(g)_x. If two names become equal, a
 * number is appended to the later one. `names` maps each new name to the original.
 */
export function headed(quantities: readonly DrawsQuantity[]): { quantities: DrawsQuantity[]; names: Map<string, string> } {
  const names = new Map(quantities.filter(({ name }) => name.search(UNFIT) < 0).map(({ name }) => [name, name]));
  const made = quantities.map((quantity) => {
    if (names.get(quantity.name) === quantity.name) return quantity;
    const fit = quantity.name.replace(UNFIT, "_").replace(/^_|_+$/g, "") || "_";
    let name = fit;
    for (let k = 2; names.has(name); k++) name = `${fit}_${k}`;
    names.set(name, quantity.name);
    return { ...quantity, name };
  });
  return { quantities: made, names };
}

interface Cell {
  readonly label: string;
  readonly name: string;
  readonly index: readonly number[];
}

/**
 * Derives the quantities, in order of appearance, and the position of each column from the column labels. Both
 * "theta.1" and "theta[1]" are recognised. A label without an index is the name of a quantity. All quantities are
 * called parameters, because labels do not store kinds.
 */
export function quantitiesOf(where: string, labels: readonly string[]): { quantities: DrawsQuantity[]; columns: DrawsColumn[] } {
  const cells = labels.map(cellOf);
  const byName = new Map<string, Cell[]>();
  for (const cell of cells) {
    const own = byName.get(cell.name);
    if (own) own.push(cell);
    else byName.set(cell.name, [cell]);
  }
  const quantities = [...byName].map(([name, own]) => ({ name, shape: shapeOf(where, own), kind: "parameter" as const }));
  const shapes = new Map(quantities.map(({ name, shape }) => [name, shape]));
  const columns = cells.map(({ label, name, index }) => ({ label, name, offset: rowMajor(shapes.get(name)!, index) }));
  return { quantities, columns };
}

function cellOf(label: string): Cell {
  const dotted = /^(.+?)((?:\.[1-9]\d*)+)$/.exec(label);
  if (dotted) return { label, name: dotted[1], index: numbers(dotted[2].slice(1), ".") };
  const bracketed = /^(.+?)\[([1-9]\d*(?:,[1-9]\d*)*)\]$/.exec(label);
  if (bracketed) return { label, name: bracketed[1], index: numbers(bracketed[2], ",") };
  return { label, name: label, index: [] };
}

const numbers = (text: string, separator: string): number[] => text.split(separator).map((part) => Number(part) - 1);

/** Returns the shape that the cells span. Each position must be filled exactly once. */
function shapeOf(where: string, cells: readonly Cell[]): number[] {
  const [{ name, index: first }] = cells;
  const rank = first.length;
  const odd = cells.find(({ index }) => index.length !== rank);
  if (odd)
    throw wrong(
      where,
      `"${odd.label}" has ${odd.index.length} indices, but "${cells[0].label}" has ${rank}; give every column of "${name}" the same number`,
    );
  const shape = first.map((_, axis) => cells.reduce((most, { index }) => Math.max(most, index[axis] + 1), 0));
  const places = new Set<number>();
  for (const { label, index } of cells) {
    const place = rowMajor(shape, index);
    if (places.has(place)) throw wrong(where, `there are two columns "${label}"; keep one`);
    places.add(place);
  }
  if (cells.length !== sizeOf(shape))
    throw wrong(
      where,
      `"${name}" has ${cells.length} columns, but indices up to [${shape.join(",")}] need ${sizeOf(shape)}; keep all columns of a quantity`,
    );
  return shape;
}

const wrong = (where: string, message: string): DataError => new DataError(where, message, "DRAWS_COLUMNS");

function firstFastest(shape: readonly number[], k: number): number[] {
  let rest = k;
  return shape.map((extent) => {
    const i = rest % extent;
    rest = Math.floor(rest / extent);
    return i;
  });
}

const rowMajor = (shape: readonly number[], index: readonly number[]): number =>
  index.reduce((at, i, axis) => at * shape[axis] + i, 0);
