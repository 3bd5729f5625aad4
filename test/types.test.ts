/**
 * The packed declarations under the TypeScript of this repository, without skipping any check. types.slow.test.ts uses
 * other compilers.
 */
import { createRequire } from "node:module";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Project, settings, userProject } from "./types/declarations.ts";

const compiler = createRequire(import.meta.url).resolve("typescript/bin/tsc");
let project: Project;
beforeAll(() => {
  project = userProject();
});
afterAll(() => project[Symbol.dispose]());

it.each(settings)("$name", async ({ name }) => {
  expect(await project.complaints(compiler, name)).toBe("");
});
