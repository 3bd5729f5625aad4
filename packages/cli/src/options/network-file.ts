import type { Layer, LayerLike } from "ergodic/layers";
import { UsageError } from "../errors.ts";
import { isModuleFile, loadedModule, moduleFailure } from "./module-file.ts";

/** Sizes that a network must match. */
export interface NetworkShape {
  /** Number of outputs of its last layer. */
  readonly outputs: number;
  /** Shape of an example: [height, width, channels], or [columns]. */
  readonly rowShape: readonly number[];
}

export type MakeLayers = (shape: NetworkShape) => LayerLike | readonly LayerLike[];

export const isNetworkFile = isModuleFile;

/**
 * Returns the network file that --model names, if it names one.
 *
 * A network file is a JavaScript or TypeScript file (module-file.ts). Its default export is a layer, a list of layers,
 * a function (x, scope) => array, or a function that receives the sizes and returns one of these:
 *
 *   import { cnn } from "ergodic";
 *   import { randomShift } from "ergodic/layers";
 *   export default ({ outputs, rowShape }) => [randomShift(1), cnn({ channels: [16, 32], outputs })];
 *
 * A function with two or more parameters is the network itself; one with fewer returns it.
 *
 * @throws UsageError for a file without such an export; DataError if the file cannot be read
 */
export const networkFile = ({ model = "" }: { model?: string }): string | undefined => (isNetworkFile(model) ? model : undefined);

export async function layersOfFile(path: string): Promise<MakeLayers> {
  const { default: found } = await loadedModule("--model", path);
  if (typeof found === "function" && found.length < 2)
    return (shape) => checked(path, made(path, found as (shape: NetworkShape) => unknown, shape), "the function gives");
  const layers = checked(path, found, "the default export is");
  return () => layers;
}

/** Calls the file's function. An error thrown in this file is reported as an error of the file. */
function made(path: string, make: (shape: NetworkShape) => unknown, shape: NetworkShape): unknown {
  try {
    return make(shape);
  } catch (cause) {
    throw moduleFailure(path, cause);
  }
}

function checked(path: string, value: unknown, what: string): LayerLike | readonly LayerLike[] {
  if (isPart(value) || (Array.isArray(value) && value.length > 0 && value.every(isPart))) return value;
  const shown = Array.isArray(value) ? `a list of ${value.length}, not all of them layers` : typeof value;
  throw new UsageError(
    "--model",
    `${path}: ${what} ${shown}, but must be a layer, a list of layers or a function; write export default ({ outputs }) => mlp([64], { outputs })`,
  );
}

const isPart = (value: unknown): value is LayerLike =>
  typeof value === "function" || (typeof value === "object" && value !== null && "kind" in value && "apply" in (value as Layer));
