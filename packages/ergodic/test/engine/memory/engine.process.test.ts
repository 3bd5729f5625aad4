import { availableParallelism } from "node:os";
import { expect, it } from "vitest";
import { WorkerError } from "../../../src/engine/errors/errors.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { engineMemory } from "../../../src/engine/memory/memory.ts";
import { arithmetic, threads } from "./modules.ts";

const engine = await openEngine();

it("opens one engine per process on the process's memory", async () => {
  expect(await openEngine()).toBe(engine);
  expect(engine.memory).toBe(engineMemory());
});

it("describes its build, its number of workers, and the reasons", () => {
  const { build, relaxedSimd, sharedMemory, workers, why } = engine.describe();
  expect(build).toBe("relaxed-shared");
  expect({ relaxedSimd, sharedMemory, workers }).toEqual({
    relaxedSimd: true,
    sharedMemory: true,
    workers: availableParallelism(),
  });
  expect(why.join("\n")).toMatch(/workers?: one for each hardware thread of this machine/);
  if (process.versions.node.startsWith("20.")) expect(why[0]).toContain("V8 flag");
});

it.each([
  { workers: 1, deterministic: false },
  { workers: 1, deterministic: true },
  { workers: 2, deterministic: false },
  { workers: 3, deterministic: true },
])("runs calls and returns their results in order: %o", async (options) => {
  const calls = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7].map((u) => ({ kernel: "normalQuantile", args: [u] }));
  const wanted = calls.map(({ args }) => engine.kernel("normalQuantile", true)(...args));
  expect(await engine.run(calls, options)).toEqual(wanted);
  expect(await engine.run([], options)).toEqual([]);
});

it("puts module functions into the same table slots on every thread, separate from kernels", async () => {
  const { add, twice } = engine.link(arithmetic, ["add", "twice"]);
  expect(add.call(1, 2)).toBe(3);
  expect(twice.call(add.slot, 21)).toBe(42);
  const calls = [1, 2, 3, 4].map((x) => ({ kernel: twice.slot, args: [add.slot, x] }));
  for (const workers of [1, 2]) expect(await engine.run(calls, { workers, deterministic: true })).toEqual([2, 4, 6, 8]);

  const slots = [true, false].map((deterministic) => engine.kernelSlot("log", deterministic));
  expect(slots[0]).not.toBe(slots[1]);
  expect(engine.kernelSlot("log", true)).toBe(slots[0]);
  // The third worker starts only after all of these slots were assigned.
  for (const kernel of slots) {
    const results = await engine.run(
      [4, 5, 6].map((x) => ({ kernel, args: [x] })),
      { workers: 3, deterministic: true },
    );
    expect(results).toEqual([4, 5, 6].map((x) => engine.kernel("log", true)(x)));
  }
});

it("compiles a module once, by content", () => {
  const first = engine.link(arithmetic, ["add", "twice"]);
  expect(engine.link(arithmetic.slice(), ["add", "twice"])).toBe(first);
  expect(engine.link(threads, ["trap"]).trap.slot).not.toBe(first.add.slot);
});

it("fills more slots than the table has initially", async () => {
  const before = engine.link(threads, ["trap"]).trap.slot;
  const { add } = engine.link(arithmetic, new Array(3000).fill("add"));
  expect(add.slot).toBe(before + 3000);
  const calls = [1, 2].map((x) => ({ kernel: add.slot, args: [x, 1] }));
  for (const workers of [1, 2]) expect(await engine.run(calls, { workers, deterministic: true })).toEqual([2, 3]);
});

it.each([1, 2])(
  "turns a trap into a WorkerError with kernel, arguments and cause, and continues: %d workers",
  async (workers) => {
    const far = engine.memory.reservedBytes - 8;
    const error = await engine
      .run([{ kernel: "randomFill", args: [far, 9, 0, 1, 2, 3] }], { workers, deterministic: true })
      .then(() => undefined)
      .catch((caught: unknown) => caught as WorkerError);
    expect(error).toBeInstanceOf(WorkerError);
    expect(error!.code).toBe("WORKER_TRAP");
    expect(error!.message).toMatch(
      /^kernel randomFill\(\d+, 9, 0, 1, 2, 3\): failed on .*: RuntimeError: memory access out of bounds/,
    );
    expect((error!.cause as Error).name).toBe("RuntimeError");
    const { trap } = engine.link(threads, ["trap"]);
    await expect(engine.run([{ kernel: trap.slot, args: [7] }], { workers, deterministic: true })).rejects.toThrow(
      /slot \d+\(7\): .*unreachable/,
    );
    await expect(engine.run([{ kernel: "absent", args: [] }], { workers, deterministic: true })).rejects.toThrow(
      "the kernel absent has not been loaded for deterministic runs",
    );
    expect(await engine.run([{ kernel: "log", args: [1] }], { workers, deterministic: true })).toEqual([0]);
  },
);

it("refuses an invalid number of workers", async () => {
  for (const workers of [0, 1.5, NaN])
    await expect(engine.run([], { workers, deterministic: true })).rejects.toThrow("[OPTION_RANGE]");
});

it("handles signals between calls on this thread", async () => {
  const controller = new AbortController();
  const calls = Array.from({ length: 1_000_000 }, () => ({ kernel: "log", args: [2] }));
  setTimeout(() => controller.abort(new Error("enough")), 20);
  await expect(engine.run(calls, { workers: 1, deterministic: true, signal: controller.signal })).rejects.toThrow("enough");
  await expect(engine.run(calls, { workers: 2, deterministic: true, signal: controller.signal })).rejects.toThrow("enough");
});

it("refuses unknown options and families", async () => {
  await expect(openEngine({ determinstic: true } as never)).rejects.toThrow(/^openEngine: .*determinstic.*deterministic/);
  for (const name of ["nope", "constructor", "__proto__"])
    await expect(openEngine({ families: [name as never] })).rejects.toThrow(/^openEngine: families is "\w+", but must be one of/);
});
