/**
 * Reserves the names of all definitions in the library and registers all pipeline steps, in programs that are not
 * bundled. Bundlers leave this module out, as they do unused definitions.
 */

import * as distributions from "../bayes/distributions/all.ts";
import { reserveDistributionNames } from "../bayes/distributions/distribution.ts";
import { reserveRules } from "../engine/optimise/index.ts";
import { reserveLossNames } from "../learning/models/loss.ts";
import * as losses from "../learning/models/losses/index.ts";
import { reserveInitialisers } from "../learning/models/neural/initialisers.ts";
import { reserveLayerKinds } from "../learning/models/neural/layers/by-kind.ts";
import { reserveSearches } from "../search/algorithms/index.ts";
import "../predict/at-start.ts"; // left out by bundlers

reserveRules();
reserveSearches();
reserveLossNames(Object.values(losses).map(({ declaration }) => declaration.name));
reserveInitialisers();
reserveLayerKinds();
reserveDistributionNames(Object.keys(distributions));
