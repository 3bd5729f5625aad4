/**
 * DimmWitted's files as text: rows of tab-separated fields, in the form that its text2bin reads. Each function has a
 * file of factors and a second file with text2bin's arguments. The arguments are the function, the number of variables,
 * and, for each variable, the value to compare it with.
 */
import { fault, fileFault, show } from "../fault.ts";
import { decoded, lineBlocks, wholeText } from "../lines.ts";
import { textNumber } from "../number.ts";
import type { ByteSource } from "../source.ts";
import type { DimmWittedGraph, DomainRow, Refuse, VariableRows, WeightRows } from "./dimmwitted-rows.ts";

interface Row {
  readonly line: number;
  readonly fields: readonly string[];
}

async function* rowsOf(source: ByteSource): AsyncGenerator<Row> {
  let line = 1;
  try {
    for await (const block of lineBlocks(source)) {
      for (const text of decoded(source.name, block, line).split("\n")) {
        const fields = text.split(/[\s]+/).filter((field) => field !== "");
        if (fields.length > 0) yield { line, fields };
        line++;
      }
      // A block ends after its last line.
      line--;
    }
  } finally {
    await source.close?.();
  }
}

function numbersOf(file: string, { line, fields }: Row, wanted: string): number[] {
  const names = wanted.split(" ");
  if (fields.length !== names.length)
    throw fault(
      file,
      line,
      1,
      `the row has ${fields.length} fields, but must have ${names.length}: ${names.join(", ")}; correct it`,
      "DATA_RAGGED",
    );
  return fields.map((_, i) => numberOf(file, line, fields, i));
}

function numberOf(file: string, line: number, fields: readonly string[], i: number): number {
  const value = textNumber(fields[i], ".");
  if (Number.isFinite(value)) return value;
  throw fault(file, line, i + 1, `${show(fields[i])} is not a number; correct it`, "DATA_TYPE");
}

/** Reads columns of numbers with these names. */
async function columnsOf(source: ByteSource, names: string): Promise<{ columns: number[][]; refuse: Refuse }> {
  const columns: number[][] = names.split(" ").map(() => []);
  const lines: number[] = [];
  for await (const row of rowsOf(source)) {
    lines.push(row.line);
    for (const [i, value] of numbersOf(source.name, row, names).entries()) columns[i].push(value);
  }
  return { columns, refuse: (row, field, message) => fault(source.name, lines[row], field + 1, message, "DATA_PARSE") };
}

/** Reads the file of weights. */
export async function readTextWeights(source: ByteSource): Promise<{ rows: WeightRows; refuse: Refuse }> {
  const { columns, refuse } = await columnsOf(source, "id fixed value");
  const [ids, fixed, values] = columns;
  return { rows: { ids, fixed, values }, refuse };
}

/** Reads the file of variables. */
export async function readTextVariables(source: ByteSource): Promise<{ rows: VariableRows; refuse: Refuse }> {
  const { columns, refuse } = await columnsOf(source, "id evidence initial type cardinality");
  const [ids, roles, initials, types, counts] = columns;
  return { rows: { ids, roles, initials, types, counts }, refuse };
}

/** Reads the file of domains: `id cardinality {values} {truthiness}`. */
export async function readTextDomains(source: ByteSource): Promise<{ rows: DomainRow[]; refuse: Refuse }> {
  const rows: DomainRow[] = [];
  const lines: number[] = [];
  for await (const row of rowsOf(source)) {
    const { line, fields } = row;
    if (fields.length !== 4)
      throw fault(
        source.name,
        line,
        1,
        `the row has ${fields.length} fields, but must have 4: id, cardinality, {values}, {truthiness}`,
        "DATA_RAGGED",
      );
    const list = (i: number): number[] => {
      const inner = /^\{(.*)\}$/.exec(fields[i])?.[1];
      if (inner === undefined)
        throw fault(source.name, line, i + 1, `${show(fields[i])} is not a list; write {0,1,3}`, "DATA_PARSE");
      return inner.split(",").map((_, k, parts) => {
        const value = textNumber(parts[k], ".");
        if (Number.isFinite(value)) return value;
        throw fault(source.name, line, i + 1, `${show(parts[k])} is not a number; correct it`, "DATA_TYPE");
      });
    };
    lines.push(line);
    rows.push({
      variable: numberOf(source.name, line, fields, 0),
      count: numberOf(source.name, line, fields, 1),
      values: list(2),
      truthiness: list(3),
    });
  }
  return { rows, refuse: (row, field, message) => fault(source.name, lines[row], field + 1, message, "DATA_PARSE") };
}

/** Code of the function whose rows contain the values to compare with. */
export const VALUES_IN_ROWS = 12;

/** Reads a file of factors and its arguments into the graph. */
export async function readTextFactors(source: ByteSource, args: ByteSource, into: DimmWittedGraph): Promise<void> {
  const words = decoded(args.name, await wholeText(args), 1)
    .split(/\s+/)
    .filter(Boolean);
  const [id, arity, ...equals] = words.map((_, i) => numberOf(args.name, 1, words, i));
  if (words.length < 3 || equals.length !== arity)
    throw fileFault(
      args.name,
      `the arguments are ${show(words.join(" "))}, but must be a function, the number of its variables, and a value for each of them`,
      "DATA_PARSE",
    );
  const valued = id === VALUES_IN_ROWS;
  const wanted = (valued ? 2 : 1) * arity + 2;
  for await (const { line, fields } of rowsOf(source)) {
    if (fields.length !== wanted)
      throw fault(
        source.name,
        line,
        1,
        `the row has ${fields.length} fields, but ${arity} variables${valued ? " with their values" : ""}, weight and feature make ${wanted}; correct it`,
        "DATA_RAGGED",
      );
    const numbers = fields.map((_, i) => numberOf(source.name, line, fields, i));
    const refuse = (message: string): Error => fault(source.name, line, 1, message, "DATA_PARSE");
    const values = valued ? numbers.slice(arity, 2 * arity) : equals;
    into.addFactor(id, numbers.slice(0, arity), values, numbers[wanted - 2], numbers[wanted - 1], refuse);
  }
}
