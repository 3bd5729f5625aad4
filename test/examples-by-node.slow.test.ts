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

const examples = fileURLToPath(new URL("../examples/", import.meta.url));
const built = new URL("../packages/ergodic/dist/entries/index.js", import.meta.url);
const programs = readdirSync(examples).filter((file) => file.endsWith(".ts"));
const models = readdirSync(join(examples, "models")).filter((file) => file.endsWith(".ts"));
const folder = mkdtempSync(join(tmpdir(), "ergodic-examples-"));
afterAll(() => rmSync(folder, { recursive: true }));

const what = "the examples";
const all = [...nodeVersions(what, built).slice(1), bun(what, built)];

describe.each(all)("$title", ({ name, path, reason }) => {
  const run = promisify(execFile);
  it.skipIf(reason).each(programs)("%s", async (file) => {
    const { stdout } = await run(path!, [join(examples, file)], { cwd: folder });
    expect(stdout.split("\n").length).toBeGreaterThan(2);
  });

  it.skipIf(reason)("imports all examples and models as modules", async () => {
    const files = [...programs, ...models.map((file) => join("models", file))];
    const code = files.map((file) => `await import(${JSON.stringify(join(examples, file))});`).join("\n");
    await run(path!, [...(name === "Bun" ? [] : ["--input-type=module"]), "-e", code], { cwd: folder });
  });
});
