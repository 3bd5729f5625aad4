import { addDates } from "./dates.ts";
import { addFeatureMaps } from "./features/index.ts";
import { addImpute } from "./transformations/impute.ts";

/** Registers all optional steps for models from files: feature maps, imputation and dates. */
export function addAllSteps(): void {
  addFeatureMaps();
  addImpute();
  addDates();
}
