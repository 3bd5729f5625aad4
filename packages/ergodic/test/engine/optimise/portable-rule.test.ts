/**
 * Rules as plain data: a reconstructed rule traces to the same expressions as the rule's formula, under any symbols and
 * in chains.
 */
import { describe, expect, it } from "vitest";
import { add, div, mul, scalar, sqrt, sub, vector } from "../../../src/engine/compiler/index.ts";
import { ruleRegistry } from "../../../src/engine/optimise/index.ts";
import type { EquationRule } from "../../../src/engine/optimise/kinds.ts";
import { portableRule, ruleFromPortable } from "../../../src/engine/optimise/portable-rule.ts";
import { chain, rule } from "../../../src/engine/optimise/rule.ts";
import { cosineDecay } from "../../../src/engine/optimise/schedules/index.ts";

/** Copies a rule as a message does. */
const sent = (given: EquationRule): EquationRule => ruleFromPortable(structuredClone(portableRule(given)));
const gradients = [vector("g"), add(mul(scalar("scale"), vector("values")), mul(scalar("l2"), vector("parameter")))];

function expectTheSame(made: EquationRule, wanted: EquationRule): void {
  for (const g of gradients) {
    const [found, known] = [made, wanted].map((one) => one.trace(g, vector("parameter")));
    // Equal expressions are one object, so identity suffices.
    expect(found).toEqual(known);
    expect(found.step).toBe(known.step);
    expect(found.evaluation).toBe(known.evaluation);
    for (const [i, { next }] of [...found.states, ...found.scalars].entries())
      expect(next).toBe([...known.states, ...known.scalars][i].next);
  }
  expect(JSON.stringify(made)).toBe(JSON.stringify(wanted));
  for (const fact of ["name", "last", "link", "summary", "source"] as const) expect(made[fact]).toEqual(wanted[fact]);
}

describe("rules sent to another thread", () => {
  const rules = Object.entries(ruleRegistry).flatMap(([name, { make, convex }]) => {
    const made = [make(), make(convex)];
    return made.every(({ kind }) => kind === "equation") ? [[name, made as EquationRule[]] as const] : [];
  });

  it.each(rules)("traces to the same expressions: %s", (_, made) => {
    for (const one of made) expectTheSame(sent(one), one);
  });

  it("keeps schedules and states named like operands of the program", () => {
    const facts = { summary: "odd names", source: "none", initial: () => ({ values: "p" as const, t: 3 }) };
    const odd = rule(
      "oddNames",
      { rate: 0.1, scale: 0.5, values: 2, way: "one", ranges: true },
      ({ g, rate, scale, values: option, t }, { values, share }, { t: count }) => ({
        state: { values: add(mul(scale, values), mul(option, g)), share: sub(share, g) },
        scalars: { t: add(count, 1) },
        step: div(mul(rate, add(values, share)), add(sqrt(t), count)),
      }),
      facts,
    );
    const scheduled = odd({ rate: cosineDecay({ rate: 0.2 }), way: "other" });
    expectTheSame(sent(scheduled), scheduled);
    const whole = chain(odd({ scale: 0.25 }), scheduled, odd());
    expectTheSame(chain(sent(odd({ scale: 0.25 })), sent(scheduled), sent(odd())), whole);
    const names = whole.trace(vector("g"), vector("p")).inputs.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
