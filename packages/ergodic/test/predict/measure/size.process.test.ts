/** Sizes of a process and of a file agree with those of the system and of Node's own gzip. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, it } from "vitest";
import { measure } from "../../../src/entries/everything.ts";
import { gzipSize, residentSize } from "../../../src/predict/measure/size.ts";

const STATUS = "/proc/self/status";
const isLinux = existsSync(STATUS);
if (!isLinux) console.error(`tests: SKIPPED what compares memory with ${STATUS}, which is not there`);

/** In bytes. */
const system = (name: string): number =>
  1024 * Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync(STATUS, "utf8"))![1]);

it.skipIf(!isLinux)("the peak size of the process matches the system's, in bytes, and bounds the current size", async () => {
  const before = system("VmHWM");
  const { now, peak } = residentSize()!;
  const after = system("VmHWM");
  // The two counters are updated in steps, at different times.
  expect(peak).toBeGreaterThan(0.9 * before);
  expect(peak).toBeLessThan(1.1 * after);
  expect(now).toBeGreaterThan(0.5 * system("VmRSS"));
  expect(now).toBeLessThan(1.1 * after);
  const { memory } = await measure(() => 1, [[1]], { seconds: 1e-9, warmup: 0, powercap: "/nowhere" });
  expect(memory.peak).toBeGreaterThan(0.9 * before);
  expect(memory.wasm).toBeNull();
});

it.skipIf(!isLinux)("a small process reports its own size even if its parent is large", async () => {
  const large = new Uint8Array(400 * 2 ** 20).fill(1);
  const { outputFiles } = await build({
    stdin: {
      contents: 'import { residentSize } from "./size.ts"; console.log(JSON.stringify(residentSize()));',
      resolveDir: fileURLToPath(new URL("../../../src/predict/measure", import.meta.url)),
    },
    ...{ bundle: true, format: "esm", platform: "node", write: false, logLevel: "silent" },
  });
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", outputFiles[0].text], { encoding: "utf8" });
  const { now, peak } = JSON.parse(child.stdout) as { now: number; peak: number };
  expect(now).toBeGreaterThan(10 * 2 ** 20);
  expect(peak).toBeGreaterThan(0.9 * now);
  expect(peak).toBeLessThan(large.length / 2);
});

it("the gzip size is close to that of Node's own gzip", async () => {
  const bytes = Uint8Array.from({ length: 10_000 }, (_, i) => (i * i) % 251);
  const [size, wanted] = [await gzipSize(bytes), gzipSync(bytes).length];
  expect(size).toBeGreaterThan(0.8 * wanted);
  expect(size).toBeLessThan(1.2 * wanted);
});
