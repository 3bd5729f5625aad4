/**
 * Converts PNG and JPEG images, in one folder per class, to rows of whole numbers 0 … 255 with shape [height, width,
 * channels].
 *
 * Each sub-folder is a class of the same name and contains only images. Images are recognised by their first bytes.
 * Files next to the sub-folders and names with a leading dot are ignored. A folder of images without sub-folders, or one
 * picture, gives rows without classes, for prediction. image.ts decodes pixels; image-resize.ts resizes.
 *
 * Files are read a few at a time. If any file is faulty, no rows are returned, and the error names the first faulty
 * file.
 *
 * @throws DataError DATA_EMPTY, DATA_TARGET (images without a class, or all of one), DATA_RAGGED (sizes differ),
 * DATA_FORMAT and errors of image.ts and source.ts; OptionError OPTION_RANGE
 */
import { checkNumber, OptionError } from "ergodic/data";
import type { ArrayRows } from "../array-rows.ts";
import { fileFault, listed, told } from "../fault.ts";
import { type Entry, entriesOf, isFolder, isImageName } from "../folder.ts";
import { coloured, decodeImage, greyed, type Image } from "../image.ts";
import { resized } from "../image-resize.ts";
import { allBytes, openSource, type Source, type SourceOptions } from "../source.ts";

/** Options for turning images into rows of one size. */
export interface ImageOptions {
  /**
   * Size [height, width] to which all images are stretched. Without this option, all images must have the same size.
   */
  size?: readonly [height: number, width: number];
  /** 1 = grey, 3 = red, green, blue. Default: 1 if all images are grey, else 3. */
  channels?: 1 | 3;
  /** Background of transparent images. Default "white". */
  background?: "white" | "black";
}

export const imageKeys = ["size", "channels", "background"];

/** An image with its class. Used by sources that have no folders, such as a browser. */
export interface LabelledImage {
  /** The image: a path, a File or bytes. */
  source: Source;
  /** Name of the class; absent if the image is only used for prediction. */
  label?: string;
  /** Name of the image in errors. */
  name?: string;
}

/**
 * Largest size of one image file in bytes. It suffices for 100 million pixels of four uncompressed 16-bit samples, with
 * a margin.
 */
const mostBytes = 2 ** 30;
/** Number of files that are open simultaneously. */
const together = 16;

export async function imageRows(
  from: string | readonly LabelledImage[],
  options: ImageOptions & SourceOptions,
): Promise<ArrayRows> {
  checkOptions(options);
  if (typeof from !== "string" && !Array.isArray(from))
    throw new OptionError(
      "images",
      `${told(from)} is not a folder; give the path of one, or a list of { source, label }`,
      "OPTION_TYPE",
    );
  const images = typeof from === "string" ? await imagesIn(from) : from;
  const source = typeof from === "string" ? /[^/\\]*(?=[/\\]*$)/.exec(from)![0] || from : "images";
  if (images.length === 0) throw fileFault(source, "there are no images; a dataset needs at least one per class", "DATA_EMPTY");
  const read: Image[] = [];
  for (let start = 0; start < images.length; start += together) {
    const batch = images.slice(start, start + together);
    const outcomes = await Promise.allSettled(batch.map((image) => pixelsOf(image, options)));
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") throw outcome.reason;
      read.push(outcome.value);
      refuseOtherSize(images, read);
    }
  }
  const channels = options.channels ?? (read.some((image) => image.channels === 3) ? 3 : 1);
  const rows = read.map((image) => (channels === 1 ? greyed(image) : coloured(image)).pixels);
  const { height, width } = read[0];
  const labels = images.flatMap(({ label }) => label ?? []);
  if (labels.length > 0 && labels.length < images.length)
    throw fileFault(
      source,
      `${labels.length} of ${images.length} images have a label; give one to each, or to none`,
      "DATA_TARGET",
    );
  return {
    source,
    rows,
    columnCount: height * width * channels,
    rowShape: [height, width, channels],
    names: images.map(nameOf),
    advice:
      typeof from === "string"
        ? "put the images of each class into a sub-folder named after the class"
        : "give each image a label",
    ...(labels.length > 0 ? { target: labels } : {}),
  };
}

