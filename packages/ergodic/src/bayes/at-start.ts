/** Reserves the names of all distributions in programs that are not bundled. Bundlers leave this module out. */
import * as distributions from "./distributions/all.ts";
import { reserveDistributionNames } from "./distributions/distribution.ts";
import "../engine/optimise/at-start.ts"; // left out by bundlers
import "../predict/at-start.ts"; // left out by bundlers

reserveDistributionNames(Object.keys(distributions));
