/** A saved model from a file that a user named. */
import { DataError, type LinearPredictor, predictor } from "ergodic";

/** @throws DataError that names the file, also where it is no safetensors file at all */
export async function loadModel(file: string): Promise<LinearPredictor> {
  try {
    return await predictor(file);
  } catch (error) {
    if (!(error instanceof DataError) || error.code !== "SAFETENSORS") throw error;
    throw new DataError(file, "is no saved model; give a file that ergodic train --out wrote", "MODEL_FORMAT", { cause: error });
  }
}
