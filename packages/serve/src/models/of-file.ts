import { extname } from "node:path";
import { DataError, type OutputPredictor } from "ergodic";
import { predictor } from "ergodic/predict";
import { InProcess } from "./in-process.ts";
import { OutputModel } from "./output-model.ts";
import { PairModel } from "./pair-model.ts";
import type { Served } from "./served.ts";

/** Kinds of files that hold models, by their ending. */
const loaders: Readonly<Record<string, (path: string) => Promise<Served>>> = {
  ".safetensors": async (path) => {
    const loaded = await predictor(path);
    return loaded.kind === "factorisation" ? (new PairModel(loaded) as Served) : servedPredictor(loaded, { owned: true });
  },
};

export const modelEndings: readonly string[] = Object.keys(loaders);

/** The model of a file, ready to answer. @throws DataError and others, saying what is wrong with it */
export async function servedOfFile(path: string): Promise<Served> {
  const ending = extname(path);
  const load = Object.hasOwn(loaders, ending) ? loaders[ending] : undefined;
  if (!load) throw new DataError(path, `is no model (known: ${modelEndings.join(", ")})`, "MODEL_KIND");
  return load(path);
}

/** Predicts on this thread. `owned`: disposed of when the server has done with it. */
export function servedPredictor(predictor: OutputPredictor, { owned }: { owned: boolean }): Served {
  return new OutputModel(predictor, new InProcess(predictor, owned)) as unknown as Served;
}
