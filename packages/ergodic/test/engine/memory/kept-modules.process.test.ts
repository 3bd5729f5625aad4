import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { encodeModule } from "../../../src/engine/compiler/machine/encoder.ts";
import { Arena } from "../../../src/engine/memory/arena.ts";
import { engineModules, enginePool, openEngine } from "../../../src/engine/memory/engine.ts";
import { own } from "../../../src/engine/memory/memory.ts";
import { type Holder, Modules } from "../../../src/engine/memory/modules.ts";
import { Slots } from "../../../src/engine/memory/slots.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Returns a separate module for each number, which its function `f` returns. */
function answering(x: number): Uint8Array {
  const f64 = [...new Uint8Array(Float64Array.of(x).buffer)];
  const f = { parameters: [], results: ["f64" as const], locals: [], code: [0x44, ...f64], exportAs: ["f"] };
  return encodeModule([f], { shared: true });
}

class Held implements Holder {
  readonly claims: Disposable[] = [];
  hold(claim: Disposable): void {
    this.claims.push(claim);
  }
  release(): void {
    for (const claim of this.claims.splice(0)) claim[Symbol.dispose]();
  }
}

/** Represents tables as a map and instantiates no module. */
function bookkeeping(hash?: (bytes: Uint8Array) => string) {
  const table = new Map<number, string>();
  const builds: string[] = [];
  const modules = new Modules(
    new Slots(10),
    (_, exports, slots, build) => {
      builds.push(build);
      slots.forEach((slot, i) => {
        expect(table.has(slot), `slot ${slot} is taken`).toBe(false);
        table.set(slot, exports[i]);
      });
      const functions = Object.fromEntries(exports.map((name, i) => [name, { slot: slots[i], call: () => 0 }]));
      return { functions, clear: () => slots.forEach((slot) => void table.delete(slot)) };
    },
    hash,
  );
  return { table, builds, modules };
}

