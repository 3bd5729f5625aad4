/**
 * Weights without a penalty: they reach the optimum of the likelihood while others shrink, for every learner and kind of
 * rule, also in a resumed run.
 */
import { describe, expect, it } from "vitest";
import { decode, encode } from "../../../src/engine/files/safetensors.ts";
import {
  adam,
  contrastiveDivergence,
  exactLikelihood,
  type FactorGraph,
  factorGraph,
  fit,
  infer,
  knowledgeBase,
  lbfgs,
  pseudoLikelihood,
  query,
  relation,
  weightedRule,
} from "../../../src/entries/everything.ts";

/** Half of 200 Booleans have the weight "a", the others "b". Seven of ten hold. */
function coins(): FactorGraph {
  const graph = factorGraph();
  for (const name of ["a", "fixed", "b"]) graph.weight(name, 0, { fixed: name === "fixed" });
  for (let i = 0; i < 200; i++) {
    graph.variable();
    graph.isTrue(i, { weight: i < 100 ? "a" : "b" });
    graph.observe(i, i % 10 < 7);
  }
  return graph;
}

/** Without a penalty: the odds of seven to three, with values ±1. */
const best = 0.5 * Math.log(7 / 3);
/**
 * With the penalty l2/2 w² on the loss per observed variable, of which half have the weight: the root of
 * l2 w = ½ (0.4 − tanh w), by bisection.
 */
function shrunk(l2: number): number {
  let [low, high] = [0, 1];
  for (let i = 0; i < 60; i++) {
    const w = (low + high) / 2;
    if (l2 * w < 0.5 * (0.4 - Math.tanh(w))) low = w;
    else high = w;
  }
  return low;
}

const l2 = 0.5;
const slow = { rule: adam({ rate: 0.02 }), epochs: 800 };

