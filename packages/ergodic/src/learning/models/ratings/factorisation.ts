/**
 * Matrix factorisation of ratings: every user has a row p of P, and every item has a row q of Q, with `rank` factors
 * each.
 *
 * Explicit: r̂ = μ + b_u + b_i + p·q, F = Σ_rated (r − r̂)² + Σ_users λ_u (s‖p‖² + b_u²) + Σ_items λ_i (s‖q‖² + b_i²).
 * μ is the mean rating and is fixed; s is the standard deviation of the ratings. Without `biases`, r̂ = p·q. With
 * factors p/√s and biases b/s, F/s² is the objective for the ratings r/s. If the ratings are expressed in another unit,
 * the predictions are therefore the same, except for that unit.
 * Implicit, with values r >= 0 as strength of evidence: F = Σ_all cells c (t − p·q)² + Σ λ_u ‖p‖² + Σ λ_i ‖q‖², t = 1
 * if r > 0, otherwise 0; c = 1 + `alpha` r, and 1 without a rating. There are no biases.
 * λ = `l2`, > 0. With `weighted` (the default for explicit ratings), λ is l2 times the number of ratings of the user or
 * item. F is a sum over cells, without a factor ½ and without division by the number of cells. Initial values: factors
 * are drawn independently from a normal distribution with mean 0 and standard deviation `initialScale` (default
 * 1/√rank; for explicit ratings in units of √s), with the plan's seed. Biases are 0. Sources: Koren, Bell, Volinsky
 * 2009 (biases); Zhou et al. 2008 (weighted); Hu, Koren, Volinsky 2008 (implicit). Differs from other implementations:
 * biases are fitted with the factors, in the same updates.
 *
 * @throws OptionError; DataError for negative values of implicit ratings; CapabilityError for parameters of 16 bits
 */

import type { Beginning, JsonObject, Model, Plan, SavedModel } from "../../../engine/contract/index.ts";
import type { Ratings } from "../../../engine/data/ratings.ts";
import { checkBoolean } from "../../../engine/errors/checks.ts";
import { CapabilityError, checkKeys, checkNumber, DataError, OptionError } from "../../../engine/errors/errors.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import { meanRating, RatingsProblem, scaleOf } from "./problem.ts";
import type { FactorisationOptions, FactorisationSettings } from "./settings.ts";

/** A factorisation of ratings, as returned by `factorisation`. */
export interface FactorisationModel extends Model<Ratings> {
  /** Options of the model, with every default filled in. */
  readonly options: Readonly<FactorisationSettings>;
  /** Binds the model to ratings, as a problem for algorithms. */
  bind(prepared: Ratings, plan: Plan, engine: Engine): RatingsProblem;
}

export function factorisationModel(given: FactorisationOptions = {}, beginning?: Beginning): FactorisationModel {
  const settings = Object.freeze(settingsOf(given));
  return {
    name: "factorisation",
    options: settings,
    toJSON: () => toJSON(settings),
    prepare: (data) => ({ dataset: data, dispose() {}, [Symbol.dispose]() {} }),
    bind: (ratings, plan, engine) => bind(settings, ratings, plan, engine, beginning),
    save: (ratings, parameters) => save(settings, ratings, parameters),
    startingAt: (other) => factorisationModel(given, other),
  };
}

/** Returns the model that `toJSON` described. */
export function factorisationFromJson(json: JsonObject): FactorisationModel {
  const { model: _, ...options } = json;
  return factorisationModel(options as FactorisationOptions);
}

function toJSON({ alpha, ...rest }: FactorisationSettings): JsonObject {
  return { model: "factorisation", ...rest, implicit: alpha === null ? false : { alpha } };
}

function settingsOf(given: FactorisationOptions): FactorisationSettings {
  const where = "factorisation";
  checkKeys(where, given, ["rank", "l2", "implicit", "biases", "weighted", "initialScale"]);
  const { rank = 32, l2 = 0.1, implicit = false } = given;
  checkNumber(where, "rank", rank, { low: 1, high: 4096, integer: true });
  checkNumber(where, "l2", l2, { low: 0, open: true });
  if (implicit !== false && (typeof implicit !== "object" || implicit === null))
    throw new OptionError(where, `implicit is ${String(implicit)}, but must be false or { alpha: 40 }`, "OPTION_TYPE");
  if (implicit) checkKeys(`${where}.implicit`, implicit, ["alpha"]);
  const alpha = implicit ? (implicit.alpha ?? 40) : null;
  if (alpha !== null) checkNumber(where, "implicit.alpha", alpha, { low: 0 });
  const { biases = alpha === null, weighted = alpha === null } = given;
  for (const [name, value] of Object.entries({ biases, weighted })) {
    checkBoolean(where, name, value);
  }
  if (biases && alpha !== null)
    throw new OptionError(where, "biases is true, but implicit preferences have none; leave biases out", "OPTION_CONFLICT");
  const initialScale = given.initialScale ?? 1 / Math.sqrt(rank);
  checkNumber(where, "initialScale", initialScale, { low: 0, open: true });
  return { rank, l2, alpha, biases, weighted, initialScale };
}

function bind(
  settings: FactorisationSettings,
  ratings: Ratings,
  plan: Plan,
  engine: Engine,
  beginning?: Beginning,
): RatingsProblem {
  const { model } = plan.precision;
  if (model === "i16")
    throw new CapabilityError(
      "factorisation",
      'precision.model is "i16", but factors are solved for in floats; use "f64" or "f32"',
      "PLAN_MEANING",
    );
  if (settings.alpha !== null) refuseNegative(ratings);
  const { seed, deterministic } = plan;
  return new RatingsProblem(ratings, engine, settings, { type: model, seed, deterministic, beginning });
}

function refuseNegative(ratings: Ratings): void {
  const { users, items, values } = ratings.triples();
  const bad = values.findIndex((r) => r < 0);
  if (bad < 0) return;
  const [user, item] = [ratings.users.names[users[bad]], ratings.items.names[items[bad]]];
  throw new DataError(
    ratings.source,
    `user ${JSON.stringify(user)} and item ${JSON.stringify(item)} have the value ${values[bad]}, but implicit evidence must be >= 0; use implicit: false for opinions`,
    "DATA_VALUE",
  );
}

function save(settings: FactorisationSettings, ratings: Ratings, parameters: Float64Array): SavedModel {
  const { rank, biases, l2, alpha, weighted } = settings;
  const userCount = ratings.users.size;
  const width = rank + (biases ? 1 : 0);
  const side = (first: number, count: number): { factors: Float64Array; bias: Float64Array } => {
    const factors = new Float64Array(count * rank);
    const bias = new Float64Array(biases ? count : 0);
    for (let row = 0; row < count; row++) {
      const at = (first + row) * width;
      factors.set(parameters.subarray(at, at + rank), row * rank);
      if (biases) bias[row] = parameters[at + rank];
    }
    return { factors, bias };
  };
  const users = side(0, userCount);
  const items = side(userCount, ratings.items.size);
  return {
    kind: "factorisation",
    description: {
      model: toJSON(settings),
      task: alpha === null ? "rating" : "preference",
      rank,
      biases,
      l2,
      alpha,
      weighted,
      mean: meanRating(ratings),
      scale: scaleOf(settings, ratings),
      users: [...ratings.users.names],
      items: [...ratings.items.names],
      ...(ratings.columns ? { columns: { ...ratings.columns } } : {}),
    },
    tensors: {
      users: users.factors,
      items: items.factors,
      ...(biases ? { userBiases: users.bias, itemBiases: items.bias } : {}),
    },
  };
}
