import { describe, expect, it } from "vitest";
import type { Tick } from "../../../src/engine/contract/index.ts";
import { Run } from "../../../src/engine/loop/run.ts";
import { Ticks } from "../../../src/engine/loop/ticks.ts";
import { Scripted } from "./scripted.ts";

const tick = (update: number): Tick => ({ update, epoch: 0, seconds: 0, updatesPerSecond: 0, loss: 0 });

describe("stored ticks", () => {
  it("are complete if they are few", () => {
    const ticks = new Ticks(8);
    for (let count = 0; count <= 16; count++) {
      expect(ticks.list().map(({ update }) => update)).toEqual(Array.from({ length: count }, (_, t) => t));
      ticks.add(tick(count));
    }
  });

  it.each([17, 100, 1000, 12_345])("retain the last ticks of %i and an even selection of earlier ones", (count) => {
    const ticks = new Ticks(8);
    for (let t = 0; t < count; t++) ticks.add(tick(t));
    const kept = ticks.list().map(({ update }) => update);
    expect(kept.slice(-8)).toEqual(Array.from({ length: 8 }, (_, k) => count - 8 + k));
    const older = kept.slice(0, -8);
    expect(older[0]).toBe(0);
    expect(older.length).toBeGreaterThanOrEqual(4);
    expect(older.length).toBeLessThanOrEqual(8);
    const gaps = older.slice(1).map((t, k) => t - older[k]);
    expect(new Set(gaps).size).toBe(1);
    expect(count - 8 - older[older.length - 1]).toBeLessThanOrEqual(gaps[0]);
    // Reads one tick after another, like an iteration.
    const seen: number[] = [];
    for (let found = ticks.from(0); found; found = ticks.from(found.number + 1)) {
      expect(found.tick.update).toBe(found.number);
      seen.push(found.number);
    }
    expect(seen).toEqual(kept);
  });

  it("are complete for a watcher of a long run, but thinned for its result and late watchers", async () => {
    const epochs = 10_000;
    const progression = new Scripted({ stepsPerEpoch: 1 });
    const run = new Run<Tick[]>({
      start: async () => ({ progression, stopping: { until: { epochs }, validateEvery: 1, patience: undefined }, chosen: {} }),
      validate: () => ({ loss: 1 }),
      finish: (_, { ticks }) => ticks,
      keep: () => new Uint8Array(),
    });
    let seen = 0;
    for await (const { update } of run) expect(update).toBe(++seen);
    expect(seen).toBe(epochs);
    const kept = await run;
    expect(kept.length).toBeGreaterThan(3000);
    expect(kept.length).toBeLessThanOrEqual(2 * 2048);
    expect(kept.slice(-2048).map(({ update }) => update)).toEqual(Array.from({ length: 2048 }, (_, k) => epochs - 2047 + k));
    const late: Tick[] = [];
    for await (const each of run) late.push(each);
    expect(late).toEqual(kept);
  });
});
