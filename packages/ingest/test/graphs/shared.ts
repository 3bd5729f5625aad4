/** Reference graphs in the folder next to this repository. Tests that need them report their absence. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const folder = fileURLToPath(new URL("../../../../../shared/data/graphs/", import.meta.url));
export const there = existsSync(folder);
export const skipped = there ? "" : " (skipped: no ../shared/data/graphs)";
if (!there) console.warn("graphs: skipped the tests on reference graphs: ../shared/data/graphs is absent");
