/**
 * Passes over a file of dense rows.
 *
 * `wholeTable`: one pass over the file. If some columns began as numbers but turn out to be categories, a second pass
 * reads these columns.
 * `tableBlocks`: a first pass determines types and levels and stores nothing. This pass covers the whole source if the
 * source can be read twice, and only its first block otherwise. Blocks of `blockRows` rows with this fixed schema
 * follow. A later value outside it is refused.
 */
import type { Column, Table } from "ergodic/data";
import type { ColumnType } from "./column.ts";
import { fileFault } from "./fault.ts";
import { rewindable } from "./replay.ts";
import { release } from "./room.ts";
import type { ByteSource } from "./source.ts";
import { type ParsedTable, TableBuilder, type TableOptions } from "./table-builder.ts";

export interface RowDecoder<O> {
  /** See ColumnContext. */
  readonly typed: boolean;
  /** Whether the format names all columns before the first row. */
  readonly listsColumns: boolean;
  /** Adds rows to the builder, and yields whenever a block is full. */
  rows(source: ByteSource, options: O, builder: TableBuilder): AsyncGenerator<void>;
}

/** Reads a whole table. `releasable`: for callers that call `releaseTable` when they no longer need the table. */
export async function wholeTable<O extends TableOptions>(
  decoder: RowDecoder<O>,
  input: ByteSource,
  options: O,
  releasable = false,
): Promise<ParsedTable> {
  const source = rewindable(input);
  try {
    const first = new TableBuilder(source.name, options, { typed: decoder.typed, releasable });
    await drain(decoder.rows(source, options, first));
    refuseEmpty(first);
    first.settle();
    const mixed = first.kept().filter((column) => column.mixed);
    const parsed = { missing: first.missing(), names: first.names, table: first.take() };
    if (mixed.length > 0) {
      const only = new Set(mixed.map(({ name }) => name));
      const again = await columnsAsCategories(decoder, source, options, only, releasable);
      parsed.table.columns = parsed.table.columns.map((column) => again.get(column.name) ?? column);
    }
    return parsed;
  } finally {
    await source.close?.();
  }
}

/** Frees the columns of a releasable table. */
export function releaseTable({ columns }: Table): void {
  for (const column of columns) release(column.kind === "number" ? column.values : column.codes);
}

async function columnsAsCategories<O extends TableOptions>(
  decoder: RowDecoder<O>,
  source: ByteSource,
  options: O,
  only: ReadonlySet<string>,
  releasable: boolean,
): Promise<Map<string, Column>> {
  const types: Record<string, ColumnType> = { ...options.types };
  for (const name of only) types[name] = "category";
  const fixed = { ...options, types };
  const builder = new TableBuilder(source.name, fixed, { typed: decoder.typed, only, releasable });
  await drain(decoder.rows(source, fixed, builder));
  return new Map(builder.take().columns.map((column) => [column.name, column]));
}

export async function* tableBlocks<O extends TableOptions>(
  decoder: RowDecoder<O>,
  input: ByteSource,
  options: O,
  blockRows: number,
): AsyncGenerator<Table> {
  const source = rewindable(input);
  const { typed } = decoder;
  try {
    const survey = await surveyed(decoder, source, options, blockRows);
    // A declared category for which the first pass found no values gets no levels.
    const unmet = Object.entries(options.types ?? {}).map(([name, type]) => [name, type === "category" ? [] : type]);
    // The first pass did not keep the text of numbers that preceded strings in a column.
    const mixed = survey.kept().flatMap((column) => (column.mixed ? [column.name] : []));
    const asTexts = { ...options, types: { ...options.types, ...Object.fromEntries(mixed.map((name) => [name, "category"])) } };
    const again = mixed.length === 0 ? {} : (await surveyed(decoder, source, asTexts, blockRows, new Set(mixed))).types();
    const types: Record<string, ColumnType> = { ...Object.fromEntries(unmet), ...survey.types(), ...again };
    const dropped = options.drop?.filter((key) => typeof key === "string") ?? [];
    const known = [...new Set([...survey.names, ...Object.keys(types), ...dropped])];
    const fixed = { ...options, types };
    const builder = new TableBuilder(source.name, fixed, { typed, blockRows, known });
    for await (const _ of decoder.rows(source, fixed, builder)) yield builder.take();
    if (builder.rowCount > 0) yield builder.take();
  } finally {
    await source.close?.();
  }
}

/** Determines the schema. If the options give all types and the format names all columns, reading one row is enough. */
async function surveyed<O extends TableOptions>(
  decoder: RowDecoder<O>,
  source: ByteSource,
  options: O,
  blockRows: number,
  only?: ReadonlySet<string>,
): Promise<TableBuilder> {
  const kept = only === undefined ? {} : { only };
  const survey = new TableBuilder(source.name, options, { typed: decoder.typed, store: false, blockRows: 1, ...kept });
  const reading = decoder.rows(source, options, survey);
  await reading.next();
  if (!(decoder.listsColumns && survey.declared)) {
    survey.blockRows = source.rereadable ? Infinity : blockRows;
    if (survey.rowCount < survey.blockRows) await reading.next();
  }
  await reading.return(undefined);
  refuseEmpty(survey);
  survey.settle();
  return survey;
}

async function drain(generator: AsyncGenerator<void>): Promise<void> {
  for await (const _ of generator);
}

function refuseEmpty(builder: TableBuilder): void {
  if (builder.rowCount > 0) return;
  const header = "the file holds a header but no rows; if its first line is data, pass header: false";
  const some = builder.typed ? "the file holds columns but no rows; a table needs at least one" : header;
  const none = "the file is empty; a table needs at least one row";
  const skipped = `all ${builder.skipped} rows were skipped, as none has ${builder.names.length} fields like the header; pass the right delimiter or header`;
  if (builder.skipped > 0) throw fileFault(builder.file, skipped, "DATA_EMPTY");
  throw fileFault(builder.file, builder.names.length > 0 ? some : none, "DATA_EMPTY");
}
