/** Where nothing is bundled, pipelines make datasets, too, and know all maps of features, and many rows are predicted fast at once. Bundlers leave this module out. */
import { Pipeline } from "../data/dataset.ts";
import { addFeatureMaps } from "../data/features/index.ts";
import { makePipelinesBy } from "../data/pipeline.ts";
import { scoreManyBy } from "./linear.ts";
import { manyScores } from "./many-rows.ts";

makePipelinesBy((steps) => new Pipeline(steps));
addFeatureMaps();
scoreManyBy(manyScores);
