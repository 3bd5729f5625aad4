/** `using` disposes of every kind of predictor, so that code which loads a file need not know its kind. */
import { expect, it } from "vitest";
import {
  type AnyPredictor,
  Dataset,
  dense,
  factorisation,
  fit,
  linear,
  network,
  predictor,
  Ratings,
} from "../../src/entries/everything.ts";

const x = Array.from({ length: 12 }, (_, i) => [Math.sin(i), i % 3]);
const data = Dataset.fromArrays({ x, y: x.map(([a, b]) => a - b) });
const triples = x.map((_, i) => i);
const ratings = Ratings.fromTriples({
  users: triples.map((i) => `u${i % 3}`),
  items: triples.map((i) => `i${i % 4}`),
  values: triples.map((i) => i % 5),
});
const bytesOf = {
  linear: async () => (await fit(linear(), data, { epochs: 1 })).toBytes(),
  network: async () => (await fit(network([dense(1)]), data, { epochs: 1 })).toBytes(),
  factorisation: async () => (await fit(factorisation({ rank: 2 }), ratings, { epochs: 1 })).toBytes(),
};

it.each(Object.keys(bytesOf) as (keyof typeof bytesOf)[])("disposes of a predictor: %s", async (kind) => {
  const bytes = await bytesOf[kind]();
  let left: AnyPredictor;
  {
    using model = await predictor(bytes);
    left = model;
    expect(model.kind).toBe(kind);
  }
  // Predictors with their own memory have freed it and report later use.
  if (left.kind === "network")
    expect(() => left.predict([[1, 2]] as never)).toThrow(/was used after dispose\(\).*PREDICT_DISPOSED/);
  // A second dispose has no effect.
  left.dispose();
  if (left.kind === "linear")
    expect(left.predict([1, 2]).value).toBe(((await predictor(bytes)) as typeof left).predict([1, 2]).value);
});
