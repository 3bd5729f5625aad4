import { OptionError, type Pipeline } from "ergodic";
import { type DatasetOptions, datasetKeys } from "./dataset.ts";
import { isFolder } from "./folder.ts";
import type { ImageOptions } from "./formats/images.ts";
import type { Source } from "./source.ts";
import type { TableOptions } from "./table-builder.ts";

/** Rows like those of another dataset: the same columns, categories and target, made by the same steps. */
export interface LikeOptions {
  /**
   * A dataset, or a model that was trained on one: a test file is read as the training file was, with its levels, means and scales, and none of its own. In
   * the place of `target` and all else that makes a dataset.
   */
  like: { readonly pipeline: Pipeline };
}

/** What a file of new rows must be told, so that they come as the pipeline's own rows did. @throws OptionError for images where there were none */
export async function readingLike(
  reader: string,
  from: Source,
  { inputs, shape }: Pipeline,
): Promise<Pick<ImageOptions, "size" | "channels"> & Pick<TableOptions, "types">> {
  if (typeof from === "string" && (await isFolder(from))) {
    const [height, width, channels] = shape.rowShape ?? [];
    if (channels === 1 || channels === 3) return { size: [height, width], channels };
    throw new OptionError(
      reader,
      `${from} is a folder of images, but the model was not trained on images; name a file`,
      "OPTION_CONFLICT",
    );
  }
  // Categories stay text, even where a file of new rows shows numbers alone. Formats that hold numbers alone know no types.
  const categories = (inputs ?? []).filter(({ kind }) => kind === "category");
  return categories.length === 0 ? {} : { types: Object.fromEntries(categories.map(({ name }) => [name, "category"])) };
}

/** Whether rows come as LIBSVM and VW have them. */
export function takesSparse({ steps }: Pipeline): boolean {
  const first = steps[0] as { kind: string; format?: string };
  return first.kind === "numbers" && first.format === "sparse";
}

/** The steps, and the options that are left for reading. @throws OptionError for options that `like` brings, or for what has no steps */
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
      `both like and ${own} were given, but what like names brings its own ${own}; leave one out`,
      "OPTION_CONFLICT",
    );
  return { pipeline, options };
}
