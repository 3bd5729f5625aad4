import { addDates } from "./dates.ts";
import { addFeatureMaps } from "./features/index.ts";
import { addImpute } from "./transformations/impute.ts";

/** Makes all that is not always at hand known to pipelines: the steps of maps of features, fills of gaps, dates. For models from files. */
export function addAllSteps(): void {
  addFeatureMaps();
  addImpute();
  addDates();
}
