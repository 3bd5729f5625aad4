/**
 * Each command with --json has a schema that distinguishes its results from others. Wherever a test runs a command,
 * captured.ts checks its output against the schema.
 */
import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { checked } from "./schemas.ts";

const help = readFileSync(new URL("../../../docs/command-line.md", import.meta.url), "utf8");
const commands = help
  .split("\n## ergodic ")
  .slice(1)
  .filter((text) => text.includes("  --json"))
  .map((text) => text.slice(0, text.indexOf("\n")));

it("each command with --json has a schema, and no other schemas exist", () => {
  expect(commands.length).toBeGreaterThan(15);
  const files = readdirSync(new URL("../schema", import.meta.url)).map((name) => name.replace(".json", ""));
  expect(files.sort()).toEqual(commands.sort());
});

it.each(commands)("the schema of %s refuses other commands' results, missing members and surplus members", (command) => {
  const schema = readFileSync(new URL(`../schema/${command}.json`, import.meta.url), "utf8");
  expect(JSON.parse(schema)).toMatchObject({ title: `ergodic ${command} --json` });
  for (const wrong of [{}, { command }, { command: "other" }])
    expect(() => checked(command, JSON.stringify(wrong))).toThrow(/not as schema/);
});
