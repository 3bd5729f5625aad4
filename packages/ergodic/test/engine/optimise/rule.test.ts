/** Creation, chaining, storage and refusal of rules and schedules, and printed equations. */
import { describe, expect, test } from "vitest";
import { evaluateScalar, mul, scalar } from "../../../src/engine/compiler/index.ts";
import * as g from "../../../src/engine/optimise/index.ts";
import { measureRule, ruleLedger } from "../../../src/engine/optimise/ledger.ts";

describe("options", () => {
  test("are resolved, checked and named in errors", () => {
    expect(g.adam({ rate: 0.1 }).options).toEqual({ rate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, biasCorrection: true });
    expect(() => g.sgd({ rate: -0.1 })).toThrow("sgd: rate is -0.1, but must be a number > 0 [OPTION_RANGE]");
    expect(() => g.sgd({ rate: Number.NaN })).toThrow(/OPTION_RANGE/);
    expect(() => g.adam({ beta: 0.9 } as object)).toThrow(/unknown option "beta"; did you mean "beta1"\?/);
    expect(() => g.rmsprop({ centred: 1 } as object)).toThrow("rmsprop: centred is 1, but must be true or false [OPTION_TYPE]");
    expect(() => g.stochasticLineSearch({ shrink: 1 })).toThrow(/OPTION_RANGE/);
    expect(() => g.lbfgs({ history: 2.5 })).toThrow(/integer/);
    expect(() => g.lbfgs({ rate: g.cosineDecay() })).toThrow(/OPTION_RANGE/);
  });

  test("an option of 0 removes its buffer", () => {
    expect(g.ruleCost(g.rmsprop()).floatsPerParameter).toBe(1);
    expect(g.ruleCost(g.rmsprop({ momentum: 0.9, centred: true })).floatsPerParameter).toBe(3);
  });
});

