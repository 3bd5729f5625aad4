import { refuse } from "../engine/errors/checks.ts";
import { checkKeys } from "../engine/errors/errors.ts";
import { later } from "../engine/threads/later.ts";
import { type Draws, type DrawsSourceFile, type FolderHandle, readDraws } from "./draws/index.ts";
import type { ConditionedModel, DataOfModel, ModelData, NamesOf, StatisticalModel } from "./model/index.ts";

/** A model and its data, for draws that were read from a file. */
export interface DrawsModel<M> {
  /** The model that they were drawn from, or one with other generated quantities. */
  readonly model: M;
  /** The data that they were drawn given. */
  readonly data: DataOfModel<M>;
}

/** Names of what draws of a model report, and of its data. */
type DrawsOf<M> = Draws<NamesOf<M>, M extends StatisticalModel<infer D, string> ? keyof D & string : string>;
type AnyModel = StatisticalModel<never>;

/**
 * Draws from a folder, one file, or one CSV file a chain, as `saveDraws` or CmdStan wrote them; with their model they give what the run gave.
 *
 *   const posterior = await loadDraws("out", { model: eightSchools, data });
 *   posterior.loo(); posterior.check("y"); posterior.predict(); await posterior.predictor();
 *
 * Predictions are those of the run, bit for bit. What the model defines anew is computed, drawn quantities too, by the seed of the run; what it
 * computes as it did is left as it was read.
 *
 * `Q`: without a model, the names that you know to be there, for the compiler alone: `loadDraws<NamesOf<typeof eightSchools>>("out")`.
 *
 * @throws DataError [FILE_READ], [DRAWS_FOLDER] and those of the formats; [DRAWS_MODEL] where the model has other parameters or another density, or
 *   the data other sizes; what conditioning the model throws
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
 * Draws from anywhere (`fromCmdStanCsv`, `fromDataFrame`, `readDrawsArrow`) with the model that they are of, as `loadDraws` joins them.
 *
 * @throws DataError [DRAWS_MODEL]; what conditioning the model throws
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
