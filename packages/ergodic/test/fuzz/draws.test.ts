import { expect, onTestFinished, test, vi } from "vitest";
import { DataError } from "../../src/engine/errors/errors.ts";
import { reportMemory } from "./cost.ts";
import { drawsTargets, run } from "./draws.ts";
import { fuzz, type Target } from "./mutate.ts";
import { wanted } from "./wanted.ts";

test("undamaged files are read", async () => {
  for (const { name, bytes, read } of await drawsTargets()) await expect(read(bytes), name).resolves.not.toThrow();
});

test("damaged draws files are read or refused with a typed error, each within two seconds", async () => {
  const { cases, refused, accepted } = await run(...wanted);
  reportMemory();
  expect(refused + accepted).toBe(cases);
  if (cases < 1000) return;
  expect(refused).toBeGreaterThan(200);
  expect(accepted).toBeGreaterThan(50);
});

test("untyped errors and excessive time or memory are reported with a seed that repeats them", async () => {
  const target = (read: (bytes: Uint8Array) => unknown): Target => ({
    name: "t",
    bytes: Uint8Array.of(1, 2, 3, 4),
    read: async (bytes) => read(bytes),
  });
  const raw = target((bytes) => {
    if (bytes[0] === 1) throw new DataError("t", "refused", "DATA_PARSE");
    throw new TypeError("raw");
  });
  const first = await fuzz([raw], 1000, 5).catch((error: Error) => error);
  expect(first).toMatchObject({ message: expect.stringMatching(/^case \d+ of t: a raw error$/), cause: expect.any(TypeError) });
  const seed = Number(/case (\d+)/.exec((first as Error).message)![1]);
  expect((await fuzz([raw], 1, seed).catch((error: Error) => error)) as Error).toMatchObject({
    message: (first as Error).message,
  });
  let [microseconds, kibibytes] = [0, 0];
  vi.spyOn(process, "cpuUsage").mockImplementation((before) => ({ user: microseconds - (before?.user ?? 0), system: 0 }));
  vi.spyOn(process, "resourceUsage").mockImplementation(() => ({ maxRSS: kibibytes }) as NodeJS.ResourceUsage);
  onTestFinished(() => void vi.restoreAllMocks());
  const slow = target(() => void (microseconds += 2.1e6));
  await expect(fuzz([slow], 1, 9, { seconds: 3 })).resolves.toMatchObject({ accepted: 1 });
  await expect(fuzz([slow], 1, 9)).rejects.toThrow("case 9 of t: took 2.1 s of processor time, where 2 are allowed");
  const large = target(() => void (kibibytes += 70 * 2 ** 10));
  await expect(fuzz([large], 1, 9)).resolves.toMatchObject({ accepted: 1 });
  await expect(fuzz([large], 1, 9, { mebibytes: 50 })).rejects.toThrow(
    "case 9 of t: took 70 MiB of memory, where 50 are allowed",
  );
});
