/** The table of bundlers in docs/browser.md is that of the recipes, which `npm run test:bundlers` holds to what it finds. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { recipes, rowOf, table } from "./recipes.ts";

it("docs/browser.md contains the table of bundlers", () => {
  const text = readFileSync(new URL("../../docs/browser.md", import.meta.url), "utf8");
  const lines = table(recipes.map(rowOf)).split("\n");
  expect(lines.length).toBeGreaterThan(10);
  expect(text.split("\n").filter((line) => lines.includes(line))).toEqual(lines);
});
