/** Where nothing is bundled, pipelines make datasets, too, and know all maps of features, and many rows are predicted fast at once. Bundlers leave this module out. */
import { addAllSteps } from "../engine/data/all-steps.ts";
import { Pipeline } from "../engine/data/dataset.ts";
import { makePipelinesBy } from "../engine/data/pipeline.ts";
import { scoreManyBy } from "./linear.ts";
import { manyScores } from "./many-rows.ts";

makePipelinesBy((steps) => new Pipeline(steps));
addAllSteps();
scoreManyBy(manyScores);
