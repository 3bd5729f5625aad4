/** `l1: "auto"`: only this file compares the choice with glmnet's cross-validation on the same folds. */
import { expect, it } from "vitest";
import { stream } from "../../../src/engine/random/stream.ts";
import { Dataset, fit, type LinearOptions, linear } from "../../../src/entries/everything.ts";
import { numbers } from "./made.ts";

/** 150 rows of 40 normal columns, four of which matter. */
function sparseTruth(kind: "numbers" | "two" | "three"): { x: number[][]; y: number[] | string[] } {
  const next = numbers(2026);
  const normal = (): number => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
  const x = Array.from({ length: 150 }, () => Array.from({ length: 40 }, normal));
  const z = x.map((row) => 1.5 * row[0] - row[7] + row[20] - 0.7 * row[33] + normal());
  if (kind === "numbers") return { x, y: z };
  return { x, y: z.map((v) => (kind === "two" ? (v > 0 ? "b" : "a") : v > 1 ? "c" : v > -1 ? "b" : "a")) };
}

const chosen = async (model: LinearOptions, data: Dataset) => {
  const { model: made, why } = (await fit(linear(model), data).chosen) as { model: { l1: number }; why: string };
  return { l1: made.l1, why };
};

/**
 * glmnet 4.1-8: cv.glmnet(x, y, family, standardize = FALSE, foldid = the folds of held-rows.ts with seed 0,
 * lambda = λ₁ 1e-6^(0 … 79 / 131), thresh = 1e-10, maxit = 1e6)$lambda.min, where λ₁ is the largest λ of glmnet's own
 */
it.each([
  ["numbers", 0.0724235825292568],
  ["two", 0.00978357300356187],
  ["three", 0.0212652012067643],
] as const)("%s: equals glmnet's choice on the same folds", async (kind, golden) => {
  const { l1, why } = await chosen({ l1: "auto", standardise: false }, Dataset.fromArrays({ ...sparseTruth(kind), type: "f64" }));
  expect(why).toMatch(
    /^an L1 penalty, which coordinate descent supports; l1 is \S+, under which held-out rows are predicted best$/,
  );
  expect(l1 / golden).toBeCloseTo(1, 4);
});

it("says if nothing can be learnt from the columns", async () => {
  const draws = stream(8, "edges").at(0);
  const rows = Array.from({ length: 30 }, () => Array.from({ length: 4 }, () => draws.normal()));
  // Equal rows with opposite targets: every weight that is learnt from one of them makes the other worse.
  const data = Dataset.fromArrays({ x: rows.flatMap((row) => [row, row]), y: rows.flatMap(([a, , c]) => [a + c, -a - c]) });
  expect((await chosen({ l1: "auto" }, data)).why).toMatch(/, the largest strength that is tried: all coefficients are 0$/);
});

it("is refused next to other penalties, for losses with kinks, and by other verbs", async () => {
  const data = Dataset.fromArrays(sparseTruth("two"));
  for (const [options, reason] of [
    [{ l2: 0.1 }, /l1 is "auto", which is chosen where L1 is the only penalty, but l2 is 0.1; give a number \[MODEL_PENALTY\]$/],
    [{ group: { strength: 1, groups: [["x0", "x1"]] } }, /but there are groups; give a number/],
    [{ loss: "hinge" }, /for smooth losses, but loss is "hinge"/],
  ] as const)
    await expect(fit(linear({ l1: "auto", ...options } as LinearOptions), data)).rejects.toThrow(reason);
  expect(() => linear({ l1: "much" as never })).toThrow(/l1 is "much", but must be .* or "auto"/);
});
