/** The names of what the library defines are kept for it, once all of it is defined. Bundlers leave this module out, as they do what is not used. */
import { reserveRules } from "./algorithms/gradient/index.ts";
import { reserveSearches } from "./algorithms/search/index.ts";
import { reserveLossNames } from "./models/loss.ts";
import "./models/losses/index.ts"; // left out by bundlers
import { reserveInitialisers, reserveLayerKinds } from "./models/neural/index.ts";
import { reserveDistributionNames } from "./models/statistical/distributions/distribution.ts";
import "./models/statistical/index.ts"; // left out by bundlers
import "./predict/at-start.ts"; // left out by bundlers

reserveRules();
reserveSearches();
reserveLossNames();
reserveInitialisers();
reserveLayerKinds();
reserveDistributionNames();