describe("unpenalised weights", () => {
  it.each([
    ["exactLikelihood", { algorithm: exactLikelihood(), ...slow }, 3],
    ["pseudoLikelihood", { algorithm: pseudoLikelihood(), ...slow }, 3],
    [
      "pseudoLikelihood by lbfgs",
      { algorithm: pseudoLikelihood(), rule: lbfgs({ changeTolerance: 0, gradientTolerance: 1e-9 }), epochs: 100 },
      5,
    ],
    // Exact samples of 200 independent variables: the standard error of the last weights is below 0.01.
    ["contrastiveDivergence", { algorithm: contrastiveDivergence(), epochs: 500 }, 1],
    ["contrastiveDivergence with replicas", { algorithm: contrastiveDivergence(), epochs: 500, replicas: 2 }, 1],
    ["CD-k", { algorithm: contrastiveDivergence({ persistent: false }), epochs: 500 }, 1],
  ])("reach the optimum without a penalty, by %s", async (_, options, digits) => {
    const both = await fit(coins(), { ...options, l2 });
    const one = await fit(coins(), { ...options, l2, unpenalised: ["b"] });
    expect(both.weight("a")).toBeCloseTo(shrunk(l2), digits);
    expect(both.weight("b")).toBeCloseTo(shrunk(l2), digits);
    expect(one.weight("a")).toBeCloseTo(shrunk(l2), digits);
    expect(one.weight("b")).toBeCloseTo(best, digits);
    expect(one.weight("fixed")).toBe(0);
    // The two differ by more than the tolerance.
    expect(best - shrunk(l2)).toBeGreaterThan(0.2);
  });

  it("are exempt from l1 too", async () => {
    const { weights } = await fit(coins(), { algorithm: pseudoLikelihood(), ...slow, l1: 1, unpenalised: ["b"] });
    expect(weights[0]).toBe(0);
    expect(weights[2]).toBeCloseTo(best, 3);
  });

  it("are given by name, by index, or as results of weight(), in any order and more than once", async () => {
    const graph = coins();
    const last = graph.weight("last");
    graph.isTrue(0, { weight: last });
    const options = { epochs: 20, l2 };
    const [wanted, none, all] = [
      await fit(graph, { ...options, unpenalised: ["b", "last"] }),
      await fit(graph, options),
      await fit(graph, { ...options, l2: 0 }),
    ];
    for (const unpenalised of [
      [2, 3],
      ["last", "b"],
      [last, 2, "b", 3, last],
    ])
      expect([...(await fit(graph, { ...options, unpenalised })).weights]).toEqual([...wanted.weights]);
    expect([...(await fit(graph, { ...options, unpenalised: [] })).weights]).toEqual([...none.weights]);
    expect([...none.weights]).not.toEqual([...wanted.weights]);
    // Without a penalty for any weight, and for a fixed weight, the option changes nothing.
    expect([...(await fit(graph, { ...options, l2: 0, unpenalised: ["a"] })).weights]).toEqual([...all.weights]);
    expect([...(await fit(graph, { ...options, unpenalised: ["fixed"] })).weights]).toEqual([...none.weights]);
    expect([...(await fit(graph, { ...options, unpenalised: [0, 2, 3] })).weights]).toEqual([...all.weights]);
  });

  it("are refused if the graph lacks them, or if they are not a list", async () => {
    const refusal = async (unpenalised: unknown): Promise<string> => {
      try {
        await fit(coins(), { l2, epochs: 1, unpenalised: unpenalised as string[] });
      } catch (error) {
        return (error as Error).message;
      }
      throw new Error("it was taken");
    };
    const [list, weight] = [
      /^fit: unpenalised is .*, but must be a list of weights: write .*\[OPTION_TYPE\]$/,
      /\[OPTION_TYPE\]$/,
    ];
    for (const given of ["b", 2, {}, new Set(["b"]), new Map(), () => ["b"], Symbol("b"), 2n, new Uint8Array(2)])
      expect(await refusal(given)).toMatch(list);
    for (const given of [
      NaN,
      -1,
      1.5,
      3,
      1e300,
      Infinity,
      null,
      undefined,
      {},
      [],
      true,
      Symbol("b"),
      1n,
      () => "b",
      { id: 3 },
    ]) {
      expect(await refusal(["a", given])).toMatch(/^fit: unpenalised\[1\]: weight is .*, but must be one of this graph's/);
      expect(await refusal(["a", given])).toMatch(weight);
    }
    expect(await refusal(null)).toMatch(/^fit: unpenalised is null; leave it out/);
    expect(await refusal(new Array(3))).toMatch(/^fit: unpenalised\[0\]: weight is undefined/);
    expect(await refusal(["c"])).toMatch(/^fit: unpenalised\[0\]: there is no weight "c".* \[OPTION_UNKNOWN\]$/);
    expect(await refusal(["fix"])).toMatch(/there is no weight "fix"; did you mean "fixed"\? \[OPTION_UNKNOWN\]$/);
    expect(await refusal([""])).toMatch(/there is no weight ""/);
    expect((await refusal(["x".repeat(1e6)])).length).toBeLessThan(1000);
    expect(await refusal(["__proto__"])).toMatch(/there is no weight "__proto__"/);
    expect(await refusal([...Array(100_000).fill("a"), "c"])).toMatch(/^fit: unpenalised\[100000\]/);
  });
});

describe("findings", () => {
  const votes = (): FactorGraph => {
    const graph = factorGraph();
    for (const [i, state] of [true, true, true, false].entries()) {
      graph.variable();
      graph.isTrue(i, { weight: i % 2 === 0 ? graph.weight(`even ${i}`) : graph.weight(`odd ${i}`) });
      graph.observe(i, state);
    }
    return graph;
  };
  const findings = async (options: object) =>
    (await fit(votes(), { algorithm: exactLikelihood(), epochs: 5, ...options })).findings.map(({ text, advice }) => [
      /as (.*) without bound/.exec(text)![1],
      advice,
    ]);

  it("name unpenalised weights that grow without bound, but no penalised ones", async () => {
    const [all, some] = ["give fit a penalty, for instance l2: 0.01", "leave these weights out of unpenalised"];
    expect(await findings({})).toEqual([['the weights "even 0", "odd 1", "even 2" and 1 more grow', all]]);
    for (const penalty of [{ l2: 0.1 }, { l1: 0.1 }]) {
      expect(await findings(penalty)).toEqual([]);
      expect(await findings({ ...penalty, unpenalised: ["odd 3"] })).toEqual([['the weight "odd 3" grows', some]]);
      expect(await findings({ ...penalty, unpenalised: [1, 3] })).toEqual([['the weights "odd 1", "odd 3" grow', some]]);
    }
    // Without a penalty, unpenalised has no meaning.
    expect(await findings({ unpenalised: ["odd 3"] })).toEqual(await findings({}));
  });

  it("of a loss that is worse count the penalties of penalised weights only", async () => {
    // A tiny step away from 0 increases a huge penalty, but not that of an unpenalised weight.
    const huge = { algorithm: exactLikelihood(), epochs: 1, rule: adam({ rate: 1e-3 }), l2: 1e12 };
    const { findings: worse } = await fit(coins(), { ...huge, unpenalised: ["b"] });
    const { findings: none } = await fit(coins(), { ...huge, unpenalised: ["a", "b"] });
    expect(worse.map(({ code }) => code)).toEqual(["worse"]);
    expect(none).toEqual([]);
  });
});

describe("a resumed run", () => {
  const options = { l2, unpenalised: ["b"], seed: 3 };
  const stored = async (given: object): Promise<Uint8Array> => {
    const run = fit(coins(), { ...given, epochs: 7 });
    await run;
    return run.checkpoint();
  };

  it.each([
    ["contrastiveDivergence", contrastiveDivergence({ particles: 3 })],
    ["pseudoLikelihood", pseudoLikelihood()],
    ["exactLikelihood", exactLikelihood()],
  ])("of %s keeps the weights without a penalty", async (_, algorithm) => {
    const wanted = [...(await fit(coins(), { ...options, algorithm, epochs: 20 })).weights];
    const bytes = await stored({ ...options, algorithm });
    expect([...(await fit.resume(bytes, coins(), { epochs: 20 })).weights]).toEqual(wanted);
    const penalised = { l2, seed: 3, algorithm };
    const others = [...(await fit(coins(), { ...penalised, epochs: 20 })).weights];
    expect(others).not.toEqual(wanted);
    expect([...(await fit.resume(await stored(penalised), coins(), { epochs: 20 })).weights]).toEqual(others);
    await expect(async () => fit.resume(bytes, coins(), { epochs: 20, unpenalised: ["a"] } as object)).rejects.toThrow(
      /unpenalised.*\[OPTION_UNKNOWN\]/,
    );
  });

  it("is refused if the stored list is damaged", async () => {
    const bytes = await stored(options);
    const { tensors, metadata } = decode(bytes);
    const { checksum: _, "text checksum": _text, ...others } = metadata;
    const withList = (unpenalised: unknown): Uint8Array => {
      const description = JSON.parse(metadata.description);
      expect(description.recipe.learning.plan.unpenalised).toEqual([2]);
      description.recipe.learning.plan.unpenalised = unpenalised;
      return encode(tensors, { ...others, description: JSON.stringify(description) });
    };
    await fit.resume(withList([2]), coins(), { epochs: 8 });
    for (const damaged of [[3], [-1], [0.5], ["b"], [null], {}, "b", 2, null, [1e300]])
      await expect(fit.resume(withList(damaged), coins(), { epochs: 8 })).rejects.toThrow(/unpenalised.*\[CHECKPOINT_FORMAT\]/s);
  });
});

it("the weight of a rule for the base rate is exempt by its name, and probabilities keep the base rate", async () => {
  const rows = Array.from({ length: 300 }, (_, id) => ({ id, word: `w${id % 60}`, good: id % 10 === 0 }));
  const has = relation("has", rows);
  const good = query("good", rows, { key: ["id"], label: "good" });
  const kb = knowledgeBase([
    weightedRule({ name: "prior", head: good({ id: "i" }), weight: "base rate" }),
    weightedRule({
      ...{ name: "word", head: good({ id: "i" }), weight: ({ w }: { w: string }) => w },
      body: [has({ id: "i", word: "w" })],
    }),
  ]);
  const graph = kb.ground();
  const rate = async (unpenalised: string[]): Promise<number> => {
    const strong = { algorithm: pseudoLikelihood(), l2: 0.3, ...slow, epochs: 400 };
    const { weights } = await fit(graph, { ...strong, unpenalised });
    const answer = await infer(graph.withWeights(weights).withoutEvidence(Array(300).keys()));
    return kb.beliefs(good, answer).reduce((sum, { p }) => sum + p, 0) / rows.length;
  };
  expect(await rate([])).toBeGreaterThan(0.2);
  expect(await rate(["base rate"])).toBeCloseTo(0.1, 3);
  // Weights that a function names have the rule's name in front.
  await expect(fit(graph, { unpenalised: ["w1"] })).rejects.toThrow(/there is no weight "w1"/);
  await fit(graph, { unpenalised: ["word: w1"], epochs: 1 });
});
