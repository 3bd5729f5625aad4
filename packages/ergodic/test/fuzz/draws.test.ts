import { expect, test } from "vitest";
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
  const slow = target(() => {
    let sum = 0;
    for (const before = process.cpuUsage().user; process.cpuUsage().user - before < 0.12e6; )
      for (let k = 0; k < 1e5; k++) sum += Math.sqrt(k);
    return sum;
  });
  await expect(fuzz([slow], 1, 9, { seconds: 0.1 })).rejects.toThrow(/^case 9 of t: took \d\.\d s of processor time/);
  const kept: Uint8Array[] = [];
  const large = target(() => {
    // More than this process held before and has freed.
    const mebibytes = Math.ceil(process.resourceUsage().maxRSS / 2 ** 10 - process.memoryUsage().rss / 2 ** 20) + 70;
    kept.push(new Uint8Array(mebibytes * 2 ** 20).fill(1));
  });
  await expect(fuzz([large], 1, 9)).resolves.toMatchObject({ accepted: 1 });
  await expect(fuzz([large], 1, 9, { mebibytes: 50 })).rejects.toThrow(/^case 9 of t: took \d+ MiB of memory, where 50 are/);
});