describe("chain", () => {
  test("is flat, saved as its links, and rebuilt", () => {
    const rule = g.chain(
      g.chain(g.clipNorm(), g.weightDecay()),
      g.adam({ rate: g.warmUp({ rate: g.cosineDecay(), updates: 10 }) }),
    );
    expect(rule.name).toBe("chain(clipNorm, weightDecay, adam)");
    const json = JSON.parse(JSON.stringify(rule));
    expect(JSON.stringify(g.ruleFromJson(json))).toBe(JSON.stringify(rule));
  });

  test("refuses meaningless chains", () => {
    expect(() => g.chain()).toThrow(/RULE_CHAIN/);
    expect(() => g.chain(g.averaging(), g.sgd())).toThrow(
      "chain: averaging comes before sgd, but acts on the parameter itself; put it last [RULE_CHAIN]",
    );
    expect(() => g.chain(g.lbfgs() as unknown as g.EquationRule)).toThrow(
      "part 1 is lbfgs, but only rules with an equation can be chained",
    );
  });

  test("an unknown rule in a file is refused with a list of known rules", () => {
    expect(() => g.ruleFromJson({ rule: "toString", options: {} })).toThrow(
      /"toString" is neither a rule of this version nor one defined so far; .* \(known: adadelta, adagrad/,
    );
  });
});

describe("schedules", () => {
  const at = (s: g.Schedule, t: number) => evaluateScalar(s.value(scalar("t")), { scalars: { t } });
  const formulas: [g.Schedule, readonly number[], readonly number[]][] = [
    [g.stepDecay({ rate: 1, every: 10, factor: 0.5 }), [1, 10, 11, 21], [1, 1, 0.5, 0.25]],
    [g.cosineDecay({ rate: 1, updates: 100, final: 0.2 }), [1, 51, 101, 500], [1, 0.6, 0.2, 0.2]],
    [g.inverseTimeDecay({ rate: 1 }), [1, 2, 4], [1, 1 / 2, 1 / 4]],
    [g.inverseTimeDecay({ rate: 1, decay: 0.5, power: 0.5 }), [7], [0.5]],
    [g.warmUp({ rate: 2, from: 0, updates: 10 }), [1, 6, 11, 99], [0, 1, 2, 2]],
    [g.exponentialDecay({ rate: 1, factor: 0.5 }), [4], [0.125]],
    [g.constantRate({ rate: 0.3 }), [4], [0.3]],
  ];
  test("follow their formulas", () => {
    for (const [schedule, updates, rates] of formulas) expect(updates.map((t) => at(schedule, t))).toEqual(rates);
    const tried = formulas.map(([schedule]) => schedule.toJSON().schedule);
    expect(g.scheduleNames().filter((name) => !tried.includes(name))).toEqual(["optimalRate"]); // see below
  });

  test("optimalRate matches scikit-learn: eta(t) = 1/(alpha (t0 + t − 1)), t0 from the slope of the logistic loss", () => {
    // sklearn/linear_model/_sgd_fast.pyx: typw = sqrt(1/sqrt(alpha)); eta0 = typw/max(1, loss'(−typw, 1)); t0 = 1/(eta0 alpha)
    const alpha = 1e-4;
    const t0 = 1 / (Math.sqrt(1 / Math.sqrt(alpha)) * alpha);
    expect(at(g.optimalRate({ alpha }), 1)).toBeCloseTo(1 / (alpha * t0), 12);
    expect(at(g.optimalRate({ alpha }), 1000)).toBeCloseTo(1 / (alpha * (t0 + 999)), 12);
    expect(at(g.optimalRate({ alpha: 0.1, offset: 5 }), 3)).toBeCloseTo(1 / (0.1 * 7), 12);
  });

  test("refuse invalid options", () => {
    expect(() => g.stepDecay({ every: 0 })).toThrow(/stepDecay: every is 0/);
    expect(() => g.warmUp({ rate: 0 })).toThrow(/OPTION_RANGE/);
    expect(() => g.scheduleFromJson({ schedule: "linear", options: {} })).toThrow(/OPTION_UNKNOWN/);
  });
});

describe("equations", () => {
  test("are printed from the rule's definition", () => {
    expect(g.ruleEquation(g.sgd())).toBe("p ← p − η·g");
    expect(g.ruleEquation(g.adagrad())).toBe("r ← r + g²\np ← p − η·g / (√r' + ε)");
    expect(g.ruleEquation(g.momentum())).toBe("v ← μ·v + g\np ← p − η·v'");
  });

  test("a new rule runs its equation", async () => {
    const signSgd = g.rule("signSgd", { rate: 0.01 }, ({ g: gradient, rate }) => ({ step: mul(rate, gradient) }), {
      summary: "",
      source: "",
    });
    using runner = await g.RuleRunner.open(signSgd({ rate: 1 }), { count: 3, start: [1, 2, 3] });
    runner.gradient().set([1, 1, 1]);
    runner.step(0);
    expect([...runner.parameters()]).toEqual([0, 1, 2]);
  });
});

describe("ledger of rules", () => {
  test("lists every rule, with figures if a step is one pass and words otherwise", () => {
    const rows = ruleLedger();
    expect(rows.map((r) => r.rule)).toEqual(Object.keys(g.ruleRegistry));
    for (const row of rows) {
      expect(row.summary.length).toBeGreaterThan(5);
      expect(row.source.length).toBeGreaterThan(5);
      expect(row.operationsPerParameter === null).toBe(row.kind !== "equation");
      expect(row.perStep === null).toBe(row.kind === "equation");
      if (row.kind === "equation") expect(row.equation).toMatch(/p ← /);
    }
    const of = (name: string) => rows.find((r) => r.rule === name)!;
    expect(of("lbfgs").floatsPerParameter).toBe(21);
    expect(of("lbfgs").stateBytesPerParameter).toBe(168);
    expect(of("polyakEstimated").scalars).toBe(4);
    expect(of("momentum").options).toEqual({ rate: 0.01, momentum: 0.9, dampening: 0 });
    expect(of("adam")).toMatchObject({ floatsPerParameter: 2, operationsPerParameter: 11, extraPasses: 0, sparse: "lazy" });
    expect(of("adam").stateBytesPerParameter).toBe(8);
    expect(["averaging", "scheduleFreeSgd", "scheduleFreeAdam"].map((name) => of(name).sparse)).toEqual(Array(3).fill("dense"));
  });

  test.each(Object.keys(g.ruleRegistry).filter((name) => g.ruleRegistry[name].make().kind === "host"))(
    "%s costs as much as it states",
    (name) => {
      const rule = g.ruleRegistry[name].make() as g.HostRule;
      const count = 200;
      const bend = (i: number): number => 1 + (i % 50);
      const run = rule.start((x, gradient) => {
        for (let i = 0; i < count; i++) if (gradient) gradient[i] = bend(i) * x[i];
        return x.reduce((sum, v, i) => sum + 0.5 * bend(i) * v * v, 0);
      }, count);
      const x = Float64Array.from({ length: count }, (_, i) => 1 + (i % 7));
      const held = Array.from({ length: 25 }, () => {
        run.step(x);
        return run.stateBytes / count / 8;
      });
      if (rule.cost.floatsPerParameter === null) expect(held[24]).toBeGreaterThan(held[12]);
      else expect(held[24]).toBe(rule.cost.floatsPerParameter);
    },
  );

  test("measures time and state bytes of a rule", async () => {
    const { nanosecondsPerParameter, stateBytesPerParameter } = await measureRule(g.adam(), { count: 10_000, updates: 3 });
    expect(stateBytesPerParameter).toBe(8);
    expect(nanosecondsPerParameter).toBeGreaterThan(0);
  });
});
