/**
 * The table of bundlers in docs/browser.md is generated from the recipes, which `npm run test:bundlers` compares with
 * its results.
 */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { recipes, rowOf, table } from "./recipes.ts";

it("docs/browser.md contains the table of bundlers", () => {
  const text = readFileSync(new URL("../../docs/browser.md", import.meta.url), "utf8");
  const lines = table(recipes.map(rowOf)).split("\n");
  expect(lines.length).toBeGreaterThan(10);
  expect(text.split("\n").filter((line) => lines.includes(line))).toEqual(lines);
});
