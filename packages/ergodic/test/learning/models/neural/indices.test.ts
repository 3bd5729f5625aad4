/**
 * Networks whose rows contain row numbers of a table. They remain whole numbers, even if `standardise` changes other
 * columns.
 */
import { describe, expect, it } from "vitest";
import { stream } from "../../../../src/engine/random/stream.ts";
import {
  adam,
  Dataset,
  dense,
  embedding,
  fit,
  flatten,
  gru,
  type LayerLike,
  network,
  relu,
  sequential,
} from "../../../../src/entries/everything.ts";
import { takesIndices } from "../../../../src/learning/models/neural/indices.ts";

const COUNT = 60;

/**
 * Words of a language in which a row is "high" if most of its words are odd. No linear function of word numbers can
 * predict this.
 */
function words(length: number, rowShape?: number[]): Dataset {
  const draws = stream(7, "words").at(0);
  const x = Array.from({ length: 600 }, () => Array.from({ length }, () => Math.floor(COUNT * draws.uniform())));
  return Dataset.fromArrays({
    x,
    y: x.map((row) => (2 * row.filter((word) => word % 2 === 1).length > length ? "high" : "low")),
    ...(rowShape ? { rowShape } : {}),
  });
}

describe("row numbers of an embedding", () => {
  it("are distinguished from other columns", () => {
    expect(takesIndices(sequential([embedding(5, 2), flatten(), dense(1)]), [3])).toBe(true);
    expect(takesIndices(sequential([dense(4), relu(), dense(1)]), [3])).toBe(false);
    expect(takesIndices((x, scope) => scope.apply(embedding(5, 2), scope.apply(flatten(), x, "flat"), "table"), [3, 1])).toBe(
      true,
    );
  });

  it.each<[string, LayerLike[], number[] | undefined]>([
    ["columns", [embedding(COUNT, 4), flatten(), dense(1)], undefined],
    ["rows with a shape", [flatten(), embedding(COUNT, 4), gru(8), dense(1)], [5, 1]],
  ])("stay whole: %s", async (_, layers, rowShape) => {
    using data = words(5, rowShape);
    const model = await fit(network(layers), data, { rule: adam({ rate: 0.03 }), epochs: 40, batch: 32, seed: 1 });
    expect(model.evaluate(data).accuracy).toBeGreaterThan(0.95);
    expect(model.predict([{ x0: 1, x1: 3, x2: 5, x3: 7, x4: 9 }])[0].value).toBe("high");
  });

  it("cannot be standardised", async () => {
    using data = words(5);
    const model = network([embedding(COUNT, 4), flatten(), dense(1)], { standardise: true });
    await expect(fit(model, data, { epochs: 1 })).rejects.toThrow(
      /standardise is true, but the layers take .* \[OPTION_CONFLICT\]/,
    );
  });
});
