import * as ergodic from "../../src/entries/everything.ts";

/**
 * Returns those of the `names` in a registry that the library exports, with `suffix`. Another test in this process may
 * have defined names of its own.
 */
export const builtIn = (names: readonly string[], suffix = ""): string[] => names.filter((name) => `${name}${suffix}` in ergodic);
