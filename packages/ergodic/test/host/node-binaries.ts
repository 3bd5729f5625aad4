/** The Node versions that tests of the built library run on: this one, and 22 and 24 where their binaries lie (scripts/prepare-tests.mjs). */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const cache = fileURLToPath(new URL("../../../../node_modules/.cache-node/", import.meta.url));

function binary(major: number): string | undefined {
  const folder = join(cache, String(major));
  if (!existsSync(folder)) return undefined;
  const found = readdirSync(folder, { recursive: true, encoding: "utf8" }).find((path) => path.endsWith(join("bin", "node")));
  return found && join(folder, found);
}

/** `what` names the test in the line that says why it is skipped. */
export function nodeVersions(
  what: string,
  built: URL,
): { name: string; path: string | undefined; reason: string; title: string }[] {
  return [
    { name: "this Node", path: process.execPath },
    { name: "Node 22", path: binary(22) },
    { name: "Node 24", path: binary(24) },
  ].map(({ name, path }) => {
    const unbuilt = existsSync(built) ? "" : "packages/ergodic/dist is not built";
    const reason = unbuilt || (path ? "" : "its binary is not under node_modules/.cache-node");
    if (reason) console.warn(`skipped: ${what} on ${name}: ${reason}`);
    return { name, path, reason, title: reason ? `${name} (skipped: ${reason})` : name };
  });
}
