/**
 * Registers features that unbundled programs have from the start: pipelines that make datasets, all feature maps, and
 * the faster computation for many rows. Bundlers leave this module out.
 */
import { addAllSteps } from "../engine/data/all-steps.ts";
import { Pipeline } from "../engine/data/dataset.ts";
import { makePipelinesBy } from "../engine/data/pipeline.ts";
import { scoreManyBy } from "./linear.ts";
import { manyScores } from "./many-rows.ts";

makePipelinesBy((steps) => new Pipeline(steps));
addAllSteps();
scoreManyBy(manyScores);
