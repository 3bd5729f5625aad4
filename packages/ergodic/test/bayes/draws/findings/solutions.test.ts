/** The verdict on differential equations states their accuracy and names them as a possible cause of divergences. */
import { describe, expect, it } from "vitest";
import { Draws } from "../../../../src/bayes/draws/index.ts";
import type { JsonObject } from "../../../../src/engine/contract/index.ts";
import { stream } from "../../../../src/engine/random/stream.ts";

const [CHAINS, COUNT] = [4, 500];

function judged(solutions: JsonObject | undefined, divergent = 0): { trusted: boolean; text: string } {
  const transitions = new Float64Array(CHAINS * COUNT).fill(1, 0, divergent);
  const draws = stream(4, "solutions").at(0);
  const x = Float64Array.from({ length: CHAINS * COUNT }, () => draws.normal());
  const description = { algorithm: { algorithm: "nuts", maxTreeDepth: 10 }, ...(solutions && { solutions }) };
  const quantities = [{ name: "x", shape: [], kind: "parameter" as const }];
  const made = { chains: CHAINS, count: COUNT, quantities, values: { x }, fields: ["divergent"], transitions };
  return new Draws({ ...made, description, report: {} }).verdict();
}

describe("the verdict on differential equations", () => {
  it("reports the largest error and number of steps", () => {
    const { trusted, text } = judged({ count: 1, points: 100, mostSteps: 44, largestError: 3.6e-6 });
    expect(trusted).toBe(true);
    expect(text).toBe(
      "These draws can be trusted (4 chains of 500 draws).\n- the relative error of the differential equations' solutions is at most 4e-6 (checked at 100 draws, in up to 44 steps): a smaller tolerance of ode() would reduce it.",
    );
  });

  it.each([
    [
      0.0011,
      /^These draws can be used, with care .*the relative error of the differential equations' solutions is up to 1e-3 .*smaller tolerance/s,
    ],
    [
      null,
      /^These draws can be used, with care .*the error of the differential equations' solutions is unknown \(checked at 7 draws, in up to 44 steps\)/s,
    ],
  ])("warns of %s", (largestError, said) => {
    expect(judged({ count: 1, points: 7, mostSteps: 44, largestError }).text).toMatch(said);
  });

  it("counts draws without a solution and omits them from the largest error", () => {
    const report = { count: 1, points: 100, mostSteps: 44, largestError: 1e-6 };
    const some = judged({ ...report, failed: 3 });
    expect(some.text).toMatch(
      /^These draws can be used, with care .*no solution at 3 of the 100 draws that were checked: its states are NaN there.*raise maxSteps/s,
    );
    expect(some.text).toMatch(/at most 1e-6/);
    const all = judged({ ...report, failed: 100, largestError: null }).text;
    expect(all).toMatch(/at 100 of the 100 draws/);
    expect(all).not.toMatch(/is not known/);
    expect(judged({ ...report, failed: 0 }).text).not.toMatch(/no solution/);
  });

  it("mentions differential equations as a cause of divergences", () => {
    const solutions = { count: 1, points: 100, mostSteps: 44, largestError: 1e-6 };
    expect(judged(solutions, 2).text).toMatch(
      /2 of 2000 transitions diverged.*maxSteps steps counts as a divergence: if the system is stiff/s,
    );
    expect(judged(solutions, 0).text).not.toMatch(/maxSteps/);
  });

  it("omits differential equations if there are none", () => {
    expect(judged(undefined, 2).text).not.toMatch(/differential|maxSteps/);
  });
});
