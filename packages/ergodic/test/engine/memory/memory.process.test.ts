import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemoryLimitError } from "../../../src/engine/errors/errors.ts";
import { type Allocation, EngineMemory, engineMemory, own } from "../../../src/engine/memory/memory.ts";
import { power } from "../../power.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
/** Whether all bytes equal the given one. */
const isFilled = (bytes: Uint8Array, byte: number): boolean =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).equals(Buffer.alloc(bytes.length, byte));
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe.each([
  { kind: "own", shared: false },
  { kind: "shared", shared: true },
])("$kind memory", ({ shared }) => {
  it("returns zeroed, aligned pieces that keep their contents while others come and go", () => {
    const steps = fc.array(fc.record({ bytes: fc.integer({ min: 0, max: 300_000 }), drop: fc.boolean(), which: fc.nat(1000) }), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(steps, (script) => {
        const memory = new EngineMemory(shared);
        const live: { piece: Allocation; mark: number }[] = [];
        script.forEach(({ bytes, drop, which }, i) => {
          const piece = memory.allocate(bytes, `piece ${i}`);
          expect(piece.pointer % 64).toBe(0);
          expect(piece.pointer).toBeGreaterThanOrEqual(1 << 20);
          expect(isFilled(memory.u8(piece.pointer, bytes), 0)).toBe(true);
          memory.u8(piece.pointer, bytes).fill((i % 255) + 1);
          live.push({ piece, mark: (i % 255) + 1 });
          if (drop) live.splice(which % live.length, 1)[0].piece.dispose();
          for (const { piece, mark } of live) expect(isFilled(memory.u8(piece.pointer, piece.bytes), mark)).toBe(true);
        });
        expect(memory.usedBytes).toBe(live.reduce((sum, { piece }) => sum + Math.max(64, Math.ceil(piece.bytes / 64) * 64), 0));
        for (const { piece } of live) piece.dispose();
        expect(memory.usedBytes).toBe(0);
      }),
      { seed: 2, numRuns: power(12, 30) },
    );
  });

  it("zeroes a reused piece to the end of its last 64 bytes", () => {
    const memory = new EngineMemory(shared);
    for (const bytes of [1, 63, 64, 100]) {
      const rounded = 64 * Math.ceil(bytes / 64);
      const before = memory.allocate(bytes, "before");
      const { pointer } = before;
      memory.u8(pointer, rounded).fill(0xff);
      before.dispose();
      using after = memory.allocate(bytes, "after");
      expect(after.pointer).toBe(pointer);
      expect(isFilled(memory.u8(pointer, rounded), 0)).toBe(true);
    }
  });

  it("refuses requests beyond 4 GiB, names the requester and the largest holder, and continues", () => {
    const memory = new EngineMemory(shared);
    const held = memory.allocate(2 ** 31, "dataset large.csv");
    expect(held.pointer).toBe(1 << 20);
    const above = memory.allocate(2 ** 30, "dataset above.csv");
    expect(above.pointer).toBe(2 ** 31 + 2 ** 20);
    memory.f64(above.pointer + 2 ** 30 - 8, 1)[0] = 1;
    let error: unknown;
    try {
      memory.allocate(1.5 * 2 ** 30, "dataset adult.csv");
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(MemoryLimitError);
    expect((error as Error).message).toBe(
      "dataset adult.csv: asked for 1.5 GiB, but 3 GiB of the engine's 4 GiB are in use, most by dataset large.csv (2 GiB); " +
        "dispose what is no longer needed, or use fewer rows or columns, or a narrower type (f32, i16, i8) [MEMORY_LIMIT]",
    );
    expect(() => memory.allocate(2 ** 33, "dataset huge.csv")).toThrow("dataset huge.csv: asked for 8 GiB");
    memory.allocate(1000, "something small").dispose();
    held.dispose();
    expect(memory.usedBytes).toBe(2 ** 30);
  });
});

it("never allocates the last page, so that no end address wraps to 0", () => {
  const memory = new EngineMemory(true);
  const whole = 2 ** 32 - 65536 - 2 ** 20;
  const piece = memory.allocate(whole, "almost all");
  expect(piece.pointer + piece.bytes).toBe(2 ** 32 - 65536);
  expect(() => memory.allocate(1, "what is left")).toThrow(MemoryLimitError);
});

it("throws on use after dispose, and accepts a second dispose", () => {
  const memory = new EngineMemory(true);
  const piece = memory.allocate(8, "dataset gone.csv");
  piece.dispose();
  piece.dispose();
  expect(memory.usedBytes).toBe(0);
  expect(() => piece.pointer).toThrow("dataset gone.csv was used after dispose()");
});

it("stays flat under very many pieces of mixed sizes", () => {
  const memory = new EngineMemory(true);
  const live: Allocation[] = [];
  let state = 1;
  const next = (n: number) => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) % n;
  let afterWarmUp = 0;
  for (let i = 0; i < power(100_000, 1_000_000); i++) {
    live.push(memory.allocate(1 << next(11), "piece"));
    if (live.length > 200) {
      const at = next(live.length);
      live[at].dispose();
      live[at] = live[live.length - 1];
      live.pop();
    }
    if (i === 20_000) afterWarmUp = memory.reservedBytes;
  }
  expect(memory.reservedBytes).toBe(afterWarmUp);
  for (const piece of live) piece.dispose();
  expect(memory.usedBytes).toBe(0);
});

