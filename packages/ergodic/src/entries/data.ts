/**
 * `ergodic/data`: datasets, tables, ratings and feature maps. The entry also exports the errors and checks that file
 * readers need.
 */
import "../predict/at-start.ts"; // left out by bundlers

export { Dataset, Pipeline } from "../engine/data/dataset.ts";
export { dateParts } from "../engine/data/dates.ts";
export {
  type FeatureOptions,
  fastfood,
  featureMaps,
  orthogonal,
  type ProductOptions,
  type Products,
  products,
  type RandomFeatures,
  randomFeaturesFromJson,
  rff,
  sorf,
} from "../engine/data/features/index.ts";
export type { DateParts, Impute } from "../engine/data/from-table.ts";
export { missingAmongNumbers, missingTexts } from "../engine/data/missing-texts.ts";
export type { Name, NameIndex } from "../engine/data/name-index.ts";
export { newLevels } from "../engine/data/new-levels.ts";
export { type Duplicates, type RatingColumns, Ratings, type TriplesOptions } from "../engine/data/ratings.ts";
export type { Column, Remark, Row, RowOf, SparseTable, Table } from "../engine/data/table.ts";
export {
  CapabilityError,
  checkNumber,
  DataError,
  ErgodicError,
  OptionError,
} from "../engine/errors/errors.ts";
export { checkKeys } from "../engine/errors/own-keys.ts";
export { murmur3 } from "../engine/random/own-murmur3.ts";
