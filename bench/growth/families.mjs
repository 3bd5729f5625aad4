/**
 * Families of work: the quantity that grows, and the growth that theory predicts. A family is `{ grows, theory, sizes,
 * open(size) → () => work }`. `open` prepares the data and is not measured; the work is. Sizes are large enough for the
 * last two to show the asymptotic cost.
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
