// The generated pages of the reference, by file name in docs/.
import { errorsPage } from "./errors.mjs";
import { formatsPage } from "./formats.mjs";
import { layersPage } from "./layers.mjs";
import { lossesPage } from "./losses.mjs";
import { methodsPage } from "./methods.mjs";
import { algorithmsPage, optionsPage } from "./options.mjs";

/**
 * @typedef {object} Modules
 * @property {import("./layers.mjs").Neural} neural
 * @property {import("./layers.mjs").Arrays} arrays
 * @property {import("./losses.mjs").Losses} losses
 */

/** Modules of the sources from which pages are computed. */
export const moduleFiles = {
  neural: "packages/ergodic/src/learning/models/neural/index.ts",
  arrays: "packages/ergodic/src/engine/compiler/array/index.ts",
  losses: "packages/ergodic/src/entries/losses.ts",
};

/** @type {Readonly<Record<string, (modules: Modules) => string>>} */
export const referencePages = {
  "options.md": optionsPage,
  "methods.md": methodsPage,
  "algorithms.md": algorithmsPage,
  "layers.md": ({ neural, arrays }) => layersPage(neural, arrays),
  "losses.md": ({ losses }) => lossesPage(losses),
  "formats.md": formatsPage,
  "errors.md": errorsPage,
};
