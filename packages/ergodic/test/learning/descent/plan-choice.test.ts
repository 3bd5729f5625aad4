/** Which way of sharing updates is taken, from figures that nobody had to measure. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  BEHIND,
  choosePlan,
  hopeless,
  ROUNDS,
  type Round,
  type Sharing,
  STAYS_BEHIND,
  type Stretch,
  WORTH,
} from "../../../src/learning/descent/plan-choice.ts";

const UPDATES = 1000;
const stretch = (seconds: number, fell: number): Stretch => ({ updates: UPDATES, seconds, fell });
const repeated = (round: Round, count = ROUNDS): Round[] => Array.from({ length: count }, () => round);
/** One lane makes progress 1 in a second. */
const against = (some: Partial<Record<Sharing, Stretch>>): Round[] => repeated({ "one lane": stretch(1, 1), ...some });
const taken = (rounds: readonly Round[]): Sharing => choosePlan(rounds).sharing;

const seconds = fc.double({ min: 1e-3, max: 10, noNaN: true });
const fell = fc.double({ min: -1, max: 1, noNaN: true });
const anyStretch = fc.record({ updates: fc.constant(UPDATES), seconds, fell });
const anyRound: fc.Arbitrary<Round> = fc.record({ "one lane": anyStretch, replicas: anyStretch, racing: anyStretch });
const anyRounds = fc.array(anyRound, { minLength: ROUNDS, maxLength: 2 * ROUNDS });
/** Rounds that differ by little: most of those at random have no winner. */
const evenRounds = fc
  .record({
    one: fell,
    replicas: fc.double({ min: 0.5, max: 4, noNaN: true }),
    racing: fc.double({ min: 0.5, max: 4, noNaN: true }),
  })
  .chain(({ replicas, racing }) =>
    fc.array(
      fc.double({ min: 0.97, max: 1.03, noNaN: true }).map(
        (noise): Round => ({
          "one lane": stretch(1, 1),
          replicas: stretch(1, replicas * noise),
          racing: stretch(1, racing * noise),
        }),
      ),
      { minLength: ROUNDS, maxLength: 2 * ROUNDS },
    ),
  );

describe("the plan that is taken", () => {
  it("is the one whose product of both efficiencies is the largest", () => {
    // Twice the updates a second, at 0.9 of the progress an update; and 1.5 times at the same.
    expect(taken(against({ replicas: stretch(0.5, 0.9), racing: stretch(1 / 1.5, 1) }))).toBe("replicas");
    expect(taken(against({ replicas: stretch(0.5, 0.6), racing: stretch(1 / 1.5, 1) }))).toBe("racing");
    expect(taken(against({ replicas: stretch(0.5, 0.45), racing: stretch(1.2, 1) }))).toBe("one lane");
  });

  it("is one lane where others are no better by more than luck", () => {
    expect(taken(against({ replicas: stretch(1, 1), racing: stretch(1, 1) }))).toBe("one lane");
    expect(taken(against({ racing: stretch(1, WORTH - 0.01) }))).toBe("one lane");
    expect(taken(against({ racing: stretch(1, WORTH + 0.01) }))).toBe("racing");
  });

  it("is one lane where another was slower in a single round, whatever it gained in the rest", () => {
    const rounds = against({ racing: stretch(0.1, 1) });
    expect(taken(rounds)).toBe("racing");
    const { sharing, unsure } = choosePlan([...rounds.slice(1), { "one lane": stretch(1, 1), racing: stretch(1.01, 1) }]);
    expect(sharing).toBe("one lane");
    // More rounds would not change that.
    expect(unsure).toEqual([]);
  });

  it("is one lane before all rounds are made, and where nothing was measured", () => {
    expect(taken(repeated({ "one lane": stretch(1, 1), racing: stretch(0.1, 1) }, ROUNDS - 1))).toBe("one lane");
    expect(choosePlan([])).toEqual({
      sharing: "one lane",
      why: `only 0 of ${ROUNDS} rounds of measuring were made`,
      figures: [],
      unsure: [],
    });
  });

  it("is replicas, which can be repeated, where racing is as fast", () => {
    expect(taken(against({ replicas: stretch(0.5, 1), racing: stretch(0.5, 1) }))).toBe("replicas");
  });

  it("is another where it lowers the loss and one lane raises it, but none that raises it", () => {
    const rising = (some: Partial<Record<Sharing, Stretch>>): Round[] => repeated({ "one lane": stretch(1, -1), ...some });
    expect(taken(rising({ replicas: stretch(1, 0.1) }))).toBe("replicas");
    expect(taken(rising({ replicas: stretch(1, -0.1) }))).toBe("one lane");
  });

  it("is never one that diverged, or whose time is not known", () => {
    for (const bad of [stretch(0.5, Number.NaN), stretch(0.5, -Infinity), stretch(0, 1), stretch(Number.NaN, 1)])
      expect(taken(against({ racing: bad }))).toBe("one lane");
  });

  it("says why, with the figures", () => {
    expect(choosePlan(against({ replicas: stretch(0.5, 0.9), racing: stretch(1.25, 1) }))).toEqual({
      sharing: "replicas",
      why: "averaged replicas lowered the loss 1.8 times as fast as one lane (2 × the updates per second, 0.9 × the progress per update)",
      figures: [
        { sharing: "one lane", updatesPerSecond: 1000, fallPerUpdate: 1e-3, fallPerSecond: 1 },
        {
          sharing: "replicas",
          updatesPerSecond: 2000,
          fallPerUpdate: expect.closeTo(9e-4, 12),
          fallPerSecond: expect.closeTo(1.8, 9),
        },
        { sharing: "racing", updatesPerSecond: 800, fallPerUpdate: 1e-3, fallPerSecond: expect.closeTo(0.8, 9) },
      ],
      unsure: [],
    });
    expect(choosePlan(against({ replicas: stretch(0.5, 0.4), racing: stretch(1.25, 1) })).why).toBe(
      "averaged replicas lowered the loss 0.8 times as fast as one lane (2 × the updates per second, 0.4 × the progress per update); " +
        "racing on one model lowered the loss 0.8 times as fast as one lane (0.8 × the updates per second, 1 × the progress per update)",
    );
  });
});

