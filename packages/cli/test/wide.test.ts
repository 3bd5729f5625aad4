/** Tables with more columns than the maximum number of arguments of a call. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runCommandLine } from "../src/command-line.ts";
import { largest } from "../src/report/largest.ts";
import { pairs, table } from "../src/report/text-table.ts";
import { captured } from "./captured.ts";

const MANY = 200_000;
const names = Array.from({ length: MANY }, (_, j) => `c${j}`);

it("aligns text in columns for any number of rows", () => {
  const rows = names.map((name) => [name, "1"]);
  const lines = table(["name", "n"], rows).split("\n");
  expect([lines.length, lines[0], lines[MANY]]).toEqual([MANY + 2, "  name     n", "  c199999  1"]);
  const paired = pairs(names.map((name) => [name, "1"] as const)).split("\n");
  expect(paired[0]).toBe("  c0       1");
  expect(paired[MANY - 1]).toBe("  c199999  1");
});

it("finds the largest of none, some and many numbers", () => {
  expect([largest([]), largest([2, 7, 3]), largest(names.map((_, j) => j))]).toEqual([0, 7, MANY - 1]);
});

it("describes a file of 150,000 columns", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ergodic-wide-"));
  try {
    const file = join(folder, "wide.csv");
    const row = `${"1,".repeat(149_999)}1`;
    writeFileSync(file, `${names.slice(0, 150_000).join(",")}\n${row}\n${row}\n`);
    const terminal = captured();
    expect(await runCommandLine(["describe", file], terminal)).toBe(0);
    expect(terminal.stderr).toBe("");
    expect(terminal.stdout).toContain("150,000 columns");
    expect(terminal.stdout).toContain("c149999");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
