/**
 * The packed declarations under other compilers, without skipping any check: TypeScript 5.4, 5.9 and 7. types.test.ts
 * uses the compiler of this repository. `npm run test:types` installs missing compilers.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Project, root, settings, userProject } from "./types/declarations.ts";

const { compilers } = (await import(new URL("../scripts/needs.mjs", import.meta.url).href)) as {
  compilers: { folder: string; name: string }[];
};

let project: Project;
beforeAll(() => {
  execFileSync(process.execPath, ["scripts/build.mjs"], { cwd: root, stdio: "pipe" });
  project = userProject();
});
afterAll(() => project[Symbol.dispose]());

describe.each(compilers)("$name", ({ name, folder }) => {
  const compiler = join(root, "node_modules/.cache-node", folder, "node_modules/typescript/bin/tsc");
  const absent = !existsSync(compiler);
  if (absent)
    console.warn(`skipped: declarations under ${name}, which is not under node_modules/.cache-node (npm run test:types)`);

  it.skipIf(absent).each(settings)("$name", async ({ name: setting }) => {
    expect(await project.complaints(compiler, setting)).toBe("");
  });
});