describe("where candidates are even", () => {
  const known = { scale: 1, even: ["replicas", "racing"] as const, shortens: true };
  /** In a stretch one lane goes up by noise, as it does where little is left to gain. */
  const noisy = (replicas: Stretch, lane = stretch(1, -0.01)): Round => ({ "one lane": lane, replicas });
  const chosen = (rounds: readonly Round[], its = known): Sharing => choosePlan(rounds, its).sharing;

  it("the faster is taken, whatever a stretch brought, if it ends as low as one lane, to within a two-hundredth of the gain", () => {
    expect(BEHIND).toBe(0.005);
    for (const [fell, wanted] of [
      [-0.0149, "replicas"],
      [-0.0151, "one lane"],
      [0.5, "replicas"],
    ] as const) {
      expect(chosen(repeated(noisy(stretch(0.5, fell))))).toBe(wanted);
      // By the falls alone nothing can be said.
      expect(chosen(repeated(noisy(stretch(0.5, Math.min(fell, 0)))), { ...known, even: ["racing"] as never })).toBe("one lane");
    }
    // The mean of the rounds counts.
    const uneven = [0.02, -0.02, 0.02, -0.02, 0].map((by) => noisy(stretch(0.5, -0.01 + by)));
    expect(chosen(uneven)).toBe("replicas");
  });

  it("to within a thousandth where steps stay as long, since it would stay behind", () => {
    expect(STAYS_BEHIND).toBe(0.001);
    for (const [fell, wanted] of [
      [-0.0109, "replicas"],
      [-0.0111, "one lane"],
    ] as const)
      expect(chosen(repeated(noisy(stretch(0.5, fell))), { ...known, shortens: false })).toBe(wanted);
  });

  it("what is behind must show that it is faster all the same", () => {
    expect(chosen(repeated(noisy(stretch(0.5, 0.9), stretch(1, 1))))).toBe("replicas");
    expect(chosen(repeated(noisy(stretch(0.5, 0.54), stretch(1, 1))))).toBe("one lane");
  });

  it("one lane is taken where nothing was gained, and where the loss or the gain is not a number", () => {
    for (const gain of [0, -1, Number.NaN])
      expect(chosen(repeated(noisy(stretch(0.5, -0.0101))), { ...known, scale: gain })).toBe("one lane");
    expect(chosen(repeated(noisy(stretch(0.5, Number.NaN))))).toBe("one lane");
    expect(chosen(repeated(noisy(stretch(0.5, -Infinity))))).toBe("one lane");
  });

  it("being ahead is worth nothing: what counts is the speed", () => {
    expect(chosen(repeated(noisy(stretch(1, 1))))).toBe("one lane");
    expect(chosen(repeated(noisy(stretch(1 / (WORTH - 0.01), 1))))).toBe("one lane");
    expect(chosen(repeated(noisy(stretch(1 / (WORTH + 0.01), 0))))).toBe("replicas");
  });

  it("what makes less than half of the updates per second in each of two rounds is hopeless", () => {
    const round = (replicas: number, racing: number): Round => ({
      ...noisy(stretch(replicas, 0)),
      racing: stretch(racing, 0),
    });
    expect(hopeless([])).toEqual([]);
    expect(hopeless([round(9, 9)])).toEqual([]);
    expect(hopeless([round(1, 2.01), round(1, 2.01)])).toEqual(["racing"]);
    expect(hopeless([round(2, 2), round(2, 2)])).toEqual([]);
    expect(hopeless([round(9, 9), round(1.9, 9), round(9, 9)])).toEqual(["racing"]);
    // Of the rounds in which it was tried.
    expect(hopeless([round(9, 9), round(9, 9), noisy(stretch(9, 0))])).toEqual(["replicas", "racing"]);
    expect(hopeless([round(9, 9), { ...round(9, 9), racing: undefined } as never])).toEqual(["replicas"]);
  });

  it("where all are, nothing more need be known; of two rounds none is taken, whatever it brought", () => {
    const slow = { ...noisy(stretch(3, 5)), racing: stretch(4, 9) };
    expect(choosePlan(repeated(slow, 2), known)).toMatchObject({
      sharing: "one lane",
      why: "averaged replicas trained 0.33 times as fast as one lane (0.33 × the updates per second, to as low a loss); racing on one model trained 0.25 times as fast as one lane (0.25 × the updates per second, to as low a loss)",
      unsure: [],
    });
    expect(choosePlan(repeated(slow, 1), known).why).toMatch(/^only 1 of 5 rounds/);
    // By the falls, racing would be the faster of the two.
    const falling = { "one lane": stretch(1, 1), replicas: stretch(0.9, 1), racing: stretch(3, 9) };
    const rounds = [falling, falling, ...repeated({ "one lane": stretch(1, 1), replicas: stretch(0.9, 1) }, 3)];
    expect(chosen(rounds, { ...known, even: [] as never })).toBe("replicas");
  });

  it("one that was given up is not taken later, whatever comes", () => {
    const some = fc.record({
      seconds: fc.double({ min: 0.3, max: 3, noNaN: true }),
      fell: fc.double({ min: -0.01, max: 0.01, noNaN: true }),
    });
    const made = some.map(({ seconds: time, fell: by }) => stretch(time, by));
    const round: fc.Arbitrary<Round> = fc.record({ "one lane": made, replicas: made, racing: made });
    const settings = fc.record({
      scale: fc.constantFrom(0, 1, 10),
      shortens: fc.boolean(),
      even: fc.constantFrom([], ["racing"], ["replicas", "racing"]),
    });
    let givenUp = 0;
    fc.assert(
      fc.property(
        fc.array(round, { minLength: 2, maxLength: 6 }),
        fc.array(round, { maxLength: 5 }),
        settings,
        (first, later, its) => {
          const { sharing, unsure } = choosePlan(first, its as typeof known);
          if (sharing !== "one lane") return;
          const over =
            first.length < ROUNDS ? hopeless(first) : (["replicas", "racing"] as const).filter((one) => !unsure.includes(one));
          if (over.length === 0) return;
          givenUp++;
          const rest = later.map(
            (one) => Object.fromEntries(Object.entries(one).filter(([name]) => !over.includes(name as Sharing))) as Round,
          );
          expect(over).not.toContain(choosePlan([...first, ...rest], its as typeof known).sharing);
        },
      ),
      { seed: 1, numRuns: 2000 },
    );
    expect(givenUp).toBeGreaterThan(200);
  });

  it("rounds in which a candidate was not tried any more say nothing of it", () => {
    const racing = (seconds: number): Round => ({ ...noisy(stretch(0.5, -0.01)), racing: stretch(seconds, -0.01) });
    // Four of five, then two without it: three of four of seven would be more than it has.
    const rounds = [racing(9), ...Array(4).fill(racing(0.2)), ...repeated(noisy(stretch(9, -0.01)), 2)];
    expect(chosen(rounds)).toBe("racing");
    expect(choosePlan(rounds, known).figures[2].updatesPerSecond).toBe(5000);
  });

  it("of an even number of rounds, the median is between the two in the middle", () => {
    const paces = [1, 0.5, 0.4, 0.25, 0.2, 0.1].map((seconds) => noisy(stretch(seconds, 0)));
    expect(choosePlan(paces, known).figures[1].updatesPerSecond).toBe((2500 + 4000) / 2);
  });

  it("one round in five may be spoilt, and its time says nothing; of two, one lane is taken", () => {
    const [good, spoilt] = [noisy(stretch(0.5, -0.01)), noisy(stretch(9, -0.01))];
    expect(chosen([spoilt, good, good, good, good])).toBe("replicas");
    expect(choosePlan([spoilt, good, good, good, good], known).figures[1].updatesPerSecond).toBe(2000);
    const { sharing, why, unsure } = choosePlan([spoilt, spoilt, good, good, good], known);
    expect(sharing).toBe("one lane");
    expect(unsure).toEqual(["replicas"]);
    expect(choosePlan([spoilt, spoilt, spoilt, good, good], known).unsure).toEqual([]);
    expect(why).toBe(
      "averaged replicas trained 2 times as fast as one lane, but not in enough of the rounds (2 × the updates per second, to as low a loss)",
    );
    expect(chosen([spoilt, spoilt, ...Array(7).fill(good)])).toBe("replicas");
    expect(chosen([spoilt, spoilt, spoilt, ...Array(6).fill(good)])).toBe("one lane");
  });

  it("replicas are taken where racing is as fast, and racing where it is faster", () => {
    const both = (racing: number): Round => ({ ...noisy(stretch(0.5, 0)), racing: stretch(racing, 0) });
    expect(chosen(repeated(both(0.5)))).toBe("replicas");
    expect(chosen(repeated(both(0.4)))).toBe("racing");
  });
});

