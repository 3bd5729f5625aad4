/** Severity of R-hat for made-up rows of a summary. */
import { describe, expect, it } from "vitest";
import { convergence } from "../../../../src/bayes/draws/findings/convergence.ts";
import type { Judged } from "../../../../src/bayes/draws/findings/finding.ts";
import { hasSeveralModes, tellsModes } from "../../../../src/bayes/draws/findings/modes.ts";
import { summary as summarise } from "../../../../src/engine/statistics/index.ts";

/** Findings for four chains that move. "x" has this row, and "y" has a sound one. */
function found(row: { rhat: number; essBulk: number; essTail: number }) {
  const x = Float64Array.from({ length: 40 }, (_, k) => Math.sin(k * k));
  const judged = {
    ...{ chains: 4, count: 10, description: {}, report: {}, quantities: [{ name: "x", kind: "parameter" }] },
    scalars: () => new Map([["x", x]]),
    summary: () => ({ x: row, y: { rhat: 1, essBulk: 399, essTail: 5000 } }),
  } as unknown as Judged;
  return convergence(judged).map(({ code, serious, text }) => [code, serious, /"y"/.test(text)]);
}

it.each([
  [{ rhat: 1.06, essBulk: 5000, essTail: 5000 }, true],
  [{ rhat: 1.05, essBulk: 5000, essTail: 5000 }, false],
  [{ rhat: 1.02, essBulk: 400, essTail: 400 }, false],
  [{ rhat: 1.02, essBulk: 399, essTail: 5000 }, true],
  [{ rhat: 1.02, essBulk: 5000, essTail: 399 }, true],
])("%o", (row, serious) => {
  // Few effective draws of another quantity are reported, but do not make this R-hat serious.
  expect(found(row)).toEqual([
    ["rhat", serious, false],
    ["ess", false, true],
  ]);
});

it("few effective draws with R-hat below 1.01 are slow, not wrong", () => {
  expect(found({ rhat: 1.0099, essBulk: 100, essTail: 100 })).toEqual([["ess", false, true]]);
});

/** Draws of "x" with made-up diagnostics and the given properties of the run. */
function judged(x: readonly number[], more: Partial<Judged>): Judged {
  const row = { rhat: 2, essBulk: 5, essTail: 5 };
  return {
    ...{ chains: 1, count: x.length, description: {}, report: {}, quantities: [{ name: "x", kind: "parameter" }] },
    scalars: () => new Map([["x", Float64Array.from(x)]]),
    summary: () => ({ x: row }),
    ...more,
  } as unknown as Judged;
}
const told = (draws: Judged): string[] => convergence(draws).map(({ serious, text }) => `${serious ? "!" : ""}${text}`);

it("independent draws of an approximation can be too few or all equal", () => {
  const approximation = { report: { paretoK: 0.1 } };
  const spread = Array.from({ length: 120 }, (_, k) => Math.sin(k * k));
  const few = (count: number, chains = 1) => told(judged(spread.slice(0, count * chains), { ...approximation, chains, count }));
  expect(few(1)).toEqual(["!1 independent draw is too few, however good the approximation is"]);
  expect(few(3)).toEqual(["!3 independent draws are too few, however good the approximation is"]);
  expect(few(1, 4)).toEqual(["4 independent draws are too few, however good the approximation is"]);
  expect(few(99)).toEqual(["99 independent draws are too few, however good the approximation is"]);
  expect(few(100)).toEqual([]);
  expect(few(1, 100)).toEqual([]);
  // An improper density can place draws so far out that adjacent floating-point numbers are far apart.
  const same = (value: number) => told(judged(new Array<number>(200).fill(value), { ...approximation, chains: 2, count: 100 }));
  expect(same(2 ** 60)).toEqual(['!all draws of "x" are the same number']);
  expect(same(0.5)).toEqual(['!all draws of "x" are the same number']);
  expect(same(3)).toEqual([]);
});