async function pixelsOf(
  image: LabelledImage,
  { size, channels, background = "white", signal }: ImageOptions & SourceOptions,
): Promise<Image> {
  const source = openSource(image.source, { signal });
  const decoded = await decodeImage(await allBytes(source, mostBytes), image.name ?? source.name, background);
  const wanted = channels === 1 ? greyed(decoded) : decoded;
  return size === undefined ? wanted : resized(wanted, size[0], size[1]);
}

const nameOf = ({ name, source }: LabelledImage): string => name ?? openSource(source).name;

function refuseOtherSize(images: readonly LabelledImage[], read: readonly Image[]): void {
  const [first] = read;
  const last = read[read.length - 1];
  if (first.height === last.height && first.width === last.width) return;
  const before = `${nameOf(images[0])} has ${first.height} × ${first.width}`;
  throw fileFault(
    nameOf(images[read.length - 1]),
    `the image has ${last.height} × ${last.width} pixels (height × width), but ${before}; pass size: [height, width] to resize them all`,
    "DATA_RAGGED",
  );
}

/**
 * Lists the images of a folder: one sub-folder per class, or only images. They are sorted by class and then by name. The
 * path of a picture is a list of one.
 */
async function imagesIn(folder: string): Promise<LabelledImage[]> {
  if (isImageName(folder) && !(await isFolder(folder))) return [{ source: folder }];
  const entries = await entriesOf(folder);
  const classes = entries.filter((entry) => entry.folder);
  const loose = entries.filter((entry) => !entry.folder && isImageName(entry.name));
  if (classes.length === 0) {
    if (loose.length > 0) return loose.map(({ name, path }) => ({ name, source: path }));
    const found = entries.length === 0 ? "is empty" : `holds no image (${listed(entries.map(({ name }) => name))})`;
    throw fileFault(folder, `the folder ${found}; put PNG or JPEG files into it, one sub-folder per class`, "DATA_EMPTY");
  }
  if (loose.length > 0) {
    const beside = `the image is next to ${classes.length} class folders (${listed(classes.map(({ name }) => name))})`;
    throw fileFault(loose[0].path, `${beside}, so its class is unknown; move it into one of them`, "DATA_TARGET");
  }
  const images: LabelledImage[] = [];
  for (const entry of classes) for (const image of await imagesOfClass(entry)) images.push(image);
  return images;
}

async function imagesOfClass({ name: label, path: folder }: Entry): Promise<LabelledImage[]> {
  const entries = await entriesOf(folder);
  if (entries.length === 0)
    throw fileFault(folder, "the folder of this class is empty; put images into it, or remove it", "DATA_EMPTY");
  const inner = entries.find((entry) => entry.folder);
  if (inner) {
    throw fileFault(
      inner.path,
      "this folder is inside a class folder; name the folder that contains the class folders, and keep only images in them",
      "DATA_FORMAT",
    );
  }
  return entries.map(({ name, path }) => ({ name: `${label}/${name}`, source: path, label }));
}

function checkOptions({ size, channels, background = "white" }: ImageOptions): void {
  if (size !== undefined) {
    if (!Array.isArray(size) || size.length !== 2)
      throw new OptionError("images", `size is ${JSON.stringify(size)}, but must be [height, width]`, "OPTION_RANGE");
    checkNumber("images", "height of size", size[0], { low: 1, high: 65_535, integer: true });
    checkNumber("images", "width of size", size[1], { low: 1, high: 65_535, integer: true });
  }
  if (channels !== undefined && channels !== 1 && channels !== 3) {
    throw new OptionError("images", `channels is ${told(channels)}, but must be 1 (grey) or 3 (colours)`, "OPTION_RANGE");
  }
  if (background !== "white" && background !== "black") {
    throw new OptionError(
      "images",
      `background is ${JSON.stringify(background)}, but must be "white" or "black"`,
      "OPTION_RANGE",
    );
  }
}
