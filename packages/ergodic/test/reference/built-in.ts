import * as ergodic from "../../src/entries/everything.ts";

/**
 * Returns the `names` of a registry that the library exports with `suffix`. Other tests in this process might have
 * defined their own names.
 */
export const builtIn = (names: readonly string[], suffix = ""): string[] => names.filter((name) => `${name}${suffix}` in ergodic);
