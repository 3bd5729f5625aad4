/** Where nothing is bundled, pipelines know all maps of features from the start. Bundlers leave this module out. */
import { addFeatureMaps } from "../data/features/index.ts";

addFeatureMaps();
