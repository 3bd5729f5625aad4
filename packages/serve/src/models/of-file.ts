import type { Stats } from "node:fs";
import { open, stat } from "node:fs/promises";
import { extname } from "node:path";
import { DataError } from "ergodic";
import { type OutputPredictor, type PredictorOptions, predictor } from "ergodic/predict";
import { InProcess } from "./in-process.ts";
import { type JoiningOptions, joiningOf } from "./joining.ts";
import { OnThreads } from "./on-threads.ts";
import { OnnxModel } from "./onnx-model.ts";
import { OutputModel } from "./output-model.ts";
import { PairModel } from "./pair-model.ts";
import type { Served } from "./served.ts";

/** Options for running models from files. */
export interface LoadOptions extends JoiningOptions {
  /**
   * Number of threads of a network. With 0, it runs on the server's thread. Linear models always run on the server's
   * thread, because sending a row takes longer than computing it.
   */
  readonly workers: number;
  /** Limits on the cost of a model, as for `predictor`. */
  readonly limits?: Pick<PredictorOptions, "maxWork" | "maxMemory">;
}

type Load = (path: string, options: LoadOptions) => Promise<Served>;

/** Loads a file that `predictor` reads. */
const loadPredictor: Load = async (path, { workers, limits }) => {
  const loaded = await predictor(path, limits);
  if (loaded.kind === "factorisation") return new PairModel(loaded) as Served;
  if (loaded.kind === "linear" || workers === 0) return servedPredictor(loaded, { owned: true });
  // The predictor on this thread only describes the model, whereas the threads compute.
  loaded.dispose();
  const { predictor: threaded } = await import("ergodic/predict/async");
  const model = await threaded(path, { workers, ...limits });
  if (model.kind === "factorisation") throw new DataError(path, "changed while it was read; load it again", "FILE_CHANGED");
  return new OutputModel(loaded, new OnThreads(model), workers) as unknown as Served;
};

/** Loaders of model files by extension. Other files are read if their content is that of trees. */
const loaders: Readonly<Record<string, Load>> = {
  ".safetensors": loadPredictor,
  ".onnx": async (path, options) => {
    const trees = options.join === undefined ? await onnxTrees(path, options) : undefined;
    if (trees) return trees;
    const { onnxPredictor } = await import("../onnx/index.ts");
    const model = await onnxPredictor(path);
    try {
      return new OnnxModel(model, await joiningOf(model, options), { owned: true }) as unknown as Served;
    } catch (error) {
      await model.close();
      throw error;
    }
  },
};

/**
 * Serves an ONNX file of trees without onnxruntime; undefined if this library cannot represent the file. The joining of
 * requests (`join`) is an option of onnxruntime's models alone.
 */
async function onnxTrees(path: string, options: LoadOptions): Promise<Served | undefined> {
  try {
    return await loadPredictor(path, options);
  } catch (error) {
    if (error instanceof DataError && ["MODEL_FORMAT", "MODEL_KIND"].includes(error.code)) return undefined;
    throw error;
  }
}

export const modelEndings: readonly string[] = Object.keys(loaders);

/**
 * Loads the model of a file, ready to answer. If the signal aborts, the model's threads are ended, even while they
 * compute.
 *
 * @throws DataError and others, which name the fault; the signal's reason
 */
export async function servedOfFile(path: string, options: LoadOptions, signal?: AbortSignal): Promise<Served> {
  const ending = extname(path);
  const load = Object.hasOwn(loaders, ending) ? loaders[ending] : (await seemsTrees(path)) ? loadPredictor : undefined;
  if (!load)
    throw new DataError(
      path,
      `is not a model; give a file that ends in ${modelEndings.join(" or ")}, as "ergodic train --out" writes them, or a model of XGBoost or LightGBM`,
      "MODEL_KIND",
    );
  await refuseIrregular(path);
  const served = await load(path, options);
  // If `close` fails, the second call of `close` below reports the error.
  const stop = (): void => void Promise.resolve(served.close()).catch(() => {});
  signal?.addEventListener("abort", stop, { once: true });
  try {
    signal?.throwIfAborted();
    await served.warmUp?.();
    return served;
  } catch (error) {
    await served.close();
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

/** Whether a file begins like a model of XGBoost, in JSON or UBJSON, or of LightGBM. */
async function seemsTrees(path: string): Promise<boolean> {
  if (!(await stat(path).catch(() => undefined))?.isFile()) return false;
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(16), 0, 16, 0);
    return /^(tree\r?\n|\s*\{)/.test(buffer.toString("latin1", 0, bytesRead));
  } finally {
    await file.close();
  }
}

/**
 * Refuses files that are not regular. Opening a FIFO would wait for a writer, and a device might have no end. Links are
 * followed.
 */
async function refuseIrregular(path: string): Promise<void> {
  // If the file is missing, the loader reports it with a better message.
  const stats = await stat(path).catch(() => undefined);
  if (!stats || stats.isFile()) return;
  throw new DataError(
    path,
    `is ${kindOf(stats)}, but a model is a regular file; move it, or put a model in its place`,
    "FILE_KIND",
  );
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return "a folder";
  if (stats.isFIFO()) return "a FIFO";
  return stats.isSocket() ? "a socket" : "a device";
}

/** Serves a predictor on this thread. `owned`: the server disposes of it at the end. */
export function servedPredictor(predictor: OutputPredictor, { owned }: { owned: boolean }): Served {
  return new OutputModel(predictor, new InProcess(predictor, owned), 1) as unknown as Served;
}
