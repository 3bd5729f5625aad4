import { labelsBeside } from "@ergodic/ingest";
import type { Command } from "commander";
import { DataError, type Dataset, predictor } from "ergodic";
import { modelFromJson } from "ergodic/learning";
import { UsageError } from "../errors.ts";
import { given } from "./given.ts";
import type { AnyModel } from "./model.ts";
import { modelOptions, type TrainOptions } from "./training.ts";

/** Model and target name from the `--from` file, which are used unless the command line gives others. */
export interface Begun {
  readonly model: ((data: Dataset) => AnyModel) | undefined;
  readonly target: string | undefined;
}

/**
 * Options that define the structure of a model. With `--from`, these options are refused, because the parameters in the
 * file fit only the structure in the file.
 */
const ofStructure = ["features", "standardise", "augment"] as const;

/**
 * `path`: training data. Returns undefined without `--from` and for a resumed run. Also returns undefined if the
 * `--from` file is a checkpoint, because the command line then gives everything.
 */
export async function beginningOf(path: string, options: TrainOptions, command: Command): Promise<Begun | undefined> {
  const { from } = options;
  if (from === undefined || options.resume !== undefined) return undefined;
  const saved = await predictor(from).catch((error: unknown) => {
    if (error instanceof DataError && error.code === "MODEL_KIND") return undefined;
    throw error;
  });
  if (!saved) return undefined;
  if (saved.kind === "factorisation")
    throw new UsageError("--from", `${from} is a model of ratings; give it to ergodic recommend`);
  // Rows without column names and arrays with labels bring their own target, so their readers refuse a target.
  const labels = options.labels ?? (await labelsBeside(path));
  const target = saved.pipeline.inputs === null || labels !== undefined ? undefined : saved.targetName;
  saved.dispose();
  const isNamed = command.getOptionValueSource("model") === "cli";
  if (isNamed) return { model: undefined, target };
  const beside = ofStructure.find((name) => options[name] !== undefined);
  if (beside)
    throw new UsageError(
      `--${beside}`,
      `was given, but --from uses the model in ${from} unchanged; leave --${beside} out, or name the --model`,
    );
  const { loss, l1, l2, classWeights } = modelOptions(options);
  const { model } = saved.description;
  const json = JSON.parse(JSON.stringify({ ...(model as object), ...given({ loss, l1, l2, classWeights }) }));
  const made = modelFromJson(json) as AnyModel;
  return { model: () => made, target };
}
