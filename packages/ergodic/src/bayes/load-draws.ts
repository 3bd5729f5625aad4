import { refuse } from "../engine/errors/checks.ts";
import { checkKeys } from "../engine/errors/errors.ts";
import { later } from "../engine/threads/later.ts";
import { type Draws, type DrawsSourceFile, type FolderHandle, readDraws } from "./draws/index.ts";
import type { ConditionedModel, DataOfModel, ModelData, NamesOf, StatisticalModel } from "./model/index.ts";

/** A model and its data, to be combined with draws that are read from a file. */
export interface DrawsModel<M> {
  /** Model that made the draws, or a version of this model with other generated quantities. */
  readonly model: M;
  /** Data that the draws were conditioned on. */
  readonly data: DataOfModel<M>;
}

/** Type of a model's draws, which includes the names of reported quantities and of data. */
type DrawsOf<M> = Draws<NamesOf<M>, M extends StatisticalModel<infer D, string> ? keyof D & string : string>;
type AnyModel = StatisticalModel<never>;

/**
 * Loads draws from a folder, one file, or one CSV file per chain, as written by `saveDraws` or CmdStan. Draws that are
 * loaded with their model give the same results as the original run.
 *
 * Predictions equal the predictions of the original run, bit for bit. Quantities that the model defines differently,
 * including simulated quantities, are recomputed with the seed of the run. Unchanged quantities keep the values from
 * the file.
 *
 * `Q`: names of the quantities in the file, for the compiler, if no model is given: `loadDraws<NamesOf<typeof
 * eightSchools>>("out")`.
 *
 * @param from folder, one file (path, URL, Blob, bytes or handle), or a list with one file per chain
 * @param given model and data of the run, which predictions and checks need
 * @throws DataError [FILE_READ], [DRAWS_FOLDER] and the errors of the formats; [DRAWS_MODEL] if the model's parameters,
 * its
 *   density or the sizes of the data differ from the run's; errors of conditioning the model
 *
 * @example
 * ```ts
 * const posterior = await loadDraws("out", { model: eightSchools, data });
 * posterior.loo(); posterior.check("y"); posterior.predict(); await posterior.predictor();
 * ```
 */
export function loadDraws<M extends AnyModel>(
  from: DrawsSourceFile | FolderHandle | readonly DrawsSourceFile[],
  given: DrawsModel<M>,
): Promise<DrawsOf<M>>;
export function loadDraws<Q extends string = string>(
  from: DrawsSourceFile | FolderHandle | readonly DrawsSourceFile[],
): Promise<Draws<Q>>;
export async function loadDraws(
  from: DrawsSourceFile | FolderHandle | readonly DrawsSourceFile[],
  given?: DrawsModel<AnyModel>,
): Promise<Draws> {
  if (given !== undefined) checkGiven("loadDraws", given);
  const draws = await readDraws(from);
  return given === undefined ? draws : withModel(draws, given);
}

/**
 * Combines draws from any source (`fromCmdStanCsv`, `fromDataFrame`, `readDrawsArrow`) with their model, as `loadDraws`
 * does.
 *
 * @throws DataError [DRAWS_MODEL]; errors of conditioning the model
 */
export async function withModel<M extends AnyModel>(draws: Draws, given: DrawsModel<M>): Promise<DrawsOf<M>> {
  const { model, data } = checkGiven("withModel", given);
  const { plan, rows } = draws.description as { plan?: { deterministic?: unknown }; rows?: unknown };
  const options = { deterministic: plan?.deterministic === true, ...(typeof rows === "string" ? { rows } : {}) };
  const density = await (model as StatisticalModel).condition(data as ModelData, options);
  const { joined } = await later(() => import("./with-model.ts"));
  return joined(draws, density as ConditionedModel) as unknown as DrawsOf<M>;
}

function checkGiven<M>(where: string, given: DrawsModel<M>): DrawsModel<M> {
  checkKeys(where, given, ["model", "data"]);
  const { model, data } = given;
  if (typeof (model as { condition?: unknown } | null | undefined)?.condition !== "function")
    refuse(where, "model", model, "a model()", "{ model: eightSchools, data }");
  if (typeof data !== "object" || data === null)
    refuse(where, "data", data, "an object of data by name", "{ model, data: { y } }");
  return given;
}
