/**
 * Reserves the names of all definitions in the library and registers all pipeline steps, in programs that are not
 * bundled. Bundlers remove this module, as they remove all unused definitions.
 */
import "../bayes/at-start.ts"; // left out by bundlers
import "../learning/at-start.ts"; // left out by bundlers
import "../search/at-start.ts"; // left out by bundlers
