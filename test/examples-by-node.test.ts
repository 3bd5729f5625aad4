/**
 * Every example runs directly in Node, in versions that support TypeScript, and in Bun. Vitest compiles the code, which
 * hides syntax that a version's parser does not support, such as `using`.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { bun, nodeVersions } from "../packages/ergodic/test/engine/memory/node-binaries.ts";
import { isSlow } from "../packages/ergodic/test/power.ts";

const examples = fileURLToPath(new URL("../examples/", import.meta.url));
const built = new URL("../packages/ergodic/dist/entries/index.js", import.meta.url);
const programs = readdirSync(examples).filter((file) => file.endsWith(".ts"));
const models = readdirSync(join(examples, "models")).filter((file) => file.endsWith(".ts"));
const folder = mkdtempSync(join(tmpdir(), "ergodic-examples-"));
afterAll(() => rmSync(folder, { recursive: true }));

const what = "the examples";
const all = [...nodeVersions(what, built).slice(1), bun(what, built)];

// In `npm test` the programs are distributed over the hosts. `npm run test:slow` runs each program on every host.
const present = all.filter(({ reason }) => !reason);
const shares = all.map((host) => ({
  ...host,
  own: isSlow ? programs : programs.filter((_, i) => present[i % present.length] === host),
}));

describe.each(shares)("$title", ({ name, path, reason, own }) => {
  const run = promisify(execFile);
  it.skipIf(reason).each(own)("%s", async (file) => {
    const { stdout } = await run(path!, [join(examples, file)], { cwd: folder });
    expect(stdout.split("\n").length).toBeGreaterThan(2);
  });

  it.skipIf(reason)("imports all examples and models as modules", async () => {
    const files = [...programs, ...models.map((file) => join("models", file))];
    const code = files.map((file) => `await import(${JSON.stringify(join(examples, file))});`).join("\n");
    await run(path!, [...(name === "Bun" ? [] : ["--input-type=module"]), "-e", code], { cwd: folder });
  });
});
