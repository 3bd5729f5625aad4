/** Factorisations of ratings as models of `fit`. */

import type { JsonObject, SavedModel } from "../../../engine/contract/index.ts";
import { ratingsDigest } from "../../../engine/data/digest.ts";
import type { Ratings } from "../../../engine/data/ratings.ts";
import { CapabilityError } from "../../../engine/errors/errors.ts";
import { FactorPredictor } from "../../../predict/factorisation.ts";
import { alternatingLeastSquares } from "../../coordinates/alternating.ts";
import { type FactorisationModel, factorisationFromJson, factorisationModel } from "../../models/ratings/factorisation.ts";
import type { FactorisationOptions } from "../../models/ratings/settings.ts";
import { algorithmFamilies, checkRatings, DIGEST, type FitOptions, type Trainable, type TrainableModel } from "./trainable.ts";

/**
 * A factorisation of ratings for `fit`. Every user has a row of `rank` factors in P, and every item has a row of `rank`
 * factors in Q.
 *
 * Explicit ratings: r̂ = μ + b_u + b_i + p·q. With `implicit`, values are strengths of evidence, and predictions are
 * preferences near 0 or 1.
 * `fit` trains it by alternatingLeastSquares() by default.
 *
 * @throws OptionError; from `fit` DataError for negative values of implicit ratings
 *
 * @example
 * ```ts
 * const model = await fit(factorisation({ rank: 16 }), Ratings.fromTriples({ users, items, values }), { seed: 1 });
 * model.recommend("ann", { count: 5 });   // [{ item, score }, …]
 * ```
 */
export function factorisation(given?: FactorisationOptions): FactorisationModel {
  const model: FactorisationModel & TrainableModel<Ratings, FactorPredictor> = {
    ...factorisationModel(given),
    trainable: trainableRatings,
  };
  return model;
}

export const trainableRatings: Trainable<Ratings, FactorPredictor> = {
  from: factorisationFromJson,
  checkData: checkRatings,
  typeOf: () => "f64",
  fingerprint,
  olderFingerprint,
  size: ({ users, items, count }) => `${String(count)} ratings of ${String(items)} items by ${String(users)} users`,
  defaults: ({ algorithm }) => (algorithm ?? alternatingLeastSquares()).defaults ?? {},
  families: ({ algorithm }) => (algorithm ? algorithmFamilies(algorithm) : ["coordinate"]),
  choose(options) {
    refuseRules(options);
    return alternatingLeastSquares();
  },
  follow: (heldOut) => ({ dataset: heldOut, dispose() {}, [Symbol.dispose]() {} }),
  predictor: (saved) => new FactorPredictor(saved),
  measure,
};

function refuseRules({ rule, variance }: FitOptions<Ratings>): void {
  if (!rule && !variance) return;
  throw new CapabilityError(
    "fit",
    `${rule ? "rule" : "variance"} was given, but factors are solved for without gradient steps; leave it out, or give algorithm: alternatingLeastSquares() or factorCoordinateDescent()`,
    "MODEL_CAPABILITY",
  );
}

/**
 * Returns metrics on held-out ratings. `loss` is the root mean square error. For preferences, `loss` is 1 − ndcg of the
 * best 10 items among those without a training rating.
 */
function measure(saved: SavedModel, heldOut: Ratings, train: Ratings): Record<string, number> {
  const predictor = new FactorPredictor(saved);
  const { warning: _, ...measured } = predictor.evaluate(heldOut, { exclude: train });
  return { loss: measured.rmse ?? 1 - (measured.ndcg ?? Number.NaN), ...measured };
}

/** Number of users, items and ratings, and a digest of all ratings and names. */
function fingerprint(data: Ratings): JsonObject {
  return { users: data.users.size, items: data.items.size, count: data.count, digest: ratingsDigest(data), method: DIGEST };
}

/** Fingerprint in older checkpoints (FNV-1a over words). It did not include the names. */
function olderFingerprint(data: Ratings): JsonObject {
  let hash = 0x811c9dc5;
  const { users, items, values } = data.triples();
  for (const words of [users, items, new Uint32Array(values.buffer)]) {
    for (const word of words) hash = Math.imul(hash ^ word, 0x01000193);
  }
  return { users: data.users.size, items: data.items.size, count: data.count, digest: (hash >>> 0).toString(16) };
}
