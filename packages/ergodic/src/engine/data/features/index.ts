/** Random feature maps by name. */

import type { JsonObject } from "../../contract/index.ts";
import { checkNamedJson } from "../../errors/checks.ts";
import { DataError } from "../../errors/errors.ts";
import { addTransformation } from "../transformations/index.ts";
import { fastfood, fastfoodStep } from "./fastfood.ts";
import type { FeatureOptions, RandomFeatures } from "./feature-map.ts";
import { orthogonal, orthogonalStep } from "./orthogonal.ts";
import { type ProductOptions, type Products, products, productsStep } from "./products.ts";
import { rff, rffStep } from "./rff.ts";
import { sorf, sorfStep } from "./sorf.ts";

export type { FeatureOptions, ProductOptions, Products, RandomFeatures };
export { fastfood, orthogonal, products, rff, sorf };

/** Factories of the maps, by the names that users type. */
export const featureMaps: Readonly<Record<string, (options: FeatureOptions) => RandomFeatures>> = {
  rff,
  orthogonal,
  sorf,
  fastfood,
};

/** Returns the map described by the result of `toJSON`. */
export function randomFeaturesFromJson(json: JsonObject): RandomFeatures {
  checkNamedJson("randomFeaturesFromJson", json, "kind", "random features");
  const { kind, ...options } = json as { kind: string };
  if (Object.hasOwn(featureMaps, kind)) return featureMaps[kind](options as unknown as FeatureOptions);
  throw new DataError("features", `there is no map "${kind}" (known: ${Object.keys(featureMaps).join(", ")})`, "PIPELINE_STEP");
}

/** Registers the steps of all maps. */
export function addFeatureMaps(): void {
  for (const step of [rffStep, orthogonalStep, sorfStep, fastfoodStep]) addTransformation(step);
  addTransformation(productsStep);
}
