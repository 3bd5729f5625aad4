/** src/server/heap.ts. The effect of the flags appears only after minutes under load: `bench serve`. */
import { spawnSync } from "node:child_process";
import { syncBuiltinESMExports } from "node:module";
import v8 from "node:v8";
import { expect, test } from "vitest";
import { heapFlags } from "../../src/server/heap.ts";
import { regression, serving } from "./models.ts";

test("selects the flags that each host understands", () => {
  const of = (versions: Record<string, string>) => heapFlags(versions as unknown as NodeJS.ProcessVersions, []);
  const growing = "--heap-growing-percent=200";
  expect(of({ node: "20.19.0" })).toEqual([growing]);
  expect(of({ node: "22.1.0" })).toEqual([growing, "--memory-reducer-gc-count=0"]);
  expect(of({ node: "24.3.0", bun: "1.3.0" })).toEqual([]);
  expect(of({ node: "24.3.0", deno: "2.9.0" })).toEqual([]);
});

test("respects flags given to Node itself", () => {
  const of = (...given: string[]) => heapFlags({ node: "22.1.0" } as unknown as NodeJS.ProcessVersions, given);
  const [growing, reducer] = of("--expose-gc", "--heap-growing", "heap-growing-percent");
  expect([growing, reducer]).toEqual(["--heap-growing-percent=200", "--memory-reducer-gc-count=0"]);
  expect(of("--heap-growing-percent=50")).toEqual([reducer]);
  expect(of("--expose-gc", "--heap_growing_percent=0")).toEqual([reducer]);
  expect(of("--memory-reducer-gc-count", "3")).toEqual([growing]);
  expect(of("--memory_reducer_gc_count=3", "--heap-growing-percent=50")).toEqual([]);
});

test("this host accepts the flags silently", () => {
  const script = `for (const flag of ${JSON.stringify(heapFlags(process.versions, []))}) require("v8").setFlagsFromString(flag)`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["-e", script], { encoding: "utf8" });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
});

test("a server respects the flags of its process", () => {
  const flag = "--heap-growing-percent=50";
  const script = `
    import v8 from "node:v8";
    import { syncBuiltinESMExports } from "node:module";
    const said = [];
    v8.setFlagsFromString = (flag) => said.push(flag);
    syncBuiltinESMExports();
    const { keepHeap } = await import(${JSON.stringify(new URL("../../dist/server/heap.js", import.meta.url).href)});
    keepHeap();
    console.log(JSON.stringify(said));`;
  const run = (...options: string[]): string[] =>
    JSON.parse(spawnSync(process.execPath, [...options, "--input-type=module", "-e", script], { encoding: "utf8" }).stdout);
  expect(run()).toEqual(heapFlags(process.versions, []));
  expect(run(flag)).toEqual(heapFlags(process.versions, [flag]));
});

test("a server sets the flags of its process", async () => {
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
  expect(said).toEqual(heapFlags(process.versions, process.execArgv));
  expect(said).toContain("--heap-growing-percent=200");
});
