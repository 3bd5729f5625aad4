/** What a process and a file take, against what the system and Node's own gzip say of them. */
import { existsSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { measure } from "../../src/index.ts";
import { gzipSize, residentSize } from "../../src/verbs/measure/size.ts";

const STATUS = "/proc/self/status";
const isLinux = existsSync(STATUS);
if (!isLinux) console.error(`tests: SKIPPED what compares memory with ${STATUS}, which is not there`);

/** Bytes. */
const system = (name: string): number =>
  1024 * Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync(STATUS, "utf8"))![1]);

it.skipIf(!isLinux)("the largest size of the process is the system's, in bytes, and that of now is not above it", async () => {
  const before = system("VmHWM");
  const { now, peak } = residentSize()!;
  const after = system("VmHWM");
  // Both are counted in steps, and not at the same time.
  expect(peak).toBeGreaterThan(0.9 * before);
  expect(peak).toBeLessThan(1.1 * after);
  expect(now).toBeGreaterThan(0.5 * system("VmRSS"));
  expect(now).toBeLessThan(1.1 * after);
  const { memory } = await measure(() => 1, [[1]], { seconds: 1e-9, warmup: 0, powercap: "/nowhere" });
  expect(memory.peak).toBeGreaterThan(0.9 * before);
  expect(memory.wasm).toBeNull();
});

it("a file after gzip is about as long as Node's own", async () => {
  const bytes = Uint8Array.from({ length: 10_000 }, (_, i) => (i * i) % 251);
  const [size, wanted] = [await gzipSize(bytes), gzipSync(bytes).length];
  expect(size).toBeGreaterThan(0.8 * wanted);
  expect(size).toBeLessThan(1.2 * wanted);
});
