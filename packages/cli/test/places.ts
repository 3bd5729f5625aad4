/** The digits, and a temporary folder for a test file. This file does not load the library. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

export const digits = fileURLToPath(new URL("../data/digits.csv", import.meta.url));

/** Makes a folder for the test file, which is removed at the end. */
export function temporary(): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), "ergodic-cli-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (name) => join(folder, name);
}
