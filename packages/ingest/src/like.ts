import { DataError, ErgodicError, OptionError, type Pipeline, type Remark, type Table } from "ergodic/data";
import { type DatasetOptions, datasetKeys } from "./dataset.ts";
import { listed, show, told } from "./fault.ts";
import { holdsImages, isImageName } from "./folder.ts";
import type { ImageOptions } from "./formats/images.ts";
import type { Source } from "./source.ts";
import type { TableOptions } from "./table-builder.ts";

/**
 * Options for reading rows like those of another dataset, which means with the same columns, categories and target, and
 * through the same steps.
 */
export interface LikeOptions {
  /**
   * Dataset, or a model trained on one. For example, a test file is then read in the same way as the training file,
   * with the training file's levels, means and scales. Replaces `target` and all other options that make a dataset.
   */
  like: { readonly pipeline: Pipeline };
}

/**
 * Returns the options with which new rows are read so that they match the rows of the pipeline. @throws OptionError for
 * images if the model was not trained on images
 */
export async function readingLike(
  reader: string,
  from: Source,
  pipeline: Pipeline,
): Promise<Pick<ImageOptions, "size" | "channels"> & Pick<TableOptions, "types">> {
  const { inputs, shape } = checkPipeline("readingLike", pipeline, "third");
  if (await holdsImages(from)) {
    const [height, width, channels] = shape.rowShape ?? [];
    if (channels === 1 || channels === 3) return { size: [height, width], channels };
    throw new OptionError(
      reader,
      `${from} is ${isImageName(String(from)) ? "an image" : "a folder of images"}, but the model was not trained on images; name a file`,
      "OPTION_CONFLICT",
    );
  }
  // Categories stay strings, even if a file of new rows contains only numbers. Numeric formats have no types.
  const categories = (inputs ?? []).filter(({ kind }) => kind === "category");
  return categories.length === 0 ? {} : { types: Object.fromEntries(categories.map(({ name }) => [name, "category"])) };
}

/**
 * Returns the remarks on new rows, except about leading zeros in columns that the pipeline reads as numbers, because the
 * pipeline converts these codes to numbers again.
 */
export function remarksLike(pipeline: Pipeline, table: Pick<Table, "remarks">): readonly Remark[] {
  const { inputs } = checkPipeline("remarksLike", pipeline, "first");
  const remarks = (table as typeof table | null | undefined)?.remarks;
  if (!Array.isArray(remarks)) return [];
  const numbers = new Set((inputs ?? []).flatMap(({ name, kind }) => (kind === "number" ? [name] : [])));
  return remarks.filter(({ kind, column }) => kind !== "identifier" || !numbers.has(column!));
}

/**
 * Rewrites an error about new rows so that it refers to the model. The errors of readers name options, but the user did
 * not pass the options that the model sets. `given`: the user's own types.
 */
export function likeFault(error: unknown, pipeline?: Pipeline, given: object = {}): unknown {
  if (!(error instanceof ErgodicError)) return error;
  const { where, said, code } = error;
  const missing = /^(?:types|categories) asks for a column (["'])(.*?)\1 that is not there; (.*)$/s.exec(said);
  if (code === "DATA_COLUMN" && missing && !Object.hasOwn(given, missing[2]))
    return new DataError(where, `the model needs a column ${show(missing[2])}, which is missing; ${missing[3]}`, code, {
      cause: error,
    });
  if (code !== "OPTION_CONFLICT") return error;
  const names = pipeline?.inputs?.map(({ name }) => name);
  if (/holds sparse rows, which have no names/.test(said))
    return new OptionError(
      where,
      `the file holds sparse rows, but the model was trained on a table with named columns${names ? ` (${listed(names)})` : ""}; give a table with these columns`,
      code,
      { cause: error },
    );
  const dense = /^(.*) holds a dense table; call /s.exec(said);
  if (dense)
    return new OptionError(
      dense[1],
      "the file holds a table, but the model was trained on sparse rows with numbered columns; give a LIBSVM or VW file",
      code,
      { cause: error },
    );
  return error;
}

function checkPipeline(where: string, pipeline: Pipeline, which: string): Pipeline {
  if (Array.isArray((pipeline as Partial<Pipeline> | null | undefined)?.steps)) return pipeline;
  throw new OptionError(
    where,
    `the ${which} argument is ${told(pipeline)}, but must be a pipeline; use dataset.pipeline or model.pipeline`,
    "OPTION_TYPE",
  );
}

/** Whether rows have the sparse form of LIBSVM and VW. */
export function takesSparse(pipeline: Pipeline): boolean {
  const { steps } = checkPipeline("takesSparse", pipeline, "first");
  const first = steps[0] as { kind: string; format?: string };
  return first.kind === "numbers" && first.format === "sparse";
}

/**
 * Returns the pipeline, and the remaining options for reading. @throws OptionError for options that `like` sets, or for
 * an object without a pipeline
 */
export function checkLike<O extends Partial<DatasetOptions & LikeOptions>>(
  reader: string,
  all: O,
): { pipeline: Pipeline; options: Omit<O, "like" | "target"> } {
  const { like, target, ...options } = all;
  const pipeline = (like as Partial<LikeOptions["like"]> | null | undefined)?.pipeline;
  if (!Array.isArray(pipeline?.steps))
    throw new OptionError(
      reader,
      "like must be a dataset, or a model that was trained on one, as in { like: train }",
      "OPTION_TYPE",
    );
  const own = datasetKeys.find((key) => (all as Record<string, unknown>)[key] !== undefined);
  if (own !== undefined)
    throw new OptionError(
      reader,
      `both like and ${own} were given, but like brings its own ${own}; leave one out`,
      "OPTION_CONFLICT",
    );
  return { pipeline, options };
}
