/**
 * Sums of reasons and the probabilities that follow from them: equal to the answer where other unknowns are certain, and
 * otherwise reported as different, with the true cause.
 */
import { describe, expect, it } from "vitest";
import { infer, knowledgeBase, query, relation, weightedRule } from "../../../src/entries/everything.ts";

const sigmoid = (sum: number): number => 1 / (1 + Math.exp(-sum));
const exact = { exact: true } as const;
const lastLine = (text: unknown): string => String(text).split("\n").at(-1)!;

/** Three days. Rain on day 2 depends on the rain of day 1, of which `label` is known. */
function weather(label: boolean | null, weights = { sky: 1.25, usual: -0.5, after: 2 }) {
  const days = [1, 2, 3].map((day) => ({ day, sky: day === 3 ? "blue" : "grey", rain: day === 1 ? label : null }));
  const sky = relation("sky", days);
  const next = relation("next", { day: [1], following: [2] });
  const rain = query("rain", days, { key: ["day"], label: "rain" });
  const kb = knowledgeBase([
    weightedRule({
      ...{ name: "sky", head: rain({ day: "d" }), weight: weights.sky },
      body: [sky({ day: "d", sky: { equals: "grey" } })],
    }),
    weightedRule({ name: "usual", head: rain.not({ day: "d" }), weight: -weights.usual }),
    weightedRule({
      ...{ name: "after", head: rain({ day: "e" }), weight: weights.after },
      body: [rain({ day: "d" }), next({ day: "d", following: "e" })],
    }),
  ]);
  return { kb, rain };
}

