/** src/server/heap.ts. What the options do takes minutes under load to see: `bench serve`. */
import { spawnSync } from "node:child_process";
import { syncBuiltinESMExports } from "node:module";
import v8 from "node:v8";
import { expect, test } from "vitest";
import { heapFlags } from "../../src/server/heap.ts";
import { regression, serving } from "./models.ts";

test("each host is told what it understands", () => {
  const of = (versions: Record<string, string>) => heapFlags(versions as unknown as NodeJS.ProcessVersions);
  const growing = "--heap-growing-percent=200";
  expect(of({ node: "20.19.0" })).toEqual([growing]);
  expect(of({ node: "22.1.0" })).toEqual([growing, "--memory-reducer-gc-count=0"]);
  expect(of({ node: "24.3.0", bun: "1.3.0" })).toEqual([]);
  expect(of({ node: "24.3.0", deno: "2.9.0" })).toEqual([]);
});

test("this host takes it without a word", () => {
  const script = `for (const flag of ${JSON.stringify(heapFlags(process.versions))}) require("v8").setFlagsFromString(flag)`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["-e", script], { encoding: "utf8" });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
});

test("a server says it to its process", async () => {
  const own = v8.setFlagsFromString;
  const said: string[] = [];
  const line = await regression();
  v8.setFlagsFromString = (flag) => void said.push(flag);
  syncBuiltinESMExports();
  try {
    await serving({ models: { line } });
  } finally {
    v8.setFlagsFromString = own;
    syncBuiltinESMExports();
  }
  expect(said).toEqual(heapFlags(process.versions));
});
