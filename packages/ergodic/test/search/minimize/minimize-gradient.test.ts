/** `minimize` on a function compiled with its gradient. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { compileFunction, matmul, mean, normal } from "../../../src/engine/compiler/array/index.ts";
import { add, mul, neg, softplus, sub, sum } from "../../../src/engine/compiler/index.ts";
import { adam, coordinateDescent, gradientDescent, lbfgs, minimize } from "../../../src/entries/everything.ts";

const folder = mkdtempSync(join(tmpdir(), "ergodic-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** (1 − a)² + 100 (b − a²)². */
const rosenbrock = () =>
  compileFunction(
    { a: [1], b: [1] },
    ({ a, b }) => {
      const left = sub(1, a);
      const right = sub(b, mul(a, a));
      return sum(add(mul(left, left), mul(100, mul(right, right))));
    },
    { gradient: ["a", "b"] },
  );

/** The default changeTolerance stops it 7e-7 from the minimum, whatever gradientTolerance is. */
const tight = lbfgs({ gradientTolerance: 1e-12, changeTolerance: 0 });

describe("minimize along compiled gradients", () => {
  it("reaches Rosenbrock's minimum by L-BFGS, from names or one vector", async () => {
    const f = await rosenbrock();
    const found = await minimize(f, { a: -1.2, b: [1] }, { algorithm: gradientDescent({ rule: tight }) });
    expect(Math.abs(found.x.a[0] - 1)).toBeLessThan(1e-10);
    expect(Math.abs(found.x.b[0] - 1)).toBeLessThan(1e-10);
    expect(found.value).toBeLessThan(1e-20);
    expect(found.gradientNorm).toBeLessThan(1e-8);
    expect((await minimize(f, [-1.2, 1], { rule: tight })).x).toEqual(found.x);
  });

  it("minimises a logistic regression on data until its slope is 0, by adam too", async () => {
    const x = Array.from({ length: 20 }, (_, i) => [Math.sin(i), Math.cos(2 * i)]);
    const y = x.map(([a], i) => (a + Math.cos(5 * i) > 0 ? 1 : -1));
    const loss = await compileFunction(
      { w: [2], x: [20, 2], y: [20] },
      ({ w, x, y }) => mean(softplus(mul(neg(y), matmul(x, w)))),
      { gradient: ["w"] },
    );
    const data = { x: x.flat(), y };
    const { w } = (await minimize(loss, { w: [0, 0] }, { data })).x;
    for (const j of [0, 1]) {
      const slope = x.reduce((s, row, i) => s - (y[i] * row[j]) / (1 + Math.exp(y[i] * (row[0] * w[0] + row[1] * w[1]))), 0);
      expect(Math.abs(slope / 20)).toBeLessThan(1e-5);
    }
    const slow = await minimize(loss, { w: [0, 0] }, { rule: adam({ rate: 0.05 }), epochs: 3000 });
    slow.x.w.forEach((v, j) => void expect(v).toBeCloseTo(w[j], 3));
  });

  it.each([adam({ rate: 0.01 }), lbfgs()])("resumes bit for bit", async (rule) => {
    const f = await rosenbrock();
    const whole = await minimize(f, [-1.2, 1], { rule, epochs: 12 });
    const part = minimize(f, [-1.2, 1], { rule, epochs: 5 });
    expect((await part).x).not.toEqual(whole.x);
    const file = join(folder, "part.checkpoint");
    await part.checkpoint(file);
    expect((await minimize.resume(file, f, { until: { epochs: 12 } })).x).toEqual(whole.x);
  });

  it("reports invalid options", async () => {
    const f = await rosenbrock();
    expect(() => minimize(f, [1])).toThrow(/start is of 1 numbers, but must have 2.*\[OPTION_LENGTH\]$/);
    expect(() => minimize(f, { a: 1 })).toThrow(/start.b is missing.*\[OPTION_LENGTH\]$/);
    expect(() => minimize(f, [1, 1], { algorithm: coordinateDescent() as never })).toThrow(/\[MINIMIZE_ALGORITHM\]$/);
    const preconditioned = gradientDescent({ rule: lbfgs(), preconditioned: true });
    expect(() => minimize(f, [1, 1], { algorithm: preconditioned })).toThrow(/preconditioned, but .*\[MINIMIZE_ALGORITHM\]$/);
    const plain = await compileFunction({ a: [2] }, ({ a }) => sum(mul(a, a)));
    expect(() => minimize(plain, [1, 1])).toThrow(/has no gradient.*\[MINIMIZE_GRADIENT\]$/);
    const noisy = await compileFunction({ a: [2] }, ({ a }) => sum(mul(a, add(a, normal([2], 1)))), { gradient: ["a"] });
    expect(() => minimize(noisy, [1, 1])).toThrow(/draws new random numbers.*\[RULE_RANDOM\]$/);
    expect((await minimize(noisy, [1, 1], { rule: adam(), epochs: 3 })).run.updates).toBe(3);
  });
});