it("a chain that stays at a huge number is stuck, but one at a small whole number is not", () => {
  const at = (value: number) =>
    told(judged([value, value, value, value, value, value, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6], { chains: 2, count: 6 }))[0];
  expect(at(2 ** 60)).toBe('!"x" does not move in at least one chain');
  expect(at(3)).toMatch(/^!the chains disagree about "x"/);
});

it("the halves of a single chain are compared, and one draw is too few to judge", () => {
  const spread = [0.1, 0.15, 0.2, 0.7, 0.75, 0.8];
  expect(told(judged(spread, {}))[0]).toMatch(/^!the halves of the chain disagree about "x"/);
  expect(told(judged(spread, { summary: () => ({ x: { rhat: 1.02, essBulk: 500, essTail: 500 } }) as never }))[0]).toMatch(
    /^the halves of the chain do not quite agree about "x"/,
  );
  expect(told(judged([1], {}))).toEqual(["!1 draw per chain is too few to judge"]);
  expect(told(judged([1, 2], {}))).toEqual(["!2 draws per chain are too few to judge"]);
  expect(told(judged([0.1, 0.9, 0.2, 0.8, 0.3], {}))).toEqual(["!5 draws per chain are too few to judge"]);
});

it("chains without warm-up are advised to warm up, because their step size was not adapted", () => {
  const still = (warmup: number) =>
    convergence(
      judged([0.5, 0.5, 0.5, 0.5, 0.5, 0.5], { description: { algorithm: { algorithm: "nuts" }, plan: { warmup } } }),
    )[0].advice;
  expect(still(0)).toBe(
    "warm up (warmup: 1000), because warm-up adapts the step size and the metric, or start elsewhere (start: …)",
  );
  expect(still(10)).toMatch(/^raise targetAcceptance to 0\.9.*, or warm up longer/);
});

it("advice mentions modes only if every chain has settled", () => {
  const swings = Array.from({ length: 100 }, (_, k) => Math.sin(k * k));
  const rises = Array.from({ length: 100 }, (_, k) => 9 + k + 0.1);
  const advice = (...chains: number[][]) => convergence(judged(chains.flat(), { chains: chains.length, count: 100 }))[0].advice;
  const higher = swings.map((value) => value + 9);
  expect(advice(swings, higher)).toMatch(/within a mode, /);
  // Chains that mix slowly can reach an R-hat of 1.19 while each agrees with itself.
  const apart = (rhat: number) =>
    convergence(
      judged([...swings, ...higher], {
        chains: 2,
        count: 100,
        summary: () => ({ x: { rhat, essBulk: 500, essTail: 500 } }) as never,
      }),
    )[0].advice;
  expect([1.19, 1.21].map((rhat) => /within a mode, /.test(apart(rhat)))).toEqual([false, true]);
  for (const chains of [
    [swings, rises],
    [rises, swings],
  ])
    expect(advice(...chains)).not.toMatch(/within a mode, /);
});

it("advice on few effective draws states how many more draws are needed", () => {
  const x = Array.from({ length: 20 }, (_, k) => Math.sin(k * k));
  const advice = (essBulk: number, essTail: number) =>
    convergence(judged(x, { chains: 2, count: 10, summary: () => ({ x: { rhat: 1, essBulk, essTail } }) as never })).map(
      (found) => [found.code, found.advice.split(")")[0]],
    );
  expect(advice(50, 60)).toEqual([["ess", "draw more, about 4 times as many (draws: 40"]]);
  expect(advice(60, 30)).toEqual([["ess", "draw more, about 7 times as many (draws: 70"]]);
  expect(advice(0.5, 60)).toEqual([["ess", "draw more, about 200 times as many (draws: 2000"]]);
  expect(advice(200, 200)).toEqual([]);
  expect(advice(199.9, 200)).toEqual([["ess", "draw more, about 2 times as many (draws: 20"]]);
});

