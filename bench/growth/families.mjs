/**
 * What grows, by what, and how fast theory says it should: a family is `{ grows, theory, sizes, open(size) → () => work }`. `open` makes what the work is done on, which
 * is not counted; the work is. Sizes are large enough for the last two to say what cost tends to.
 */
import { fileFamilies } from "./files.mjs";
import { linearFamilies } from "./linear.mjs";
import { networkFamilies } from "./networks.mjs";
import { predictionFamilies } from "./predictions.mjs";
import { ratingsFamilies } from "./ratings.mjs";
import { samplingFamilies } from "./sampling.mjs";

export const families = {
  ...linearFamilies,
  ...samplingFamilies,
  ...networkFamilies,
  ...predictionFamilies,
  ...ratingsFamilies,
  ...fileFamilies,
};
