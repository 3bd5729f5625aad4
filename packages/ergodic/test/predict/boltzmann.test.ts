/**
 * Trained Boltzmann machines against enumeration of all states, and against the reference values of shared data. Only
 * this file computes ln Z, annealed importance sampling and clamped Gibbs sampling.
 */
import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as ergodic from "../../src/entries/everything.ts";
import { annealedLogPartition } from "../../src/predict/boltzmann/annealed.ts";
import { BoltzmannMachine } from "../../src/predict/boltzmann/boltzmann.ts";
import { exactLogPartition, exchanged, type Machine } from "../../src/predict/boltzmann/machine.ts";

const { Dataset, loadBoltzmannMachine, predictor } = ergodic;
const REFERENCE = new URL("../../../../../shared/data/rbm/bars_stripes_2x2_rbm.json", import.meta.url);

const states = (count: number): number[][] =>
  Array.from({ length: 2 ** count }, (_, k) => Array.from({ length: count }, (_, i) => (k >> i) & 1));
/** Σ_h e^{−E(v, h)}, term by term. */
const product = ({ hidden, weight, visibleBias, hiddenBias }: Machine, v: readonly number[]): number =>
  states(hidden).reduce((sum, h) => {
    let energy = 0;
    for (const [i, x] of v.entries()) {
      energy += visibleBias[i] * x;
      for (const [j, y] of h.entries()) energy += x * y * weight[i * hidden + j];
    }
    for (const [j, y] of h.entries()) energy += hiddenBias[j] * y;
    return sum + Math.exp(energy);
  }, 0);
const enumerated = (machine: Machine): number[] => {
  const all = states(machine.visible).map((v) => product(machine, v));
  const total = all.reduce((sum, x) => sum + x, 0);
  return all.map((x) => x / total);
};
const logZ = (machine: Machine): number => Math.log(states(machine.visible).reduce((sum, v) => sum + product(machine, v), 0));

const number = fc.double({ min: -3, max: 3, noNaN: true });
const machines = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })).chain(([visible, hidden]) => {
  const array = (length: number) =>
    fc.array(number, { minLength: length, maxLength: length }).map((values) => Float64Array.from(values));
  return fc.record({
    ...{ visible: fc.constant(visible), hidden: fc.constant(hidden), weight: array(visible * hidden) },
    ...{ visibleBias: array(visible), hiddenBias: array(hidden) },
  });
});

function trained(machine: Machine, base = new Float64Array(machine.visible)): InstanceType<typeof BoltzmannMachine> {
  const { visible, hidden, weight, visibleBias, hiddenBias } = machine;
  const data = Dataset.fromArrays({ x: [new Array(visible).fill(0)], y: [0] });
  return new BoltzmannMachine({
    kind: "boltzmannMachine",
    description: { visible, hidden, pipeline: data.pipeline.toJSON() as never },
    tensors: { weight, visibleBias, hiddenBias, base },
  });
}

const SMALL: Machine = {
  visible: 4,
  hidden: 3,
  weight: Float64Array.of(1, -2, 0.5, 0.7, 1.5, -1, -0.4, 0.2, 2, 1.1, -1.2, 0.3),
  visibleBias: Float64Array.of(0.3, -0.5, 0.2, -0.1),
  hiddenBias: Float64Array.of(-0.4, 0.6, 0.1),
};