it.each<[string, object[], boolean, boolean]>([
  ["no places", [], false, false],
  ["one mode", [{ by: "chain", mode: 0, share: 1 }], false, false],
  ["two modes of chains", [0, 1].map((mode) => ({ by: "chain", mode, share: 0.5 })), true, true],
  ["two chains in one mode", [0, 0].map((mode) => ({ by: "chain", mode, share: 0.5 })), false, false],
  ["two modes of scouts", [0, 1].map((mode) => ({ by: "scout", mode, share: 0.5 })), false, true],
  ["a mode that holds a thousandth", [1, 1e-3].map((share, mode) => ({ by: "scout", mode, share })), false, false],
  ["a mode that holds more", [1, 1.1e-3].map((share, mode) => ({ by: "scout", mode, share })), false, true],
  ["a mode whose share is not known", [1, null].map((share, mode) => ({ by: "scout", mode, share })), false, false],
  ["places of no mode", [-1, -2].map((mode) => ({ by: "chain", mode, share: 0.5 })), false, false],
  ["a mode that chains have missed", [{ by: "scout", mode: 0, share: 1, missed: true }], true, true],
])("%s", (_, places, tells, several) => {
  const draws = judged([], { description: { places: places as never } });
  expect([tellsModes(draws), hasSeveralModes(draws)]).toEqual([tells, several]);
});

/** Four chains of 200 draws, from a function of chain and draw. */
function fourChains(value: (c: number, k: number) => number, more: Partial<Judged> = {}): Judged {
  const x = Float64Array.from({ length: 800 }, (_, i) => value(Math.floor(i / 200), i % 200));
  const { essBulk, essTail, rhat } = summarise({ x }, { chainCount: 4 }).x;
  return judged([...x], { chains: 4, count: 200, summary: () => ({ x: { rhat, essBulk, essTail } }) as never, ...more });
}
const adviceOf = (draws: Judged): string => convergence(draws).find(({ code }) => code === "ess")?.advice ?? "";
const noise = (c: number, k: number): number => Math.sin(1 + 1000 * c + k * k);

describe("a chain that is stuck is not advised to draw more", () => {
  it("if each chain is in a region of its own", () => {
    expect(adviceOf(fourChains((c, k) => 10 * c + noise(c, k)))).toMatch(
      /^each chain is stuck in a region of its own, and more draws do not help: if the modes/,
    );
  });

  it.each([25, 60, 150])("if one chain has the same value in %i successive draws", (length) => {
    const draws = fourChains((c, k) => (c === 1 && k >= 20 && k < 20 + length ? 0.7 : noise(c, k) + Math.floor(k / 100)));
    const { text, advice } = convergence(draws).find(({ code }) => code === "ess")!;
    expect(text).toMatch(new RegExp(`: chain 2 was stuck, with the same value in ${length} successive draws of its 200$`));
    expect(advice).toMatch(/^more draws alone do not help: /);
    expect(advice).not.toMatch(/draws: \d/);
  });

  it("but slow chains, short stands and whole numbers are", () => {
    const slow = (c: number, k: number): number => Math.sin(k / 40 + c) + 0.01 * noise(c, k);
    expect(adviceOf(fourChains(slow))).toMatch(/^draw more, about \d+ times as many \(draws: \d+\)/);
    expect(adviceOf(fourChains((c, k) => slow(c, k < 20 ? 0 : k)))).toMatch(/^draw more/);
    const few = { summary: () => ({ x: { rhat: 1.02, essBulk: 50, essTail: 50 } }) as never };
    expect(adviceOf(fourChains((c, k) => Math.floor((k + 7 * c) / 25) % 5, few))).toMatch(/^draw more/);
    expect(adviceOf(fourChains((c, k) => (Math.floor((k + 7 * c) / 25) % 5) + 0.5, few))).toMatch(/^more draws alone/);
  });
});
