/**
 * Reserves the names of all definitions in the library and registers all pipeline steps, in programs that are not
 * bundled. Bundlers leave this module out, as they do unused definitions.
 */
import "../bayes/at-start.ts"; // left out by bundlers
import "../learning/at-start.ts"; // left out by bundlers
import "../search/at-start.ts"; // left out by bundlers
