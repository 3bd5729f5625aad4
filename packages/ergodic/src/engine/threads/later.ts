import { CapabilityError, saidBy } from "../errors/errors.ts";

/**
 * Loads code when it is needed. @throws CapabilityError [HOST_IMPORT] if the code cannot be loaded, so that the
 * caller's input is not blamed
 */
export async function later<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw new CapabilityError(
      "ergodic",
      `a part of the library cannot be loaded (${saidBy(cause)}); in a service worker, which cannot load code later, import the package @ergodic/single-file; elsewhere check that the site has every file of its build`,
      "HOST_IMPORT",
      { cause },
    );
  }
}
