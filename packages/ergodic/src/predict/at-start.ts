/** Where nothing is bundled, pipelines make datasets, too, and know all maps of features. Bundlers leave this module out. */
import { Pipeline } from "../data/dataset.ts";
import { addFeatureMaps } from "../data/features/index.ts";
import { makePipelinesBy } from "../data/pipeline.ts";

makePipelinesBy((steps) => new Pipeline(steps));
addFeatureMaps();
