/** Bounds of data fields: values outside are refused with their position, both in data and in new rows. */
import { expect, expectTypeOf, it } from "vitest";
import { add, at, mul } from "../../../src/engine/compiler/index.ts";
import {
  type Draws,
  integer,
  matrix,
  model,
  type Numbers,
  normal,
  poisson,
  real,
  sample,
  tensor,
  vector,
} from "../../../src/entries/everything.ts";

type Fields = Record<string, ReturnType<typeof tensor>>;
const conditioned = (fields: object, data: object) =>
  model(({ data: given, param }) => {
    given(fields as Fields);
    param("mu", normal(0, 1));
  }).condition(data as never);

it.each<[string, object, object, RegExp]>([
  [
    "below",
    { y: vector("N", { lower: 0 }) },
    { y: [1, 2, -0.5] },
    /data "y"\[2\]: it is -0.5, but must be a number >= 0, as its field requires/,
  ],
  ["above", { y: vector("N", { upper: 1 }) }, { y: [1, 1.5] }, /data "y"\[1\]: it is 1.5, but must be a number <= 1,/],
  [
    "not whole",
    { y: vector("N", { integer: true }) },
    { y: [1, 2.5] },
    /data "y"\[1\]: it is 2.5, but must be a whole number, as/,
  ],
  [
    "in a list of rows",
    { x: matrix("N", "K", { lower: 0, upper: 9, integer: true }) },
    {
      x: [
        [1, 2],
        [3, 10],
      ],
    },
    /data "x"\[1\]\[1\]: it is 10, but must be a whole number from 0 to 9,/,
  ],
  ["in a flat matrix", { x: matrix("N", 2, { upper: 3 }) }, { x: [1, 2, 3, 4] }, /data "x"\[1\]\[1\]: it is 4/],
  [
    "in a tensor",
    { x: tensor("N", 2, "M", { lower: 1 }) },
    {
      x: [
        [
          [1, 1, 1],
          [1, 0, 1],
        ],
      ],
    },
    /data "x"\[0\]\[1\]\[1\]: it is 0, but must be a number >= 1/,
  ],
  ["of a number", { n: integer({ lower: 2 }) }, { n: 1 }, /data "n": it is 1, but must be a number >= 2/],
  ["of a real one", { r: real({ lower: 0, upper: 0.5 }) }, { r: 0.7 }, /data "r": it is 0.7, but must be a number from 0 to 0.5/],
])("%s", async (_, fields, data, message) => {
  const found = await conditioned(fields, data).catch((error: unknown) => error);
  expect(found).toMatchObject({ name: "DataError", code: "DATA_RANGE", message: expect.stringMatching(message) });
});

it("data within bounds are accepted, including both ends", async () => {
  const fields = {
    y: vector("N", { lower: 0, upper: 3, integer: true }),
    x: tensor("N", 2),
    n: integer({ lower: 2, upper: 2 }),
    r: real({ lower: -1 }),
  };
  await expect(conditioned(fields, { y: [0, 3], x: [1, 2, -3, 4], n: 2, r: -1 })).resolves.toBeDefined();
  expect(vector("N")).toEqual({ kind: "array", extents: ["N"] });
  expect(vector("N", { lower: 0 })).toEqual({ kind: "array", extents: ["N"], bounds: { lower: 0 } });
  expectTypeOf(matrix("N", "K", { lower: 0 })).toEqualTypeOf(matrix("N", "K"));
  expectTypeOf(vector("N", { lower: 0 }).given).toEqualTypeOf<Numbers | undefined>();
});

it("meaningless bounds are refused", () => {
  expect(() => vector("N", { lower: 2, upper: 1 })).toThrow(/vector: lower is 2, but upper is 1; exchange them/);
  expect(() => vector("N", { low: 2 } as never)).toThrow(/vector: unknown option "low"/);
  expect(() => integer({ integer: true } as never)).toThrow(/integer: unknown option "integer"/);
  expect(() => matrix("N", "K", { lower: Number.NaN })).toThrow(/matrix: lower is NaN/);
});

it("new rows are checked against bounds too", async () => {
  const counts = model(
    { x: matrix("N", 2, { lower: 0 }), z: vector("N", { upper: 1 }), y: vector("N", { lower: 0, integer: true }) },
    ({ x, z, y, param, observe }) => {
      const beta = param("beta", normal(0, 0.1), { shape: 2 });
      observe(
        y,
        poisson(add(add(1, z.exp()), add(mul(x.at(0, 1), at(beta, 0).square()), mul(x.at(1, 1), at(beta, 1).square())))),
      );
      return { beta };
    },
  );
  const data = {
    z: [0, 1, 0],
    x: [
      [0, 1],
      [1, 2],
      [2, 0],
    ],
    y: [1, 0, 3],
  };
  const draws: Draws = await sample(counts, data, { chains: 1, warmup: 50, draws: 20, seed: 1 });
  using predictor = await draws.predictor();
  expect(predictor.predict({ x: [1, 0], z: 1 } as never)).toHaveProperty("y");
  expect(() =>
    predictor.predict([
      { x: [1, 0], z: 1 },
      { x: [1, -2], z: 1 },
    ] as never),
  ).toThrow(/predict: row 2: "x"\[1\] is -2, but must be a number >= 0, as its field requires; change it \[DATA_RANGE\]/);
  // z is checked against its own bounds, not those of the previous field.
  expect(() => predictor.predict({ x: [1, 0], z: 1.5 } as never)).toThrow(/"z" is 1.5, but must be a number <= 1/);
});