describe("the sum of reasons", () => {
  it("gives the probability if the other unknowns are observed, and says so", async () => {
    for (const label of [true, false]) {
      const { kb, rain } = weather(label);
      const answer = await infer(kb.ground());
      const reasons = kb.why(rain, { day: 2 }, answer);
      const sum = 1.25 - 0.5 + (label ? 2 : 0);
      expect(reasons.sums).toHaveLength(1);
      const [{ state, sum: found, p, implied }] = reasons.sums!;
      expect(state).toBe("true");
      expect(found).toBeCloseTo(sum, 12);
      expect(p).toBe(answer.marginal(kb.variable(rain, { day: 2 })).p[1]);
      expect(p).toBeCloseTo(sigmoid(sum), 12);
      expect(implied).toBeCloseTo(sigmoid(sum), 12);
      expect(reasons).not.toHaveProperty("differs");
      expect(lastLine(reasons)).toBe(`+${sum.toFixed(3)} true  sum: the probability ${p.toFixed(3)} is 1 / (1 + e^−sum)`);
    }
  });

  it("subtracts contributions to false, and is negative if they are larger", async () => {
    const { kb, rain } = weather(null);
    const reasons = kb.why(rain, { day: 3 }, await infer(kb.ground()));
    expect(reasons.map(({ state, pull }) => [state, pull])).toEqual([["false", 0.5]]);
    expect(lastLine(reasons)).toBe("−0.500 true  sum: the probability 0.378 is 1 / (1 + e^−sum)");
  });

  it("does not give the probability if other unknowns are uncertain", async () => {
    const { kb, rain } = weather(null);
    const reasons = kb.why(rain, { day: 2 }, await infer(kb.ground()));
    // Enumeration of the two connected days.
    const weight = (one: number, two: number): number => Math.exp(0.75 * (one + two) + 2 * (one > two ? 0 : 1));
    const total = weight(0, 0) + weight(0, 1) + weight(1, 0) + weight(1, 1);
    const p = (weight(0, 1) + weight(1, 1)) / total;
    expect(reasons.sums![0].p).toBeCloseTo(p, 12);
    expect(reasons.differs).toBe("other unknowns are uncertain");
    const [{ sum, implied }] = reasons.sums!;
    expect(implied).toBeCloseTo(sigmoid(sum), 12);
    expect(lastLine(reasons)).toBe(
      `${sum < 0 ? "−" : "+"}${Math.abs(sum).toFixed(3)} true  sum: the probability is ${p.toFixed(3)} and not 1 / (1 + e^−sum) = ${sigmoid(sum).toFixed(3)}, because other unknowns are uncertain`,
    );
  });

  it("does not give the probability of an observed unknown", async () => {
    const { kb, rain } = weather(true);
    const reasons = kb.why(rain, { day: 1 }, await infer(kb.ground()));
    expect(reasons.differs).toBe("this unknown is observed");
    expect(lastLine(reasons)).toMatch(/the probability is 1\.000 and not .* because this unknown is observed$/);
    // Even if the sum alone gives the same number.
    const sure = weather(true, { sky: 40, usual: 0.5, after: 1 });
    expect(sure.kb.why(sure.rain, { day: 1 }, await infer(sure.kb.ground())).differs).toBe("this unknown is observed");
    // The answer might be of a graph in which the unknown is not observed.
    const hidden = await infer(kb.ground().withoutEvidence([kb.variable(rain, { day: 1 })]));
    expect(kb.why(rain, { day: 1 }, hidden).differs).toBe("other unknowns are uncertain");
  });

  it("does not give the probability if factors or evidence outside the rules count too", async () => {
    for (const change of ["factor", "soft"] as const) {
      const { kb, rain } = weather(true);
      const graph = kb.ground();
      const variable = kb.variable(rain, { day: 3 });
      if (change === "factor") graph.isTrue(variable, { weight: 1 });
      else graph.soft(variable, [1, 3]);
      const reasons = kb.why(rain, { day: 3 }, await infer(graph));
      expect(reasons.differs).toBe("the graph has factors or evidence that no rule made");
      expect(reasons.sums![0].p).toBeCloseTo(sigmoid(-0.5 + (change === "factor" ? 2 : Math.log(3))), 12);
    }
  });

  it("names an estimate as a cause, next to uncertain unknowns", () => {
    const { kb, rain } = weather(null);
    kb.ground();
    const certificate = { mcse: [0.01, 0.01], rhat: 1, ess: 900 };
    const answer = { marginal: (variable: number) => ({ p: variable === 0 ? [0.3, 0.7] : [0.4, 0.6], certificate }) };
    expect(kb.why(rain, { day: 3 }, answer).differs).toBe("the probability is not exact");
    expect(kb.why(rain, { day: 2 }, answer).differs).toBe("the probability is not exact and other unknowns are uncertain");
  });

  it("is 0 if there are no reasons", async () => {
    const { kb, rain } = weather(null);
    kb.add(weightedRule({ name: "no day", head: rain({ day: "d" }), weight: 1, where: ({ d }) => d > 9 }));
    const alone = query("alone", [{ id: 1 }], { key: ["id"] });
    kb.add(weightedRule({ name: "none", head: alone({ id: "i" }), weight: 1, where: () => false }));
    const reasons = kb.why(alone, { id: 1 }, await infer(kb.ground()));
    expect(reasons.sums).toEqual([{ state: "true", sum: 0, p: 0.5, implied: 0.5 }]);
    expect(String(reasons)).toBe("+0.000 true  sum: the probability 0.500 is 1 / (1 + e^−sum)");
  });

  it("is large without overflow", () => {
    const { kb, rain } = weather(true, { sky: 1e300, usual: 1e300, after: 1 });
    kb.ground();
    const reasons = kb.why(rain, { day: 2 }, { marginal: () => ({ p: [0, 1], certificate: exact }) });
    expect(reasons.sums![0]).toMatchObject({ sum: 2e300, implied: 1 });
    expect(reasons).not.toHaveProperty("differs");
  });

  it("counts per state for unknowns with named states", async () => {
    const places = ["Lyon", "Turin", "Porto"] as const;
    const lamp = [{ product: "lamp" }];
    const origin = query("origin", lamp, { key: ["product"], states: places });
    const kb = knowledgeBase([
      weightedRule({ name: "one", head: origin({ product: "p" }, "Lyon"), weight: 1 }),
      weightedRule({ name: "two", head: origin({ product: "p" }, "Turin"), weight: 2.5 }),
      weightedRule({ name: "three", head: origin({ product: "p" }, "Turin"), weight: -1 }),
    ]);
    const reasons = kb.why(origin, { product: "lamp" }, await infer(kb.ground()));
    const total = Math.E + Math.exp(1.5) + 1;
    const wanted = [Math.E, Math.exp(1.5), 1].map((share) => share / total);
    expect(reasons.sums!.map(({ state, sum }) => [state, sum])).toEqual([
      ["Lyon", 1],
      ["Turin", 1.5],
      ["Porto", 0],
    ]);
    reasons.sums!.forEach(({ p, implied }, k) => {
      expect(p).toBeCloseTo(wanted[k], 12);
      expect(implied).toBeCloseTo(wanted[k], 12);
    });
    // A state without reasons has no line.
    expect(String(reasons).split("\n").slice(-2)).toEqual([
      `+1.000 Lyon  sum: the probability ${wanted[0].toFixed(3)} is e^sum / Σ e^sum over the states`,
      `+1.500 Turin  sum: the probability ${wanted[1].toFixed(3)} is e^sum / Σ e^sum over the states`,
    ]);
    // Parts of the list have no sums.
    expect(String(reasons.slice(0, 1))).toBe('+2.500 Turin  two: weight 2.500; p = "lamp"');
  });

  it("differs if only one state's probability differs", () => {
    const origin = query("origin", [{ id: 1 }], { key: ["id"], states: ["a", "b", "c"] });
    const kb = knowledgeBase([weightedRule({ name: "one", head: origin({ id: "i" }, "a"), weight: 0 })]);
    kb.ground();
    const given = (p: number[]) => kb.why(origin, { id: 1 }, { marginal: () => ({ p, certificate: exact }) });
    expect(given([1 / 3, 1 / 3, 1 / 3])).not.toHaveProperty("differs");
    expect(given([1 / 3, 1 / 3 - 1e-6, 1 / 3 + 1e-6]).differs).toBe("the graph has factors or evidence that no rule made");
  });
});
