/** Recording of the last transitions of warm-up. */
import { describe, expect, it } from "vitest";
import { Recorder } from "../../../../src/bayes/samplers/hamiltonian/recorder.ts";

describe("a recorder", () => {
  const filled = (warmup: number) => {
    const recorder = new Recorder(warmup, 2, 2);
    for (let t = 0; t < warmup + 5; t++)
      for (const c of [0, 1])
        recorder.add(c, t, Float64Array.of(t, c), Float64Array.of(-t, -c), t === 18 ? -1000 : -100 - ((t * 7) % 5) - c);
    return recorder;
  };

  it("keeps the last 30 % of each chain's warm-up transitions in order, and no later draws", () => {
    const { draws, gradients } = filled(20).of(1);
    expect([...draws]).toEqual([14, 15, 16, 17, 18, 19].flatMap((t) => [t, 1]));
    expect([...gradients]).toEqual([14, 15, 16, 17, 18, 19].flatMap((t) => [-t, -1]));
    expect([...filled(20).levels(1)]).toEqual([-104, -101, -103, -105, -1000, -104]);
  });

  it("records the highest log density, even a negative one", () => {
    expect([filled(20).of(0).highest, filled(20).of(1).highest]).toEqual([-100, -101]);
  });

  it("records nothing without warm-up", () => {
    expect(filled(0).of(0)).toEqual({ draws: new Float64Array(0), gradients: new Float64Array(0), highest: -Infinity });
  });
});
