import type { Layer, LayerLike } from "ergodic/layers";
import { UsageError } from "../errors.ts";
import { isModuleFile, loadedModule, moduleFailure } from "./module-file.ts";

/** What a network must fit. */
export interface NetworkShape {
  /** Numbers that its last layer gives. */
  readonly outputs: number;
  /** Of an example: [height, width, channels], or [columns]. */
  readonly rowShape: readonly number[];
}

export type MakeLayers = (shape: NetworkShape) => LayerLike | readonly LayerLike[];

export const isNetworkFile = isModuleFile;

/**
 * A network from a file of JavaScript or TypeScript (module-file.ts). Its default export is a layer, a list of layers, a function
 * (x, scope) => array, or a function that is told the sizes and gives one of these:
 *
 *   import { cnn } from "ergodic";
import { randomShift } from "ergodic/layers";
 *   export default ({ outputs, rowShape }) => [randomShift(1), cnn({ channels: [16, 32], outputs })];
 *
 * Functions are told apart by their parameters: one of two or more is the network itself.
 *
 * @throws UsageError for a file without such an export; DataError where it cannot be read
 *
 * The file that --model names, if it names one.
 */
export const networkFile = ({ model = "" }: { model?: string }): string | undefined => (isNetworkFile(model) ? model : undefined);

export async function layersOfFile(path: string): Promise<MakeLayers> {
  const { default: found } = await loadedModule("--model", path);
  if (typeof found === "function" && found.length < 2)
    return (shape) => checked(path, made(path, found as (shape: NetworkShape) => unknown, shape), "the function gives");
  const layers = checked(path, found, "the default export is");
  return () => layers;
}

/** What the file's function gives; what it throws is the file's fault. */
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
