/** loo() and waic() if leaving out a term differs from leaving out its value. */
import { expect, it } from "vitest";
import { add, at, mul, neg, slice, square, sum } from "../../../src/engine/compiler/index.ts";
import { psisLoo, waic } from "../../../src/engine/statistics/index.ts";
import { hiddenMarkov, model, normal, sample, vector } from "../../../src/entries/everything.ts";

const y = Array.from({ length: 30 }, (_, t) => Math.sin(t * t) + (t % 10 < 5 ? 2 : -2));
const short = { chains: 2, warmup: 100, draws: 60, seed: 1 } as const;

const hidden = model(({ data, param, marginalise }) => {
  const mu = param("mu", normal(0, 3), { shape: 2, constraint: "ordered" });
  const A = [
    [0.9, 0.1],
    [0.1, 0.9],
  ];
  marginalise(hiddenMarkov([0.5, 0.5], A), (k) => normal(at(mu, k), 1), { value: data({ y: vector("T") }).y });
});
const lagged = model(({ data, param, observe }) => {
  const { y } = data({ y: vector("T") });
  const mean = add(param("alpha", normal(0, 1)), mul(param("beta", normal(0, 1)), slice(y, { to: 29 })));
  observe(slice(y, { from: 1 }), normal(mean, 1), "y");
});
const plain = model(({ data, param, observe }) => observe(data({ y: vector("T") }).y, normal(param("mu", normal(0, 3)), 1)));

it.each([
  ["a hidden Markov model", hidden, 30],
  ["a regression on the value before", lagged, 29],
])("%s is refused, but predicted one step ahead on request", async (_, of, count) => {
  const posterior = await sample(of, { y }, short);
  for (const verb of ["loo", "waic"] as const) {
    expect(() => posterior[verb]()).toThrow(
      `${verb}: the terms of "y" depend on each other (each reads earlier observations, as in hiddenMarkov(), an autoregression, or errors carried by a scan), so that dropping a term does not leave its value out; ${verb}("y", { oneStepAhead: true }) predicts each value from those before it [DRAWS_DEPENDENT]`,
    );
    expect(() => posterior[verb]("y", { oneStepAhead: false })).toThrow(/DRAWS_DEPENDENT/);
    expect(() => posterior[verb]("y", { oneStep: true } as never)).toThrow(/unknown option "oneStep"/);
    expect(() => posterior[verb]("y", { oneStepAhead: 1 } as never)).toThrow(/oneStepAhead is 1, but must be true or false/);
  }
  const terms = posterior.content.source!.pointwise().y;
  const sizes = { chainCount: 2, observationCount: count };
  expect(posterior.loo("y", { oneStepAhead: true })).toEqual({ kind: "one-step-ahead", observed: "y", ...psisLoo(terms, sizes) });
  expect(posterior.waic("y", { oneStepAhead: true })).toEqual({ kind: "one-step-ahead", observed: "y", ...waic(terms, sizes) });
});

it("independent values are left out one by one, with any options", async () => {
  const posterior = await sample(plain, { y }, short);
  const found = posterior.loo();
  expect(found.kind).toBe("leave-one-out");
  expect(posterior.loo("y", { oneStepAhead: true })).toEqual(found);
  expect(posterior.waic().kind).toBe("leave-one-out");
});

it("a likelihood in target() has no values to leave out", async () => {
  const summed = model(({ data, param, target }) => {
    const { y } = data({ y: vector("T") });
    target(neg(sum(square(add(y, param("mu", normal(0, 3)))))));
  });
  const posterior = await sample(summed, { y }, short);
  expect(() => posterior.loo()).toThrow(
    "loo: the model observes nothing: target() adds a single sum, from which no observation can be left out; write the likelihood with observe() or marginalise() [DRAWS_MODEL]",
  );
  const unseen = await sample(
    model(({ param }) => void param("mu", normal(0, 1))),
    {},
    short,
  );
  expect(() => unseen.waic()).toThrow(/waic: the model observes nothing: there is nothing to predict/);
});
