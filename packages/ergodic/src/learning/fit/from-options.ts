import { checkChoice, holds, isList, refuse } from "../../engine/errors/checks.ts";
import { OptionError } from "../../engine/errors/errors.ts";
import { isBlob, isUrl } from "../../engine/files/kinds.ts";

/** Starting point of training: a trained model, its file or bytes, a checkpoint of a run, or a list of parameters. */
export type From = { toBytes(): Uint8Array } | string | URL | Uint8Array | Blob | ArrayLike<number>;

/** Options of `fit` for the starting point of training. */
export interface FromOptions {
  /**
   * Starting point of training. The starting point can be a trained model, given as a predictor or as its file (path,
   * URL, Blob, bytes). The model can have been trained on other data. A checkpoint of a run or a list of numbers is
   * also accepted. For linear models, the list contains all weights, output by output, and then the intercepts. For
   * networks, the list contains the trained parameters layer by layer, then the frozen parameters, then the running
   * statistics. Rows are encoded by the trained model's own pipeline and classes. Default: the model's own initial
   * parameters.
   */
  from?: From;
  /**
   * Whether the optimiser state is "kept", which means copied from the checkpoint in `from`, or "fresh". The optimiser
   * state contains the moments, and the update count on which rates depend. Default "fresh".
   */
  optimiser?: "fresh" | "kept";
  /**
   * Paths of the network parts that do not start from `from` but are initialised again, e.g. ["4"] for the fifth layer.
   * Default: none.
   */
  reset?: readonly string[];
}

export const fromKeys = ["from", "optimiser", "reset"];

/** Checks the options as far as possible before reading anything. @throws OptionError */
export function checkFrom({ from, optimiser, reset }: FromOptions): void {
  if (optimiser !== undefined) checkChoice("fit", "optimiser", optimiser, ["fresh", "kept"]);
  const isNames = Array.isArray(reset) && reset.every((part) => typeof part === "string");
  if (reset !== undefined && !isNames) refuse("fit", "reset", reset, "a list of paths of parameters", '["4"]');
  if (from === undefined) {
    const alone = optimiser === "kept" ? "optimiser" : reset === undefined ? undefined : "reset";
    if (!alone) return;
    const message = `${alone} was given without from; give the trained model to start from`;
    throw new OptionError("fit", message, "OPTION_MISSING");
  }
  const isFile = typeof from === "string" || isUrl(from) || isBlob(from);
  if (!isFile && !holds(from, "toBytes") && !isList(from))
    refuse("fit", "from", from, "a trained model, its file, a checkpoint or a list of numbers", '"income.safetensors"');
}
