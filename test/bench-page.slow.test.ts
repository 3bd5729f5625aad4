/** Every benchmark of a page runs at tiny size in Chromium. */
import { expect, test } from "vitest";
import { isPage, names, runTiny } from "./bench/tiny.ts";

test("every benchmark of a page runs at tiny size", () => {
  const own = names().filter(isPage);
  expect(own.length).toBeGreaterThan(4);
  runTiny(own);
});
