/**
 * The Ising magnet on tori of 8 and 16: energy and heat capacity compared with the density of states, below, at and
 * above the critical temperature 2.269. scripts/ising.mjs does the same for 32.
 *
 * False alarms: Student scores with 63 degrees or more exceed 4 with a probability of 1.7e-4. One choice of the seed in
 * 150 would fail one of the 40 checks in this file, and one in 250 one of the 24 checks in npm test.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { isSlow, power } from "../../../power.ts";
import { chromaticMoments, exactMoments, type Length, replicaMoments } from "../../../reference/ising.ts";

const folder = fileURLToPath(new URL("../../../../../../../shared/data/graphs/ising/", import.meta.url));
if (!existsSync(folder)) console.warn("SKIPPED: ../shared/data/graphs/ising is not here");
const engine = await openEngine({ families: ["graphs"] });

/** In npm test, runs are shorter by this factor, and errors are larger by its square root. */
const SHORTER = power(16, 1);
/** In npm test, the larger torus is only at the critical temperature, where errors of all kinds show most. */
const temperatures = (side: number): number[] => (isSlow || side === 8 ? [1.8, 2.1, 2.269, 2.5, 3] : [2.269]);

/**
 * At the critical temperature the energy decorrelates in about a hundred sweeps (side 16), and faster elsewhere.
 * Stripes, in which replicas can begin, last about side³ sweeps.
 */
const lengthOf = (warmup: number, temperature: number, critical: number, others: number): Length => ({
  warmup,
  sweeps: (temperature === 2.269 ? critical : others) / SHORTER,
  every: 4,
});

describe.skipIf(!existsSync(folder))("the Ising magnet", () => {
  const hold = (side: number, temperature: number, found: ReturnType<typeof replicaMoments>): void => {
    const { energy, capacity } = exactMoments(`${folder}islogdos${side}x${side}.txt`, side, temperature);
    expect(found.energyError).toBeLessThan(0.002 * Math.sqrt(SHORTER) * Math.abs(energy));
    expect(Math.abs(found.energy - energy)).toBeLessThan(4 * found.energyError);
    expect(Math.abs(found.capacity - capacity)).toBeLessThan(4 * found.capacityError);
    // Mutant: a temperature that is off by 0.02, or by 0.08 in shorter runs.
    const wrong = exactMoments(`${folder}islogdos${side}x${side}.txt`, side, temperature + 0.02 * Math.sqrt(SHORTER));
    expect(Math.abs(found.energy - wrong.energy)).toBeGreaterThan(4 * found.energyError);
  };

  it("the density of states gives the known energy: −1.7455645 of 32 × 32 at 2", () => {
    expect(exactMoments(`${folder}islogdos32x32.txt`, 32, 2).energy).toBeCloseTo(-1.7455645, 6);
  });

  it.each([
    [8, 20_000, 8_000],
    [16, 40_000, 8_000],
  ])("bit replicas match it, side %i", (side, critical, others) => {
    for (const temperature of temperatures(side))
      hold(side, temperature, replicaMoments(engine, side, temperature, lengthOf(2 * side ** 3, temperature, critical, others)));
  });

  it.each([
    [8, 150_000, 60_000],
    [16, 200_000, 40_000],
  ])("the chromatic schedule matches it, side %i", (side, critical, others) => {
    for (const temperature of temperatures(side))
      hold(side, temperature, chromaticMoments(engine, side, temperature, lengthOf(1000, temperature, critical, others)));
  });
});
