/** Step sizes by update, cycles, and their options. */
import { describe, expect, it } from "vitest";
import { psgld, sghmc, sgld, sgnht } from "../../../../src/bayes/samplers/index.ts";
import { stepSchedule } from "../../../../src/bayes/samplers/stochastic-gradient/step-schedule.ts";

describe("step sizes", () => {
  it("decrease by their formula", () => {
    const { stepSize } = stepSchedule("test", { stepSize: { initial: 0.5, offset: 4, power: 0.75 } });
    for (const k of [0, 1, 10, 1000]) expect(stepSize(k)).toBeCloseTo(0.5 * (1 + k / 4) ** -0.75, 14);
  });

  it("match the paper for cycles, with draws only in the noisy part", () => {
    const { stepSize, temperature, updatesBefore, mostUpdates } = stepSchedule("test", {
      stepSize: 0.2,
      cycle: { length: 10, draws: 2, exploration: 0.55 },
    });
    for (let k = 1; k <= 40; k++) {
      expect(stepSize(k - 1)).toBeCloseTo(0.1 * (Math.cos((Math.PI * ((k - 1) % 10)) / 10) + 1), 14);
      expect(temperature(k - 1)).toBe((k - 1) % 10 < 5 ? 0 : 1);
    }
    // Five updates explore, and draws follow after 7 and after 10 updates.
    expect([0, 1, 2, 3, 4, 5].map(updatesBefore)).toEqual([0, 7, 10, 17, 20, 27]);
    expect(mostUpdates).toBe(8);
  });

  it("are refused if they are invalid", () => {
    const error = (make: () => unknown) => expect(make);
    error(() => sgld({ stepSize: null as never })).toThrow(/sgld: stepSize is null.*OPTION_TYPE/);
    error(() => sgld({ stepSize: "small" as never })).toThrow("OPTION_RANGE");
    error(() => sgld({ stepSize: -1 })).toThrow("OPTION_RANGE");
    error(() => sgld({ stepSize: { initial: 1, offset: 0, power: 1 } })).toThrow(/sgld.stepSize: offset is 0/);
    error(() => sgld({ stepSize: 1, thin: 0 })).toThrow("OPTION_RANGE");
    error(() => sgld({ stepSize: 1, thin: 2, cycle: { length: 5 } })).toThrow(/cycle is given with thin.*OPTION_CONFLICT/);
    error(() => sgld({ stepSize: { initial: 1, offset: 1, power: 1 }, cycle: { length: 5 } })).toThrow("OPTION_CONFLICT");
    error(() => sgld({ stepSize: 1, cycle: { length: 5, draws: 2, exploration: 0.8 } })).toThrow(/sgld.cycle: draws is 2/);
    error(() => sghmc({ stepSize: 1, friction: 0.1, noiseEstimate: 0.2 })).toThrow(/noiseEstimate is 0.2/);
    error(() => sghmc({ noiseEstimate: 0.005 })).toThrow(/noiseEstimate is 0.005.*stepSize is not given.*OPTION_CONFLICT/);
    error(() => psgld({ stepSize: 1, smoothing: 1 })).toThrow("OPTION_RANGE");
    error(() => sgnht({ stepSize: 1, cycle: { length: 5 } } as never)).toThrow("OPTION_UNKNOWN");
  });
});
