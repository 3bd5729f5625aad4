/** Reserves the names of all searches, in programs that are not bundled. Bundlers leave this module out. */
import { reserveSearches } from "./algorithms/index.ts";
import "../engine/optimise/at-start.ts"; // left out by bundlers

reserveSearches();