describe("for any figures", () => {
  it("is at least WORTH times as fast as one lane, in total, and faster in each round, if it is another", () => {
    let others = 0;
    fc.assert(
      fc.property(fc.oneof(anyRounds, evenRounds), (rounds) => {
        const { sharing, figures } = choosePlan(rounds);
        if (sharing === "one lane") return;
        others++;
        const [alone, ...rest] = figures;
        const best = rest.find((one) => one.sharing === sharing)!;
        expect(best.fallPerSecond).toBeGreaterThan(0);
        expect(best.fallPerSecond).toBeGreaterThan(WORTH * alone.fallPerSecond);
        for (const round of rounds) {
          const [its, lane] = [round[sharing]!, round["one lane"]];
          expect(its.fell / its.seconds).toBeGreaterThan(lane.fell / lane.seconds);
        }
      }),
      { seed: 1 },
    );
    expect(others).toBeGreaterThan(20);
  });

  it("does not depend on the order of the rounds, nor on the units of time and loss", () => {
    // Powers of two, so that nothing is rounded otherwise.
    const power = fc.integer({ min: -8, max: 8 }).map((k) => 2 ** k);
    fc.assert(
      fc.property(fc.oneof(anyRounds, evenRounds), power, power, (rounds, time, loss) => {
        const scaled = (one: Stretch): Stretch => ({ ...one, seconds: one.seconds * time, fell: one.fell * loss });
        const other = rounds.map(
          (round): Round => ({
            "one lane": scaled(round["one lane"]),
            replicas: scaled(round.replicas!),
            racing: scaled(round.racing!),
          }),
        );
        expect(taken(other)).toBe(taken(rounds));
      }),
      { seed: 1 },
    );
    fc.assert(
      fc.property(evenRounds, (rounds) => {
        const [wanted, found] = [choosePlan(rounds), choosePlan(rounds.toReversed())];
        // Sums of another order may differ by rounding, where two are as good as equal.
        const near = (a: number, b: number): boolean => Math.abs(a / b - 1) < 1e-9;
        const speeds = wanted.figures.map((one) => one.fallPerSecond);
        fc.pre(!near(speeds[1], speeds[2]) && !speeds.slice(1).some((speed) => near(speed, WORTH * speeds[0])));
        expect(found.sharing).toBe(wanted.sharing);
      }),
      { seed: 1 },
    );
  });

  it("is still taken where it is faster by any factor", () => {
    fc.assert(
      fc.property(evenRounds, fc.double({ min: 1, max: 10, noNaN: true }), (rounds, factor) => {
        const wanted = taken(rounds);
        fc.pre(wanted !== "one lane");
        const faster = rounds.map((round): Round => {
          const its = round[wanted]!;
          return { ...round, [wanted]: { ...its, seconds: its.seconds / factor } };
        });
        expect(taken(faster)).toBe(wanted);
      }),
      { seed: 1 },
    );
  });
});
