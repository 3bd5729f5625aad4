/**
 * False alarms of the finding on tails: 100 quantities of one kind (30 in `npm test`) in 4 chains of 1000 draws, AR(1)
 * with φ = 0.5. None may be reported.
 *
 * Over all seeds, fewer than 2 % of runs would fail for Student-t(5), and practically none for the others.
 * src/bayes/draws/findings/tails.ts lists the figures.
 */
import { expect, it } from "vitest";
import type { Judged } from "../../../../src/bayes/draws/findings/finding.ts";
import { tails } from "../../../../src/bayes/draws/findings/tails.ts";
import { erfc } from "../../../../src/engine/numbers/error-function.ts";
import { paretoKhat } from "../../../../src/engine/statistics/index.ts";
import { autoregressive } from "../../../engine/statistics/draws.ts";
import { power } from "../../../power.ts";

const [CHAINS, COUNT, QUANTITIES] = [4, 1000, power(30, 100)];

/** P(T > t) of Student-t(5) for t ≥ 0, with φ = π/2 − atan(t/√5). */
function studentSurvival(t: number): number {
  const [s, c] = [t / Math.hypot(t, Math.sqrt(5)), Math.sqrt(5) / Math.hypot(t, Math.sqrt(5))];
  return (Math.atan2(Math.sqrt(5), t) - s * (c + (2 / 3) * c ** 3)) / Math.PI;
}

function studentQuantile(survival: number): number {
  let [low, high] = [0, 1e4];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (studentSurvival(middle) > survival) low = middle;
    else high = middle;
  }
  return low;
}

const student = Array.from({ length: 6001 }, (_, i) => studentQuantile(erfc(i / 1000 / Math.SQRT2) / 2));
const kinds: Record<string, (z: number) => number> = {
  Gaussian: (z) => z,
  exponential: (z) => -Math.log(erfc(z / Math.SQRT2) / 2),
  // Interpolates linearly between multiples of 0.001.
  "Student-t(5)": (z) => {
    const place = Math.abs(z) * 1000;
    const low = Math.floor(place);
    return Math.sign(z) * (student[low] + (place - low) * (student[low + 1] - student[low]));
  },
  // The single Cauchy quantity must be found among the others.
  "one Cauchy": (z) => z,
};

it.each(Object.entries(kinds))("finds only truly heavy tails among %s quantities", (kind, of) => {
  const rows = Object.fromEntries(
    Array.from({ length: QUANTITIES }, (_, q) => {
      const heavy = kind === "one Cauchy" && q === 17;
      const z = autoregressive(CHAINS, COUNT, 0.5, 100 + q);
      return [
        `x${q}`,
        { paretoK: paretoKhat(z.map(heavy ? (each) => Math.sign(each) / erfc(Math.abs(each) / Math.SQRT2) : of), CHAINS) },
      ];
    }),
  );
  const judged = { chains: CHAINS, count: COUNT, description: {}, report: {}, summary: () => rows } as unknown as Judged;
  const found = tails(judged);
  if (kind !== "one Cauchy") expect(found).toEqual([]);
  else {
    expect(found).toMatchObject([{ code: "tails", serious: false, advice: expect.stringMatching(/^report quantiles/) }]);
    expect(found[0].text).toMatch(
      /^the tails of "x17" are so heavy that the mean has no reliable error \(Pareto k [01]\.\d\d, wanted below 0\.7\)$/,
    );
    expect(found[0].note).toBeUndefined();
  }
});

it("requires enough draws, more for a note, and a finite k", () => {
  const found = (paretoK: number, count: number, more = {}) => {
    const judged = { chains: 4, count, description: {}, report: {}, summary: () => ({ x: { paretoK } }), ...more };
    return tails(judged as unknown as Judged).map(({ note, text }) => [note === true, text.slice(0, 17)]);
  };
  const said = 'the tails of "x" ';
  expect([found(0.71, 99), found(0.71, 100)]).toEqual([[], [[false, said]]]);
  expect([found(0.7, 249), found(0.7, 250)]).toEqual([[], [[true, said]]]);
  expect([found(0.5, 1000), found(Infinity, 1000), found(Number.NaN, 1000)]).toEqual([[], [], []]);
  // Particles jointly form one approximation and are not a sample.
  expect(found(0.9, 1000, { report: { particles: 4000 } })).toEqual([]);
  expect(found(0.9, 1000, { report: { paretoK: 0.2 } })).toHaveLength(1);
});
