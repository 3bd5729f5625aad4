/**
 * Hosts that run tests of the built library: this Node, Node 22 and 24, Bun, which uses Safari's engine, and workerd,
 * which runs Cloudflare Workers. scripts/prepare-tests.mjs determines the places of their binaries.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const cache = fileURLToPath(new URL("../../../../../node_modules/.cache-node/", import.meta.url));

function binary(host: string, file = "node"): string | undefined {
  const folder = join(cache, host);
  if (!existsSync(folder)) return undefined;
  const found = readdirSync(folder, { recursive: true, encoding: "utf8" }).find((path) => path.endsWith(join("bin", file)));
  return found && join(folder, found);
}

interface Host {
  name: string;
  path: string | undefined;
  reason: string;
  title: string;
}

/** Bun, and the option with which it runs a text. */
export const bun = (what: string, built: URL): Host => hosts(what, built, [{ name: "Bun", path: binary("bun", "bun") }])[0];

/** The server of Cloudflare Workers. */
export const workerd = (what: string, built: URL): Host =>
  hosts(what, built, [{ name: "workerd", path: binary("workerd", "workerd") }])[0];

/** `what` names the test in the message for a skipped run. */
export function nodeVersions(what: string, built: URL): Host[] {
  return hosts(what, built, [
    { name: "this Node", path: process.execPath },
    { name: "Node 22", path: binary("22") },
    { name: "Node 24", path: binary("24") },
  ]);
}

function hosts(what: string, built: URL, all: readonly Pick<Host, "name" | "path">[]): Host[] {
  return all.map(({ name, path }) => {
    const unbuilt = existsSync(built) ? "" : "packages/ergodic/dist is not built";
    const reason = unbuilt || (path ? "" : "its binary is not under node_modules/.cache-node");
    if (reason) console.warn(`skipped: ${what} on ${name}: ${reason}`);
    return { name, path, reason, title: reason ? `${name} (skipped: ${reason})` : name };
  });
}