describe("a Boltzmann machine", () => {
  it("has the ln Z, likelihoods, pseudo-likelihoods and features of enumeration", () => {
    fc.assert(
      fc.property(machines, (machine) => {
        const whole = logZ(machine);
        expect(exactLogPartition(machine)).toBeCloseTo(whole, 9);
        expect(exactLogPartition(exchanged(machine))).toBeCloseTo(whole, 9);
        const rows = states(machine.visible);
        const p = enumerated(machine);
        const made = trained(machine);
        expect(made.logPartition()).toEqual({
          value: exactLogPartition(machine),
          exact: true,
          interval: [expect.any(Number), expect.any(Number)],
        });
        const logs = made.logLikelihood(rows);
        const energies = made.freeEnergy(rows);
        const pseudo = made.pseudoLogLikelihood(rows);
        const features = made.features(rows);
        for (const [k, v] of rows.entries()) {
          expect(logs[k]).toBeCloseTo(Math.log(p[k]), 9);
          expect(energies[k]).toBeCloseTo(-Math.log(product(machine, v)), 9);
          const conditional = v.reduce((sum, _, i) => sum + Math.log(p[k] / (p[k] + p[k ^ (1 << i)])), 0);
          expect(pseudo[k]).toBeCloseTo(conditional, 8);
          for (const [j, chance] of features[k].entries()) {
            const input = v.reduce((sum, x, i) => sum + x * machine.weight[i * machine.hidden + j], machine.hiddenBias[j]);
            expect(chance).toBeCloseTo(1 / (1 + Math.exp(-input)), 12);
          }
        }
      }),
      { numRuns: 60, seed: 46 },
    );
  });

  it("sums many units without overflow, and enumerates 2¹² states", () => {
    // Independent units: ln Z is a sum. 1,100 hidden units take three products of softplusSum.
    const [visible, hidden] = [12, 1100];
    const machine = {
      ...{ visible, hidden, weight: new Float64Array(visible * hidden) },
      visibleBias: new Float64Array(visible).fill(1),
      hiddenBias: Float64Array.from({ length: hidden }, (_, j) => (j % 2 === 0 ? 30 : -0.5)),
    };
    const wanted = 12 * Math.log1p(Math.E) + 550 * (30 + Math.log1p(Math.exp(-30))) + 550 * Math.log1p(Math.exp(-0.5));
    expect(exactLogPartition(machine)).toBeCloseTo(wanted, 7);
  });

  it.skipIf(!existsSync(REFERENCE))("agrees with the reference machine of bars and stripes", () => {
    const { W_visible_by_hidden, bv, bh, data } = JSON.parse(readFileSync(REFERENCE, "utf8"));
    const machine = {
      ...{ visible: 4, hidden: 4, weight: Float64Array.from(W_visible_by_hidden.flat() as number[]) },
      ...{ visibleBias: Float64Array.from(bv), hiddenBias: Float64Array.from(bh) },
    };
    const made = trained(machine);
    const { value } = made.logPartition();
    expect(value).toBeCloseTo(59.674901965, 8);
    const logs = made.logLikelihood(data);
    expect(logs.reduce((sum, x) => sum + x, 0) / logs.length).toBeCloseTo(-1.7328699078, 8);
    const runs = Array.from({ length: 100 }, (_, seed) =>
      made.logPartition({ method: "annealed", chains: 100, steps: 100, seed }),
    );
    expect(runs.filter(({ interval: [low, high] }) => low <= value && value <= high).length).toBeGreaterThanOrEqual(88);
    expect(Math.max(...runs.map(({ interval: [low, high] }) => high - low))).toBeLessThan(0.5);
  });

  it("estimates ln Z with intervals that cover at the stated level", () => {
    // 300 machines of 5 × 4 units with weights of N(0, 1.5²). 95 % intervals: fewer than 264 cover with probability 1e-6.
    let covered = 0;
    for (let k = 0; k < 300; k++) {
      const draws = ergodic.stream(k, "test").at(0);
      const array = (length: number) => Float64Array.from({ length }, () => 1.5 * draws.normal());
      const machine = { visible: 5, hidden: 4, weight: array(20), visibleBias: array(5), hiddenBias: array(4) };
      const { interval, value } = annealedLogPartition(machine, array(5), { chains: 100, steps: 100, seed: k, level: 0.95 });
      const exact = exactLogPartition(machine);
      if (interval[0] <= exact && exact <= interval[1]) covered++;
      expect(Math.abs(value - exact)).toBeLessThan(0.5);
    }
    expect(covered).toBeGreaterThanOrEqual(264);
  });

  it("draws and completes rows with the enumerated probabilities", () => {
    const made = trained(SMALL);
    const p = enumerated(SMALL);
    const count = 4000;
    const drawn = made.sample(count, { sweeps: 40, seed: 3 });
    const counts = new Float64Array(16);
    for (const v of drawn) counts[v.reduce((k, x, i) => k + x * 2 ** i, 0)]++;
    for (const [k, chance] of p.entries())
      expect(Math.abs(counts[k] / count - chance)).toBeLessThan(5 * Math.sqrt((chance * (1 - chance)) / count));
    // v = [1, ?, ?, 0].
    const known = states(4).map((v, k) => ({ v, p: v[0] === 1 && v[3] === 0 ? p[k] : 0 }));
    const total = known.reduce((sum, state) => sum + state.p, 0);
    const completed = made.complete([1, Number.NaN, Number.NaN, 0], { sweeps: 20_000, seed: 2 });
    expect([completed[0], completed[3]]).toEqual([1, 0]);
    for (const i of [1, 2]) {
      const wanted = known.reduce((sum, state) => sum + state.p * state.v[i], 0) / total;
      expect(Math.abs(completed[i] - wanted)).toBeLessThan(0.03);
    }
    expect(made.complete([1, 0, 0.5, 0])).toEqual(Float64Array.of(1, 0, 0.5, 0));
    expect(made.sample(2, { seed: 1 })).toEqual(made.sample(2, { seed: 1 }));
    expect(made.sample(40, { seed: 1 })).not.toEqual(made.sample(40, { seed: 2 }));
  });

  it("saves and loads everything, and is no predictor", async () => {
    const made = trained(SMALL, Float64Array.of(1, 2, 3, 4));
    const loaded = await loadBoltzmannMachine(made.toBytes());
    expect(loaded.machine).toEqual(made.machine);
    expect(loaded.toBytes()).toEqual(made.toBytes());
    expect(loaded.logPartition({ method: "annealed" })).toEqual(made.logPartition({ method: "annealed" }));
    expect(String(loaded)).toBe("Boltzmann machine: 4 visible and 3 hidden units");
    await expect(predictor(made.toBytes())).rejects.toThrow(/"boltzmannMachine", .*loadBoltzmannMachine\(\).*MODEL_KIND/);
    const data = Dataset.fromArrays({ x: [[1], [2]], y: [1, 2] });
    const linear = await ergodic.fit(ergodic.linear(), data);
    await expect(loadBoltzmannMachine(linear.toBytes())).rejects.toThrow(/kind "linear".*load it with predictor\(\).*MODEL_KIND/);
    using freed = made;
    expect(freed.columns).toEqual(["x0", "x1", "x2", "x3"]);
  });

  it("weighs rows in evaluate", () => {
    const made = trained(SMALL);
    const data = Dataset.fromArrays({ x: states(4).slice(0, 2), y: [0, 0], weights: [3, 1] });
    const [a, b] = made.logLikelihood(data);
    expect(made.evaluate(data).logLikelihood).toBeCloseTo((3 * a + b) / 4, 12);
  });

  it.each([
    ["too few numbers", { tensors: { weight: new Float64Array(2) } }, /has 2 numbers in "weight", but 12 are wanted/],
    ["a number that is not finite", { tensors: { hiddenBias: Float64Array.of(0, Infinity, 0) } }, /Infinity in "hiddenBias"/],
    ["other columns", { description: { visible: 3 } }, /has 4 columns, but 3 visible units/],
    ["no hidden units", { description: { hidden: 0 } }, /has hidden 0/],
  ])(
    "refuses a damaged file: %s",
    (_, { tensors = {}, description = {} }: { tensors?: object; description?: object }, message) => {
      const { weight, visibleBias, hiddenBias } = SMALL;
      const saved = trained(SMALL).description;
      const all = { weight, visibleBias, hiddenBias, base: new Float64Array(4), ...tensors };
      expect(() => new BoltzmannMachine({ kind: "", description: { ...saved, ...description }, tensors: all })).toThrow(message);
    },
  );

  it.each([
    ["an unknown method", (m: Made) => m.logPartition({ method: "magic" as never }), /method is "magic", but must be/],
    ["an unknown option", (m: Made) => m.logPartition({ chain: 5 } as never), /logPartition: .*chain.*OPTION_UNKNOWN/],
    ["one chain", (m: Made) => m.logPartition({ chains: 1 }), /chains is 1/],
    ["a level of 1", (m: Made) => m.logPartition({ level: 1 }), /level is 1/],
    ["no rows to draw", (m: Made) => m.sample(0), /count is 0/],
    ["a short row", (m: Made) => m.complete([1]), /the row has 1 values, but the model has 4 columns/],
    ["a value out of range", (m: Made) => m.complete([1, 2, 0, 0]), /value 2 is 2, but must be 0 to 1/],
    ["a row above 1", (m: Made) => m.freeEnergy([[0, 3, 0, 0]]), /row 1, column "x1": the value is 3, but binary .*DATA_RANGE/],
    ["a negative row", (m: Made) => m.features([[0, 0, 0, -1]]), /row 1, column "x3": the value is -1/],
    ["a row that is not a number", (m: Made) => m.pseudoLogLikelihood([[Number.NaN, 0, 0, 0]]), /x0.*DATA_/],
    ["no sweeps", (m: Made) => m.complete([1, 0, 0, 0], { sweeps: 0 }), /sweeps is 0/],
  ])("refuses %s", (_, call, message) => {
    expect(() => call(trained(SMALL))).toThrow(message);
  });

  it("refuses to enumerate two large layers", () => {
    const large = trained({
      ...{ visible: 25, hidden: 30, weight: new Float64Array(750) },
      ...{ visibleBias: new Float64Array(25), hiddenBias: new Float64Array(30) },
    });
    expect(() => large.logPartition({ method: "exact" })).toThrow(/layers have 25 and 30 units.*use "annealed"/);
    const { value, exact, interval } = large.logPartition();
    expect({ exact, interval }).toEqual({ exact: false, interval: [value, value] });
    expect(value).toBeCloseTo(55 * Math.LN2, 9);
    const data = Dataset.fromArrays({ x: [new Array(25).fill(1)], y: [0] });
    expect(large.evaluate(data)).toEqual({ pseudoLogLikelihood: expect.closeTo(-25 * Math.LN2, 9) });
  });
});

type Made = InstanceType<typeof BoltzmannMachine>;
