/**
 * Where nothing is bundled, the names of what the library defines are kept for it, and pipelines know all steps. Bundlers leave this module out, as they do
 * the definitions that are not used.
 */
import { reserveRules } from "./algorithms/gradient/index.ts";
import { reserveSearches } from "./algorithms/search/index.ts";
import { reserveLossNames } from "./models/loss.ts";
import * as losses from "./models/losses/index.ts";
import { reserveInitialisers } from "./models/neural/initialisers.ts";
import { reserveLayerKinds } from "./models/neural/layers/by-kind.ts";
import { reserveDistributionNames } from "./models/statistical/distributions/distribution.ts";
import * as distributions from "./models/statistical/distributions/index.ts";
import "./predict/at-start.ts"; // left out by bundlers

reserveRules();
reserveSearches();
reserveLossNames(Object.keys(losses));
reserveInitialisers();
reserveLayerKinds();
reserveDistributionNames(Object.keys(distributions));
