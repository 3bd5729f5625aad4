import { checkChoice, holds, isList, refuse } from "../../engine/errors/checks.ts";
import { OptionError } from "../../engine/errors/errors.ts";

/** A trained model, its file or the bytes of one; the checkpoint of a run; or its numbers. */
export type From = { toBytes(): Uint8Array } | string | URL | Uint8Array | Blob | ArrayLike<number>;

/** Options of `fit` on where training begins. */
export interface FromOptions {
  /**
   * Where training begins: a trained model (a predictor, or its file: path, URL, Blob, bytes), which may have been trained on other
   * data; the checkpoint of a run; or a list of numbers: of linear models all weights, output by output, then the intercepts; of
   * networks the trained parameters layer by layer, then the frozen ones, then running statistics. Rows go through the trained
   * model's own steps and classes. Default: a start of the model's own.
   */
  from?: From;
  /**
   * Whether the optimiser's state (moments, and the number of updates that rates go by) is "kept" from the checkpoint given as
   * `from`, or "fresh". Default "fresh".
   */
  optimiser?: "fresh" | "kept";
  /** Parts of a network that begin anew although `from` is given, by their paths, e.g. ["4"] for the fifth layer. Default: none. */
  reset?: readonly string[];
}

export const fromKeys = ["from", "optimiser", "reset"];

/** @throws OptionError for what can be told before anything is read */
export function checkFrom({ from, optimiser, reset }: FromOptions): void {
  if (optimiser !== undefined) checkChoice("fit", "optimiser", optimiser, ["fresh", "kept"]);
  const isNames = Array.isArray(reset) && reset.every((part) => typeof part === "string");
  if (reset !== undefined && !isNames) refuse("fit", "reset", reset, "a list of paths of parameters", '["4"]');
  if (from === undefined) {
    const alone = optimiser === "kept" ? "optimiser" : reset === undefined ? undefined : "reset";
    if (!alone) return;
    const message = `${alone} was given without from; give the trained model that training begins at`;
    throw new OptionError("fit", message, "OPTION_MISSING");
  }
  const isFile = typeof from === "string" || from instanceof URL || from instanceof Blob;
  if (!isFile && !holds(from, "toBytes") && !isList(from))
    refuse("fit", "from", from, "a trained model, its file, a checkpoint or a list of numbers", '"income.safetensors"');
}
