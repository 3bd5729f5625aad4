/**
 * Writes draws as an Arrow IPC file, and reads them back. R's arrow, pyarrow, polars, DuckDB and other tools open such
 * a file as a table.
 *
 *   await writeFile("draws.arrow", await writeDrawsArrow(posterior));
 *   const posterior = await readDrawsArrow(await readFile("draws.arrow"));
 *   await readDrawsArrow(bytes, { model: eightSchools, data });  // loo, check, predict and predictor, too
 *
 * Columns: `.chain`, `.iteration`, `.draw` (int32), then float64 `lp__` and the other numbers of each transition, "mu",
 * "theta[1]", "L[2,1]", as in the `draws_df` of R's posterior. The schema's metadata "ergodic" holds everything else as
 * JSON, so that nothing is lost. Files from other programs can also be read if they have these columns. Any numeric
 * type is accepted; missing numbers must be NaN instead of null.
 *
 * Needs the package apache-arrow, which is not a dependency because it is ten times as large as this package.
 *
 * @throws CapabilityError [ARROW_MISSING] without that package; DataError [DATA_FORMAT], [DATA_TYPE], [DATA_PARSE], and
 * the errors of `fromDataFrame`
 */
import { type Draws, type DrawsModel, fromDataFrame, type StatisticalModel, toDataFrame, withModel } from "ergodic/bayes";
import { CapabilityError, DataError, OptionError } from "ergodic/data";
import { checkArrow } from "./guards/arrow-check.ts";

type Arrow = typeof import("apache-arrow");

const KEY = "ergodic";

/**
 * Returns draws as the bytes of an Arrow IPC file. Needs the package apache-arrow. @throws CapabilityError
 * [ARROW_MISSING]
 */
export async function writeDrawsArrow(draws: Draws): Promise<Uint8Array> {
  const { Field, Float64, Int32, makeData, RecordBatch, Schema, Struct, Table, tableToIPC } = await arrow("writeDrawsArrow");
  const { columns, header } = toDataFrame(draws);
  const series = [...columns].map(([name, values]) => {
    const data =
      values instanceof Int32Array
        ? makeData({ type: new Int32(), data: values })
        : makeData({ type: new Float64(), data: values });
    return { field: new Field(name, data.type, false), data };
  });
  const fields = series.map(({ field }) => field);
  const schema = new Schema(fields, new Map([[KEY, JSON.stringify(header)]]));
  const rows = makeData({
    type: new Struct(fields),
    length: draws.chains * draws.count,
    nullCount: 0,
    children: series.map(({ data }) => data),
  });
  return tableToIPC(new Table(schema, new RecordBatch(schema, rows)), "file");
}

/**
 * Reads draws from the bytes of an Arrow IPC file. If the model is given too, the result equals that of the run, as
 * with `loadDraws`. Needs the package apache-arrow.
 *
 * @throws DataError for damaged files, for columns that are not numbers, and for a model that did not produce the draws
 */
export function readDrawsArrow<M extends StatisticalModel<never>>(
  bytes: Uint8Array,
  given: DrawsModel<M>,
): ReturnType<typeof withModel<M>>;
export function readDrawsArrow(bytes: Uint8Array): Promise<Draws>;
export async function readDrawsArrow(bytes: Uint8Array, given?: DrawsModel<StatisticalModel<never>>): Promise<Draws> {
  const draws = await drawsOf(bytes);
  return given === undefined ? draws : withModel(draws, given);
}

async function drawsOf(bytes: Uint8Array): Promise<Draws> {
  if (!(bytes instanceof Uint8Array))
    throw new OptionError("readDrawsArrow", `the bytes are ${typeof bytes}, but must be a Uint8Array`, "OPTION_TYPE");
  const { tableFromIPC } = await arrow("readDrawsArrow");
  readable(() => checkArrow(bytes));
  const table = readable(() => tableFromIPC(bytes));
  const columns = table.schema.fields.map((field, j): [string, Float64Array] => [
    field.name,
    numbersOf(
      field.name,
      String(field.type),
      readable(() => [...(table.getChildAt(j) ?? [])]),
    ),
  ]);
  const kept = table.schema.metadata.get(KEY);
  return fromDataFrame({
    columns: new Map(columns),
    ...(kept === undefined ? {} : { header: readable(() => JSON.parse(kept)) }),
  });
}

function numbersOf(name: string, type: string, values: readonly unknown[]): Float64Array {
  return Float64Array.from(values, (value) => {
    if (typeof value === "number") return value;
    if (typeof value === "bigint") return Number(value);
    if (value === null) return Number.NaN;
    throw new DataError("readDrawsArrow", `the column "${name}" is of ${type}, but draws are numbers; leave it out`, "DATA_TYPE");
  });
}

/** Replaces the error that apache-arrow throws for unreadable bytes with a DataError. */
function readable<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `the bytes cannot be read as an Arrow file: ${reason}; write the whole file, without compression`;
    throw new DataError("readDrawsArrow", message, "DATA_FORMAT", { cause });
  }
}

async function arrow(where: string): Promise<Arrow> {
  try {
    return await import("apache-arrow");
  } catch (cause) {
    const message =
      "it needs the package apache-arrow, which cannot be loaded; run npm install apache-arrow, or save as CSV or JSON";
    throw new CapabilityError(where, message, "ARROW_MISSING", { cause });
  }
}
