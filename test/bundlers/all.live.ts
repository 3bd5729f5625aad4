/**
 * `npm run test:bundlers`: the package as npm publishes it, built by every bundler in the table of docs/browser.md with
 * default settings, and run in Chromium. It is not part of `npm test`, because it installs half a gigabyte of bundlers
 * in a temporary folder. It prints the resulting table, and fails if docs/browser.md differs.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openBrowser, whyNoBrowser } from "../../packages/ergodic/test/browser/chromium.ts";
import { freshProject, type Outcome, runInNode } from "./bundlers.ts";
import { type Row, recipes, rowOf, table } from "./recipes.ts";
import { install, tryRecipe } from "./try-recipe.ts";

const folder = mkdtempSync(join(tmpdir(), "ergodic-bundlers-"));
const found: Row[] = [];
const problems: string[] = [];
let tarball: string;
let wanted: { plain: Outcome; threaded: Outcome };
let browser: Browser | undefined;

beforeAll(async () => {
  const reason = whyNoBrowser();
  if (reason) throw new Error(`test:bundlers needs a browser: ${reason}`);
  const unbundled = join(folder, "unbundled");
  mkdirSync(unbundled);
  tarball = freshProject(unbundled);
  wanted = { plain: runInNode(join(unbundled, "plain.js")), threaded: runInNode(join(unbundled, "threaded.js")) };
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
  console.log([table(found), "", ...problems].join("\n"));
});

it.each(recipes)("$bundler", async (recipe) => {
  const project = join(folder, "project");
  await install(project, recipe, tarball);
  const { row, problems: told } = await tryRecipe(browser!, project, recipe, wanted);
  rmSync(project, { recursive: true });
  found.push(row);
  problems.push(...told.map((problem) => `${recipe.bundler}: ${problem}`));
  expect(row).toEqual(rowOf(recipe));
});