it("`using` lets hundreds of datasets share the space of one", () => {
  const memory = engineMemory();
  const before = memory.usedBytes;
  let most = 0;
  for (let i = 0; i < power(300, 1000); i++) {
    using values = memory.allocate(1_000_000 + 64 * i, "dataset");
    using target = memory.allocate(80_000, "dataset");
    expect(values.pointer).not.toBe(target.pointer);
    most = Math.max(most, memory.reservedBytes);
  }
  expect(memory.usedBytes).toBe(before);
  expect(most).toBeLessThan(8 * 2 ** 20);
});

it("garbage collection lets hundreds of datasets share the space of a few", async () => {
  const memory = engineMemory();
  const before = memory.usedBytes;
  const createAndDrop = () => own({}, memory.allocate(1_000_000, "dataset"));
  for (let i = 0; i < power(200, 1000); i++) {
    createAndDrop();
    if (i % 20 === 19) {
      await nextTurn();
      collect();
      await nextTurn();
    }
  }
  for (let i = 0; i < 20 && memory.usedBytes > before; i++) {
    collect();
    await nextTurn();
  }
  expect(memory.usedBytes).toBe(before);
  expect(memory.reservedBytes).toBeLessThan(80 * 2 ** 20);
});

it("keeps memory of reachable owners, and frees disposed memory only once", async () => {
  const memory = engineMemory();
  const before = memory.usedBytes;
  const kept = { name: "kept" };
  const held = memory.allocate(640, "kept");
  own(kept, held);
  let gone: object | undefined = {};
  const early = memory.allocate(640, "early");
  own(gone, early);
  early.dispose();
  using reused = memory.allocate(640, "reused");
  gone = undefined;
  for (let i = 0; i < 5; i++) {
    collect();
    await nextTurn();
  }
  expect(reused.pointer).toBeGreaterThan(0);
  expect(memory.usedBytes).toBe(before + 2 * 640);
  expect(kept.name).toBe("kept");
  held.dispose();
});

it("releases a disposed piece although its owner lives", async () => {
  const owner = { name: "owner" };
  const disposed = (() => {
    const piece = engineMemory().allocate(640, "piece");
    own(owner, piece);
    piece.dispose();
    return new WeakRef(piece);
  })();
  for (let i = 0; i < 5; i++) {
    collect();
    await nextTurn();
  }
  expect(disposed.deref()).toBeUndefined();
  expect(owner.name).toBe("owner");
});

it("reclaims memory of collected owners immediately when space is short", async () => {
  const memory = new EngineMemory(true, 64);
  const createAndDrop = () => own({}, memory.allocate(2 ** 21, "first"));
  createAndDrop();
  expect(() => memory.allocate(2.5 * 2 ** 20, "second")).toThrow(
    "second: asked for 2.5 MiB, but 2 MiB of the engine's 4 MiB are in use",
  );
  await nextTurn();
  collect();
  using second = memory.allocate(2.5 * 2 ** 20, "second");
  expect(second.bytes).toBe(2.5 * 2 ** 20);
});
