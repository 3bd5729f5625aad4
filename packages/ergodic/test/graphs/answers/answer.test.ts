/** Sums and comparisons of certificates, and the text and JSON of an answer. */
import { describe, expect, it } from "vitest";
import type { Certificate } from "../../../src/engine/contract/index.ts";
import { Answer, type AnswerContent, certificateText, certifiedSum, weakest } from "../../../src/graphs/answers/index.ts";

const kinds: Certificate[] = [
  { exact: true },
  { lower: 0, upper: 2 },
  { interval: [0, 2], level: 0.99 },
  { mcse: [0.1], rhat: 1.01, ess: 400 },
  { khat: 0.3, ess: 500 },
  { none: "nothing" },
];

describe("certificates", () => {
  it("selects the weaker of two certificates of different kinds, in either order", () => {
    kinds.forEach((strong, i) => {
      for (const weak of kinds.slice(i)) {
        expect(weakest([strong, weak])).toEqual(weak);
        expect(weakest([weak, strong])).toEqual(weak);
      }
    });
    expect(weakest([])).toEqual({ exact: true });
  });

  it.each<[string, Certificate, Certificate]>([
    ["bounds", { lower: 0, upper: 1 }, { lower: 3, upper: 4.5 }],
    ["bounds of states", { lower: [0, 0.5], upper: [0.5, 1] }, { lower: [0.1, 0.1], upper: [0.1, 0.7] }],
    ["bounds of which one is not known", { lower: 0, upper: 1e9 }, { lower: -Infinity, upper: 1 }],
    ["intervals", { interval: [0, 2], level: 0.999 }, { interval: [-4, -1], level: 0.999 }],
    [
      "intervals of states",
      {
        interval: [
          [0.2, 0.4],
          [0.6, 0.8],
        ],
        level: 0.9,
      },
      {
        interval: [
          [0, 0.3],
          [0.7, 0.7],
        ],
        level: 0.9,
      },
    ],
    ["chains", { mcse: [0.5], rhat: 1.01, ess: 100 }, { mcse: [0.1], rhat: 1.4, ess: 400 }],
    ["chains without R-hat", { mcse: [0.5], rhat: 3, ess: 100 }, { mcse: [0.1], rhat: Number.NaN, ess: 400 }],
    ["weights", { khat: 0.2, ess: 50 }, { khat: 0.9, ess: 500 }],
  ])("selects the wider certificate, or the larger R-hat or k-hat: %s", (_, strong, weak) => {
    expect(weakest([strong, weak])).toBe(weak);
    expect(weakest([weak, strong])).toBe(weak);
  });

  const sum = (...certificates: Certificate[]) => certifiedSum(certificates.map((certificate) => ({ value: 1, certificate })));

  it("adds the ends and miss probabilities of a sum, and shifts them by exact values", () => {
    expect(sum(kinds[0], kinds[0])).toEqual({ value: 2, certificate: { exact: true } });
    const bounds = sum(kinds[0], kinds[1], kinds[1]).certificate as { lower: number; upper: number };
    expect(bounds.lower).toBeCloseTo(1, 12);
    expect(bounds.upper).toBeCloseTo(5, 12);
    expect(bounds.lower).toBeLessThan(1);
    expect(bounds.upper).toBeGreaterThan(5);
    const interval = sum(kinds[0], kinds[1], kinds[2], { interval: [-1, 3], level: 0.9 }).certificate;
    expect(interval).toEqual({ interval: [0, 8], level: 0.99 * 0.9 });
    expect(sum(kinds[2], kinds[5]).certificate).toBe(kinds[5]);
  });

  it("keeps the level of a sum of 3,000 numbers above 0", () => {
    const { level } = sum(...Array<Certificate>(3000).fill({ interval: [0, 2], level: 0.999 })).certificate as { level: number };
    expect(level).toBeCloseTo(Math.exp(3000 * Math.log(0.999)), 12);
  });

  it("combines k-hat by the maximum, sizes by the minimum and chain errors by their squares", () => {
    const other: Certificate = { khat: 0.6, ess: 900 };
    expect(sum(kinds[4], other, kinds[0]).certificate).toEqual({ khat: 0.6, ess: 500 });
    const chains = sum({ mcse: [0.3], rhat: 1.2, ess: 900 }, { mcse: [0.4], rhat: 1, ess: 100 }).certificate;
    expect(chains).toEqual({ mcse: [0.5], rhat: 1.2, ess: 100 });
  });

  it("describes certificates in words", () => {
    expect(kinds.map(certificateText)).toEqual([
      "exact",
      "proved bounds",
      "an interval at 99 %",
      "chains: R-hat 1.010, effective size 400",
      "importance weights: k-hat 0.30, effective size 500",
      "no guarantee: nothing",
    ]);
    expect(certificateText({ interval: [0, 1], level: 0.999 })).toBe("an interval at 99.9 %");
  });
});

