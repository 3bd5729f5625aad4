import { refuse } from "./checks.ts";
import { checkKeys as checkOptions } from "./errors.ts";
import { isListOf } from "./list-of.ts";

/**
 * Throws an error unless `options` is an object whose keys are all known and whose values are not null. `nullable`:
 * options for which null has a meaning. `absent`: options of other functions, with what to use here instead.
 *
 * For code outside the library, so the list of names is checked too.
 */
export function checkKeys(...given: Parameters<typeof checkOptions>): void {
  if (!isListOf(given[2], (key) => typeof key === "string"))
    refuse("checkKeys", "the third argument", given[2], "a list of names", '["size", "seed"]');
  checkOptions(...given);
}
