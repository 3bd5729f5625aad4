/**
 * Sizes that exceed every host's memory are refused immediately with the required memory. Long runs that fit can be
 * aborted.
 */
import { totalmem } from "node:os";
import { describe, expect, it, vi } from "vitest";
import { warmupSchedule } from "../../../src/bayes/samplers/hamiltonian/warmup.ts";
import { bytesText, checkRoom, float64s } from "../../../src/engine/memory/room.ts";
import {
  cmaEs,
  Dataset,
  dense,
  differentialEvolution,
  fit,
  metrics,
  minimize,
  model,
  nelderMead,
  network,
  normal,
  openAiEs,
  powell,
  randomDirection,
  relu,
  sample,
  sequentialMonteCarlo,
} from "../../../src/entries/everything.ts";
import { isSlow } from "../../power.ts";
import { started } from "../../search/algorithms/objectives.ts";

const one = model(({ param }) => void param("a", normal(0, 1)));
const f = (x: Float64Array): number => x[0] ** 2 + x[1] ** 2;
const least = async (algorithm: ReturnType<typeof cmaEs>) => await minimize(f, { x0: [1, 2], algorithm });
const BILLION = 1e9;

const wide = (units: number) => {
  const data = Dataset.fromArrays({
    x: [
      [1, 2],
      [3, 4],
    ],
    y: [1, 2],
  });
  return fit(network([dense(units), relu(), dense(1)], { loss: "squared" }), data, { epochs: 1 });
};

const asked: Record<string, () => PromiseLike<unknown>> = {
  draws: () => sample(one, {}, { draws: 2 * BILLION }),
  "draws of many chains": () => sample(one, {}, { draws: 1e6, chains: 65536 }),
  "numbers of a draw": () =>
    sample(
      model(({ param }) => void param("a", normal(0, 1), { shape: [BILLION] })),
      {},
      {},
    ),
  particles: () => sample(one, {}, { draws: BILLION, algorithm: sequentialMonteCarlo() }),
  "units of a layer": () => wide(BILLION),
  "units of a layer, a tenth of that": () => wide(BILLION / 10),
  "coordinates of a search": async () => await minimize((x) => x[0], new Float64Array(1e8)),
  // The algorithms start without minimize, which takes seconds to describe 10⁵ coordinates.
  "CMA-ES's covariance": async () => started(cmaEs(), { start: new Float64Array(1e5) }),
  "Nelder and Mead's simplex": async () => started(nelderMead(), { start: new Float64Array(1e5) }),
  "Powell's directions": async () => started(powell(), { start: new Float64Array(1e5) }),
  "CMA-ES": () => least(cmaEs({ population: BILLION })),
  "differential evolution": () => least(differentialEvolution({ population: BILLION })),
  "evolution strategies": () => least(openAiEs({ pairs: BILLION })),
  "random directions": () => least(randomDirection({ directions: BILLION })),
  classes: async () => metrics("multiclass", BILLION),
};

describe("memory limits", () => {
  it.each(Object.keys(asked))("refuses a billion %s and reports the required memory", async (name) => {
    // A run that starts to allocate a billion of anything would time out.
    await expect(asked[name]()).rejects.toThrow(/\d+(\.\d)? ([GTP]iB).*\[MEMORY_LIMIT\]$/);
  });

  it.each(isSlow ? [5e6, BILLION] : [BILLION])("starts a warm-up of %d transitions that can be aborted", async (warmup) => {
    const controller = new AbortController();
    const run = sample(one, {}, { warmup, draws: 10, chains: 2, seed: 1, signal: controller.signal });
    let ticks = 0;
    await expect(
      (async () => {
        for await (const _ of run) if (++ticks === 2) controller.abort(new Error("enough"));
      })(),
    ).rejects.toThrow("enough");
    expect(ticks).toBeGreaterThanOrEqual(2);
  });

  it("keeps the boundaries of a long warm-up few, and those of usual lengths unchanged", () => {
    for (const adaptation of ["overlapping", "windows"] as const)
      for (const warmup of [1e5, 5e6, 1e9]) {
        const { renewals, looks, stop } = warmupSchedule(adaptation, warmup, {});
        expect(renewals.length).toBeLessThan(1500);
        expect(looks.length).toBeLessThan(10_000);
        const ascending = [renewals.map(({ at }) => at), looks];
        for (const all of ascending) for (let i = 1; i < all.length; i++) expect(all[i]).toBeGreaterThan(all[i - 1]);
        expect(renewals[renewals.length - 1].at).toBe(stop);
      }
    const { renewals, looks } = warmupSchedule("overlapping", 1000, {});
    expect(renewals.slice(0, 5).map(({ at }) => at)).toEqual([20, 30, 40, 50, 60]);
    expect(looks).toEqual(Array.from({ length: 49 }, (_, i) => 20 + 10 * i));
  });

  it.each([
    ["the machine's memory where no container says less", 0, totalmem()],
    ["the machine's memory where the container says more", 2 * totalmem(), totalmem()],
    ["the container's memory", 2 ** 28, 2 ** 28],
  ])("limits requests to %s", async (_, constrained, most) => {
    vi.resetModules();
    vi.spyOn(process, "constrainedMemory").mockReturnValue(constrained);
    const room = await import("../../../src/engine/memory/room.ts");
    vi.restoreAllMocks();
    const bound = Math.min(most, 2 ** 35);
    expect(() => room.checkRoom("here", "things", bound)).not.toThrow();
    expect(() => room.checkRoom("here", "things", bound + 1)).toThrow("[MEMORY_LIMIT]");
    expect(room.MOST_ENGINE).toBe(Math.min(most, 2 ** 32));
  });

  it("checkRoom and float64s describe the refused request", () => {
    checkRoom("here", "things", totalmem() / 2);
    expect(() => checkRoom("here", "7 things", 2 ** 35 + 1)).toThrow(
      /^here: 7 things would take 32 GiB, but at most \S+ GiB is available; ask for fewer \[MEMORY_LIMIT\]$/,
    );
    // The bound is at most the memory of this machine.
    expect(() => checkRoom("here", "7 things", totalmem() + 1)).toThrow("[MEMORY_LIMIT]");
    expect(() => checkRoom("here", "7 things", 3, 2, "use one")).toThrow(
      "7 things would take 3 bytes, but at most 2 bytes is available; use one",
    );
    expect(() => checkRoom("here", "7 things", 3 * 2 ** 20, 2 ** 20)).toThrow("7 things would take 3 MiB, but at most 1 MiB");
    expect([...float64s("here", "things", 3)]).toEqual([0, 0, 0]);
    // The request is refused by its size before the host is asked, because the host might grant it. The bound is 32 GiB
    // or the machine's memory.
    expect(() => float64s("here", "things", 2 ** 32 + 1)).toThrow(
      /^here: things would take 32 GiB, but at most [\d.]+ GiB is available; ask for fewer \[MEMORY_LIMIT\]$/,
    );
    expect([0, 1023, 1024, 1536, 2 ** 30, 2 ** 41].map(bytesText)).toEqual([
      "0 bytes",
      "1023 bytes",
      "1 KiB",
      "1.5 KiB",
      "1 GiB",
      "2 TiB",
    ]);
  });
});
