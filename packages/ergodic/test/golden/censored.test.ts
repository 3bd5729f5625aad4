/**
 * Compares log likelihoods of censored data with R's survreg(): the values are equal, and the maximum is at its
 * estimates. censored.R lists the calls.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { add, div, exp, mul } from "../../src/engine/compiler/index.ts";
import {
  censored,
  type Distribution,
  logistic,
  lognormal,
  model,
  normal,
  vector,
  weibull,
} from "../../src/entries/everything.ts";

type Fit = { loglik: number; coefficients: [number, number]; scale: number };
type Golden = { x: number[] } & Record<
  "right" | "interval" | "tobit" | "left",
  Fit & Record<"t" | "y" | "right" | "left" | "from" | "until", number[]> & { lower: number; upper: number }
>;
const golden = JSON.parse(readFileSync(new URL("censored.json", import.meta.url), "utf8")) as Golden;

type Made = (family: (...parameters: never[]) => Distribution, given: Record<string, never>) => Distribution;
const cases = {
  right: ["t", weibull, (base, { right }) => censored(base as never, { right })],
  interval: ["from", lognormal, (base, { until }) => censored(base as never, { until })],
  tobit: ["y", normal, (base) => censored(base as never, { lower: golden.tobit.lower, upper: golden.tobit.upper })],
  left: ["y", logistic, (base, { left }) => censored(base as never, { left })],
} as const satisfies Record<string, readonly [string, unknown, Made]>;

describe.each(Object.entries(cases))("%s", (name, [value, family, made]) => {
  const own = golden[name as keyof typeof cases];
  const fields = Object.entries({ x: golden.x, ...own }).filter(([, list]) => Array.isArray(list) && list.length === 60);
  const data = Object.fromEntries(fields) as Record<string, number[]>;
  const observed = model(({ data: given, param, observe }) => {
    const arrays = given(Object.fromEntries(fields.map(([field]) => [field, vector("N")])));
    const location = add(param("a", "real"), mul(param("b", "real"), arrays.x));
    const scale = param("s", "positive");
    const base = family === weibull ? weibull(div(1, scale), exp(location)) : (family as typeof normal)(location, scale);
    observe(arrays[value], made(base as never, arrays as never));
  });

  it("equals survreg's log likelihood at its maximum", async () => {
    const density = await observed.condition(data as never);
    const [a, b] = own.coefficients;
    const u = density.unconstrain({ a, b, s: own.scale });
    const found = density.pointwise(u);
    expect(Object.values(found)[0].reduce((sum, term) => sum + term, 0)).toBeCloseTo(own.loglik, 8);
    const { value: here, gradient } = density.evaluate(u);
    // The slope for the scale is taken on its logarithm, where log |J| adds 1.
    [...gradient].forEach((slope, i) => void expect(Math.abs(slope - (i === 2 ? 1 : 0))).toBeLessThan(1e-4));
    for (const i of [0, 1, 2]) {
      const moved = u.slice();
      moved[i] += 0.05;
      const step = density.evaluate(moved);
      expect(step.value - (i === 2 ? 0.05 : 0)).toBeLessThan(here);
      const back = u.slice();
      back[i] += 0.05 - 1e-5;
      const ahead = u.slice();
      ahead[i] += 0.05 + 1e-5;
      expect((density.evaluate(ahead).value - density.evaluate(back).value) / 2e-5).toBeCloseTo(step.gradient[i], 4);
    }
  });
});
