/** A few divergences are serious if the chains do not mix, regardless of other findings. */
import { expect, it } from "vitest";
import type { Finding, Judged } from "../../../../src/bayes/draws/findings/finding.ts";
import { trajectories } from "../../../../src/bayes/draws/findings/trajectories.ts";

const judged = { chains: 4, count: 1000, divergences: 3, fields: [], description: {} } as unknown as Judged;
const serious = (code: string): boolean => {
  const before: Finding = { code, serious: false, text: "", advice: "" };
  return trajectories(judged, [before])[0].serious;
};

it.each(["rhat", "ess", "stuck", "few", "notFinite", "oneChain", "particles", "paretoK"])(
  "a few divergences are serious after %s",
  (code) => {
    expect(serious(code)).toBe(true);
  },
);

it("a few divergences are not serious after a finding unrelated to mixing", () => {
  expect([serious("tails"), serious("moved")]).toEqual([false, false]);
  expect(trajectories(judged, [])[0].serious).toBe(false);
});
