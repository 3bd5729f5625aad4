import type { Command } from "commander";
import { DataError, type Dataset, predictor } from "ergodic";
import { modelFromJson } from "ergodic/learning";
import { UsageError } from "../errors.ts";
import { given } from "./given.ts";
import type { AnyModel } from "./model.ts";
import { modelOptions, type TrainOptions } from "./training.ts";

/** What training takes over from the file that `--from` names, where the command line says nothing of it: the model, and the name of its target. */
export interface Begun {
  readonly model: ((data: Dataset) => AnyModel) | undefined;
  readonly target: string | undefined;
}

/** Options that say what a network or a map of features is made of: the file's parts go with its own. */
const ofStructure = ["features", "standardise", "augment"] as const;

/** Undefined without `--from`, and for a checkpoint, of which the command line says all. */
export async function beginningOf(options: TrainOptions, command: Command): Promise<Begun | undefined> {
  const { from } = options;
  if (from === undefined || options.resume !== undefined) return undefined;
  const saved = await predictor(from).catch((error: unknown) => {
    if (error instanceof DataError && error.code === "MODEL_KIND") return undefined;
    throw error;
  });
  if (!saved) return undefined;
  if (saved.kind === "factorisation")
    throw new UsageError("--from", `${from} is a model of ratings; give it to ergodic recommend`);
  const target = saved.targetName;
  saved.dispose();
  const isNamed = command.getOptionValueSource("model") === "cli";
  if (isNamed) return { model: undefined, target };
  const beside = ofStructure.find((name) => options[name] !== undefined);
  if (beside)
    throw new UsageError(
      `--${beside}`,
      `was given, but --from takes the model as ${from} has it; leave --${beside} out, or name the --model`,
    );
  const { loss, l1, l2, classWeights } = modelOptions(options);
  const { model } = saved.description;
  const json = JSON.parse(JSON.stringify({ ...(model as object), ...given({ loss, l1, l2, classWeights }) }));
  const made = modelFromJson(json) as AnyModel;
  return { model: () => made, target };
}
