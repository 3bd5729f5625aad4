/** The examples run as the package contains them: as JavaScript, in any folder, with their data. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { exampleNames } from "../../../scripts/examples.mjs";
import { isSlow } from "../../ergodic/test/power.ts";
import { models, programs } from "../src/commands/example.ts";
import { ergodic, temporary, works } from "./captured.ts";

const folder = temporary()("");
const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));

it("lists every example of the repository", async () => {
  const named = [...Object.keys(programs), ...Object.keys(models).map((name) => `models/${name}`)];
  expect(named.sort()).toEqual(exampleNames().sort());
  const { stdout } = await works("example");
  for (const [name, text] of [...Object.entries(programs), ...Object.entries(models)])
    expect(stdout).toMatch(new RegExp(`^  ${name} +${text.replaceAll("?", "\\?")}$`, "m"));
  for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
});

it("refuses an unknown name and lists the names", async () => {
  const { code, stderr } = await ergodic("example", "step");
  expect([code, stderr]).toEqual([2, expect.stringMatching(/^ergodic: example: "step" is not known \(known: step-rules, /)]);
});

describe("runs", () => {
  // One of each kind, and one with data of this package.
  const few = ["adam-is-both", "digits-network", "coin-bias"];
  it.each(isSlow ? [...Object.keys(programs), ...Object.keys(models)] : few)("%s", (name) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, "example", name], { cwd: folder, encoding: "utf8" });
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout.split("\n").length).toBeGreaterThan(2);
  });
});
