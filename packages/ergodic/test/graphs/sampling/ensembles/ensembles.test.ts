/**
 * Swaps of ensembles, tested with named copies: which copy was at power 0, which returned to power 1, and which were
 * counted.
 */
import { describe, expect, it } from "vitest";
import { stream } from "../../../../src/engine/random/stream.ts";
import type { Copies } from "../../../../src/graphs/sampling/ensembles/copies.ts";
import { Ensembles } from "../../../../src/graphs/sampling/ensembles/ensembles.ts";

const ENSEMBLES = 3;

/** Copies whose states are names, [ensemble][power]. The test sets the values. */
class Named {
  readonly ensembles = ENSEMBLES;
  readonly mostPowers = 1024;
  readonly drawn = 16;
  readonly groups = 0;
  readonly slots = 0;
  values = new Float64Array(0);
  names: number[][] = [];
  /** The pair of each swap. */
  traded: number[] = [];
  /** The powers that copies came from, for each resizing. */
  from: number[] = [];

  resize(powers: Float64Array, from: ArrayLike<number>): void {
    this.from = Array.from(from);
    this.values = new Float64Array(ENSEMBLES * powers.length);
    this.names = Array.from({ length: ENSEMBLES }, () => Array.from(powers, (_, k) => k));
  }

  trade(k: number, ensembles: readonly number[]): void {
    this.traded.push(k);
    for (const e of ensembles) {
      const names = this.names[e];
      [names[k], names[k + 1]] = [names[k + 1], names[k]];
    }
  }

  addShares(): void {}
  clearShares(): void {}
}

function opened(seed = 4) {
  const copies = new Named();
  return { copies, ensembles: new Ensembles(copies as unknown as Copies, seed) };
}

describe("ensembles", () => {
  it("count each path from power 0 to power 1 once, in sweeps that are kept", () => {
    const { copies, ensembles } = opened();
    const count = ensembles.powers.length;
    ensembles.guess();
    const draws = stream(9, "values").at(0);
    const restarts = new Array(ENSEMBLES).fill(0);
    const free = Array.from({ length: ENSEMBLES }, () => new Set<number>());
    let missed = 0;
    for (let sweep = 0; sweep < 4000; sweep++) {
      for (let at = 0; at < copies.values.length; at++) copies.values[at] = 4 * draws.normal();
      const keep = sweep % 5 !== 0;
      copies.traded = [];
      ensembles.swap(sweep, keep);
      // Pairs alternate.
      for (const k of copies.traded) expect(k % 2).toBe(sweep % 2);
      for (const [e, names] of copies.names.entries()) {
        if (free[e].delete(names[0])) {
          if (keep) restarts[e]++;
          else missed++;
        }
        free[e].add(names[count - 1]);
      }
    }
    expect(restarts.every((n) => n > 50)).toBe(true);
    expect(missed).toBeGreaterThan(20);
    expect(Array.from(ensembles.sums().restarts)).toEqual(restarts);
  });

  it("sum values relative to guesses, and Bennett's two sums of each pair", () => {
    const { copies, ensembles } = opened();
    const { powers } = ensembles;
    const count = powers.length;
    for (let at = 0; at < copies.values.length; at++) copies.values[at] = -1 - (at % count) - Math.floor(at / count) / 8;
    ensembles.guess();
    const centres = Array.from(powers, (_, k) => -1 - k - 1 / 8);
    const ratios = centres.slice(1).map((centre, k) => ((powers[k] - powers[k + 1]) * (centre + centres[k])) / 2);
    const seen: number[][] = [];
    for (let sweep = 0; sweep < 6; sweep++) {
      for (let at = 0; at < copies.values.length; at++) copies.values[at] = Math.sin(7 * sweep + 3 * at);
      seen.push(Array.from(copies.values));
      ensembles.swap(sweep, true);
    }
    const sums = ensembles.sums();
    expect(sums.sweeps).toBe(6);
    for (let e = 0; e < ENSEMBLES; e++)
      for (let k = 0; k < count; k++) {
        const own = seen.map((values) => values[e * count + k]);
        const total = (f: (value: number) => number): number => own.reduce((sum, value) => sum + f(value), 0);
        expect(sums.first[e * count + k]).toBeCloseTo(
          total((v) => v - centres[k]),
          10,
        );
        expect(sums.second[e * count + k]).toBeCloseTo(
          total((v) => (v - centres[k]) ** 2),
          10,
        );
        if (k === 0) expect(sums.most[e]).toBeCloseTo(Math.max(...own) - centres[0], 12);
        const gap = (pair: number): number => powers[pair] - powers[pair + 1];
        if (k > 0)
          expect(sums.lower[e * (count - 1) + k - 1]).toBeCloseTo(
            total((v) => 1 / (1 + Math.exp(ratios[k - 1] - gap(k - 1) * v))),
            10,
          );
        if (k + 1 < count)
          expect(sums.higher[e * (count - 1) + k]).toBeCloseTo(
            total((v) => 1 / (1 + Math.exp(gap(k) * v - ratios[k]))),
            10,
          );
      }
  });

  it("keep the previous counts until guesses are computed again", () => {
    const { copies, ensembles } = opened();
    const run = (from: number, until: number): void => {
      for (let sweep = from; sweep < until; sweep++) {
        for (let at = 0; at < copies.values.length; at++) copies.values[at] = Math.sin(sweep + at);
        ensembles.swap(sweep, true);
      }
    };
    ensembles.guess();
    run(0, 5);
    expect(ensembles.warm).toBe(false);
    ensembles.turn();
    run(5, 12);
    expect([ensembles.warm, ensembles.sums().sweeps]).toEqual([true, 12]);
    // Only the counts directly before remain.
    ensembles.turn();
    expect(ensembles.sums().sweeps).toBe(7);
    run(12, 14);
    expect(ensembles.sums().sweeps).toBe(9);
    ensembles.guess();
    expect([ensembles.warm, ensembles.sums().sweeps]).toEqual([false, 0]);
  });

  it("give each new power the states of the nearest old one", () => {
    const { copies, ensembles } = opened();
    const before = ensembles.powers;
    for (let sweep = 0; sweep < 200; sweep++) {
      // Swaps succeed at the upper powers, and rarely at the lowest pair.
      for (let at = 0; at < copies.values.length; at++)
        copies.values[at] = at % before.length === before.length - 1 ? -200 : 3 * Math.sin(sweep * (at + 1));
      ensembles.swap(sweep, false);
    }
    ensembles.adapt();
    const { powers } = ensembles;
    expect(Array.from(powers)).not.toEqual(Array.from(before));
    const distances = (power: number): number[] => Array.from(before, (other) => Math.abs(other - power));
    for (const [k, power] of powers.entries()) expect(distances(power)[copies.from[k]]).toBe(Math.min(...distances(power)));
    expect(new Set(copies.from).size).toBeGreaterThan(1);
  });
});