describe("answers", () => {
  const answer = (content: Partial<AnswerContent> & Pick<AnswerContent, "task">): Answer =>
    new Answer({
      variableCount: 2,
      name: (variable) => `v${variable}`,
      state: (_, state) => `s${state}`,
      method: "by hand",
      description: {},
      ...content,
    });
  const best = (bound: number) => answer({ task: "map", map: { states: Int32Array.of(1, 0), value: -2, bound } });

  it("is exact if the bound equals the value of the best state, and otherwise bounded or without a guarantee", () => {
    expect(best(-2).certificate).toEqual({ exact: true });
    expect(best(-1.5).certificate).toEqual({ lower: -2, upper: -1.5 });
    expect(Object.keys(best(Infinity).certificate)).toEqual(["none"]);
    expect(String(best(-2))).toBe(
      "v0  s1\nv1  s0\nln of the product of the factors: -2; no state has more\nby hand\ncertificate: exact",
    );
    expect(String(best(-1.5))).toContain("-2; no state has more than 0.5 above that");
    expect(String(best(Infinity))).toContain("-2; how much more other states have is unknown");
    expect(best(-1.5).toJSON()).toMatchObject({ states: { v0: "s1", v1: "s0" }, value: -2, bound: -1.5 });
    expect(best(Infinity).toJSON().bound).toBeNull();
  });

  it("contains both logarithms of the partition function", () => {
    const found = answer({ task: "partition", logZ: { value: Math.LN10, certificate: { exact: true } } });
    expect(String(found)).toBe(`ln Z = ${Math.LN10}\nlog10 Z = 1\nby hand\ncertificate: exact`);
    expect(() => found.marginal(0)).toThrow(/marginal was requested from an answer to the task "partition".*"marginals"/);
    expect(() => found.best).toThrow(/best was requested from .* task: "map"/);
    const impossible = answer({ task: "partition", logZ: { value: -Infinity, certificate: { exact: true } } });
    expect(impossible.toJSON()).toMatchObject({ logZ: "-Infinity", logZCertificate: { exact: true } });
    const above = answer({ task: "partition", logZ: { value: 1, certificate: { lower: -Infinity, upper: 2 } } });
    expect(above.toJSON()).toMatchObject({ logZ: 1, certificate: { lower: "-Infinity", upper: 2 } });
  });

  it("prints marginals of 20 variables and 6 states, and reports how many it omits", () => {
    const marginals = Array.from({ length: 23 }, () => ({ p: new Float64Array(7).fill(1 / 7), certificate: kinds[4] }));
    const found = answer({ task: "marginals", variableCount: 23, marginals });
    const lines = String(found).split("\n");
    expect(lines).toHaveLength(23);
    expect(lines[9]).toBe(`v9   ${Array.from({ length: 6 }, (_, s) => `s${s} 0.1429`).join("  ")}  …`);
    expect(lines[20]).toBe("… and 3 more variables");
    expect(found.certificate).toBe(kinds[4]);
    expect(found.marginal("v22")).toEqual(found.marginal(22));
    expect(() => found.marginal("v23")).toThrow(/no variable "v23"/);
    expect(() => found.marginal(23)).toThrow(/no variable 23; they are numbered from 0 to 22/);
  });
});
