/**
 * Every benchmark runs at tiny size, which reveals changed names and folders. Those of pages are in
 * bench-page.slow.test.ts.
 */
import { expect, test } from "vitest";
import { isPage, names, runTiny } from "./bench/tiny.ts";

test("every benchmark without a page runs at tiny size", () => {
  const own = names().filter((name) => !isPage(name));
  expect(own.length).toBeGreaterThan(70);
  runTiny(own);
});
