/**
 * A network from a file of JavaScript, or of TypeScript where Node strips types. Its default export is a layer, a list of layers, a function
 * (x, scope) => array, or a function that is told the sizes and gives one of these:
 *
 *   import { cnn, randomShift } from "ergodic";
 *   export default ({ outputs, rowShape }) => [randomShift(1), cnn({ channels: [16, 32], outputs })];
 *
 * Functions are told apart by their parameters: one of two or more is the network itself. The file must find the same `ergodic` as this command.
 *
 * @throws UsageError for a file without such an export, and for TypeScript where Node cannot read it; DataError where it cannot be read
 */
import { access } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { DataError, ErgodicError, type Layer, type LayerLike } from "ergodic";
import { UsageError } from "../errors.ts";

/** What a network must fit. */
export interface NetworkShape {
  /** Numbers that its last layer gives. */
  readonly outputs: number;
  /** Of an example: [height, width, channels], or [columns]. */
  readonly rowShape: readonly number[];
}

export type MakeLayers = (shape: NetworkShape) => LayerLike | readonly LayerLike[];

const scripts = [".js", ".mjs"];
const typed = [".ts", ".mts"];

export function isNetworkFile(text: string): boolean {
  return [...scripts, ...typed].includes(extname(text));
}

export async function layersOfFile(path: string): Promise<MakeLayers> {
  const isTyped = typed.includes(extname(path));
  if (isTyped && !(process.features as { typescript?: unknown }).typescript)
    throw new UsageError(
      "--model",
      `${path} is TypeScript, which Node reads from 22.18 on, but this is ${process.versions.node}; take a newer Node, or make it ${path.replace(/\.m?ts$/, ".mjs")}`,
    );
  const { default: found } = await loaded(path);
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
    if (cause instanceof ErgodicError) throw cause;
    throw failure(path, cause);
  }
}

function failure(path: string, cause: unknown): DataError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new DataError(path, `fails: ${message}; mend it, or run it by node to see where`, "MODEL_FILE", { cause });
}

async function loaded(path: string): Promise<{ default?: unknown }> {
  const file = resolve(path);
  try {
    await access(file);
  } catch (cause) {
    throw new DataError(path, "cannot be read: no such file", "FILE_READ", { cause });
  }
  try {
    return (await import(/* @vite-ignore */ pathToFileURL(file).href)) as { default?: unknown };
  } catch (cause) {
    throw failure(path, cause);
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