describe("linked modules", () => {
  it("stay while they are held and some time after, and the least recently used goes first", () => {
    const { table, modules } = bookkeeping();
    const kept = new Held();
    const first = modules.link(answering(-1), ["f"], kept);
    const idle = new Held();
    for (let i = 0; i < 128; i++) modules.link(answering(i), ["f"], idle);
    expect(modules.counts).toEqual({ linked: 129, idle: 0 });
    idle.release();
    expect(modules.counts).toEqual({ linked: 129, idle: 128 });
    // This use makes it the last to be evicted.
    const again = modules.link(answering(0), ["f"], idle);
    idle.release();
    modules.link(answering(128), ["f"], idle);
    idle.release();
    expect(modules.counts).toEqual({ linked: 129, idle: 128 });
    expect(modules.link(answering(0), ["f"], idle)).toBe(again);
    expect(modules.link(answering(-1), ["f"], idle)).toBe(first);
    // 1 was evicted. The next module is a new one, in the freed slot.
    const slots = new Set(table.keys());
    const other = modules.link(answering(1), ["f"], idle);
    expect(slots.has(other.f.slot)).toBe(false);
    expect(other.f.slot).toBe(10 + 2);
  });

  it("are held by each holder and released once by each", () => {
    const { table, modules } = bookkeeping();
    const [a, b] = [new Held(), new Held()];
    const { f } = modules.link(answering(1), ["f"], a);
    modules.link(answering(1), ["f"], b);
    const [claim] = a.claims;
    a.release();
    claim[Symbol.dispose]();
    for (let i = 2; i < 400; i++) {
      const other = new Held();
      modules.link(answering(i), ["f"], other);
      other.release();
    }
    expect(table.has(f.slot)).toBe(true);
    b.release();
    for (let i = 400; i < 600; i++) {
      const other = new Held();
      modules.link(answering(i), ["f"], other);
      other.release();
    }
    expect(modules.counts).toEqual({ linked: 128, idle: 128 });
    // 128 idle modules and a new one.
    expect(Math.max(...table.keys())).toBeLessThan(10 + 130);
  });

  it("are evicted early if they are large and nobody holds them", () => {
    const { modules } = bookkeeping();
    const large = (x: number): Uint8Array => {
      const code = new Array<number>(2 ** 19).fill(0x01);
      const f = { parameters: [], results: [], locals: [], code: [...code, 0x41, x, 0x1a], exportAs: ["f"] };
      return encodeModule([f], { shared: true });
    };
    for (let i = 0; i < 10; i++) {
      const held = new Held();
      modules.link(large(i), ["f"], held);
      held.release();
    }
    expect(modules.counts).toEqual({ linked: 7, idle: 7 });
  });

  it("count once towards the limit on bytes if they are used repeatedly", () => {
    const { modules } = bookkeeping();
    const held = new Held();
    const many = Array.from({ length: 100 }, (_, i) => answering(i));
    const first = many.map((bytes) => modules.link(bytes, ["f"], held));
    held.release();
    // All rounds together link 8 MiB of code, but always the same 100 modules.
    const rounds = Math.ceil((2 * 4 * 2 ** 20) / (100 * many[0].length));
    for (let i = 0; i < rounds; i++) {
      for (const bytes of many) modules.link(bytes, ["f"], held);
      held.release();
    }
    expect(modules.counts).toEqual({ linked: 100, idle: 100 });
    expect(many.map((bytes) => modules.link(bytes, ["f"], held))).toEqual(first);
  });

  it("are separate for two builds of the kernels, and either can outlive the other", () => {
    const { table, builds, modules } = bookkeeping();
    const [relaxed, plain] = [new Held(), new Held()];
    const one = modules.link(answering(1), ["f"], relaxed, "relaxed");
    const two = modules.link(answering(1), ["f"], plain, "simd");
    expect(builds).toEqual(["relaxed", "simd"]);
    expect(one.f.slot).not.toBe(two.f.slot);
    relaxed.release();
    for (let i = 2; i < 200; i++) {
      const other = new Held();
      modules.link(answering(i), ["f"], other, "relaxed");
      other.release();
    }
    expect([table.has(two.f.slot), modules.link(answering(1), ["f"], plain, "simd")]).toEqual([true, two]);
    expect(modules.link(answering(1), ["f"], relaxed, "relaxed")).not.toBe(one);
    expect(builds.filter((build) => build === "simd")).toHaveLength(1);
  });

  it("are released with their arena, whether disposed or collected with its owner", async () => {
    const { memory } = await openEngine();
    const { modules } = bookkeeping();
    {
      using arena = new Arena(memory, "test");
      modules.link(answering(1), ["f"], arena);
      expect(modules.counts).toEqual({ linked: 1, idle: 0 });
    }
    expect(modules.counts).toEqual({ linked: 1, idle: 1 });
    const used = memory.usedBytes;
    const owned = (): void => {
      const owner = {};
      const arena = new Arena(memory, "test");
      arena.take(64);
      modules.link(answering(2), ["f"], arena);
      arena.ownedBy(owner, own);
    };
    owned();
    expect(modules.counts).toEqual({ linked: 2, idle: 1 });
    for (let i = 0; i < 50 && modules.counts.idle < 2; i++) {
      await nextTurn();
      collect();
    }
    expect(modules.counts).toEqual({ linked: 2, idle: 2 });
    expect(memory.usedBytes).toBeLessThanOrEqual(used);
  });

  it("differ by their bytes if their hashes are equal", () => {
    const { modules } = bookkeeping(() => "same");
    const held = new Held();
    const [one, two] = [1, 2].map((x) => modules.link(answering(x), ["f"], held));
    expect(one.f.slot).not.toBe(two.f.slot);
    expect(modules.link(answering(1), ["f"], held)).toBe(one);
    expect(modules.link(answering(2), ["f"], held)).toBe(two);
    held.release();
    for (let i = 10; i < 200; i++) {
      const other = new Held();
      modules.link(answering(i), ["f"], other);
      other.release();
    }
    expect(modules.counts).toEqual({ linked: 128, idle: 128 });
    expect(modules.link(answering(199), ["f"], held).f.slot).toBeLessThan(10 + 130);
  });
});

it("free their slots on this thread and on all workers, also later ones, but keep held functions", async () => {
  const engine = await openEngine();
  const pool = await enginePool();
  const modules = await engineModules();
  const on = (workers: number, slots: number[]): Promise<number[]> =>
    engine.run(
      slots.map((kernel) => ({ kernel, args: [] })),
      { workers, deterministic: true },
    );
  const good = engine.link(answering(0.25), ["f"]).f;
  const arena = new Arena(engine.memory, "test");
  const held = Array.from({ length: 500 }, (_, i) => engine.link(answering(i), ["f"], { holder: arena }).f.slot);
  const wanted = held.map((_, i) => i);
  expect(await on(2, held)).toEqual(wanted);
  const before = { log: pool.logLength, linked: modules.counts.linked };
  let highest = 0;
  for (let i = 0; i < 800; i++) {
    using other = new Arena(engine.memory, "test");
    const { f } = engine.link(answering(1000 + i), ["f"], { holder: other });
    highest = Math.max(highest, f.slot);
    if (i % 100 === 0) expect(await on(2, [f.slot, f.slot, good.slot])).toEqual([1000 + i, 1000 + i, 0.25]);
    expect(f.call()).toBe(1000 + i);
  }
  expect(highest).toBeLessThan(Math.max(...held) + 200);
  expect(pool.logLength).toBeLessThanOrEqual(before.log + 128);
  expect(modules.counts.linked).toBeLessThanOrEqual(before.linked + 128);
  // The third worker starts now.
  for (const workers of [1, 2, 3]) expect(await on(workers, held)).toEqual(wanted);
  arena.dispose();
  expect(modules.counts.idle).toBe(128);
  expect(pool.logLength).toBeLessThan(before.log - 300);
});
