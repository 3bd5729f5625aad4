/**
 * Hostile input: data that contradict their declared meaning, names that every object has, too many states, and
 * oversized formulas.
 */
import { describe, expect, it } from "vitest";
import {
  censored,
  discreteUniform,
  type ModelContext,
  type ModelData,
  model,
  normal,
  vector,
} from "../../../src/bayes/model/index.ts";
import { add, full, mul, range } from "../../../src/engine/compiler/index.ts";
import { regression, sample } from "../../../src/entries/everything.ts";

const conditioned = (body: (context: ModelContext) => unknown, data: ModelData = {}) =>
  model(({ ...context }) => void body(context as ModelContext)).condition(data, { deterministic: true });
const quick = { seed: 1, chains: 2, warmup: 100, draws: 100, deterministic: true } as const;

describe("censored values", () => {
  const of = (what: "right" | "left" | "until") => (context: ModelContext) => {
    const { y, c } = context.data({ y: vector("N"), c: vector("N") });
    context.observe(y, censored(normal(context.param("m", normal(0, 1)), 1), { [what]: c }));
  };

  it.each([
    [
      "right",
      [0, 2, 1],
      /data "c"\[1\]: it is 2, but "right" of censored\(\) must be 1 if the value is only known to be at least.*\[DATA_RANGE\]/,
    ],
    [
      "left",
      [0, 1, 0.5],
      /data "c"\[2\]: it is 0.5, but "left" of censored\(\) must be 1 if the value is only known to be at most/,
    ],
    ["until", [1, 1.5, 3], /data "c"\[1\]: it is 1.5, but "until" of censored\(\) must be at least what was observed there/],
  ] as const)("an invalid %s is refused, by element", async (what, c, words) => {
    await expect(conditioned(of(what), { y: [1, 2, 3], c: [...c] })).rejects.toThrow(words);
  });

  it("constants are checked too, and valid flags are accepted", async () => {
    const constant = (right: number[]) => (context: ModelContext) => {
      const { y } = context.data({ y: vector("N") });
      context.observe(y, censored(normal(context.param("m", normal(0, 1)), 1), { right }));
    };
    await expect(conditioned(constant([1, 3]), { y: [1, 2] })).rejects.toThrow(/it is 3, but "right"/);
    for (const [what, c] of [
      ["right", [0, 1, 0]],
      ["left", [0, 0, 1]],
      ["until", [1, 2, 9]],
    ] as const)
      (await conditioned(of(what), { y: [1, 2, 3], c: [...c] })).dispose();
  });

  it("flagged values have no replicates to check against, but limits have", async () => {
    const watched = model({ y: vector("N"), c: vector("N") }, ({ y, c, param, observe }) => {
      const m = param("m", normal(0, 1));
      observe(y, censored(normal(m, 1), { right: c }));
      return { m };
    });
    const posterior = await sample(watched, { y: [1, 2, 3], c: [0, 1, 0] }, quick);
    expect(() => posterior.check()).toThrow(/some values of "y" were observed only as bounds.*\[DRAWS_CENSORED\]/);
    expect(posterior.predict().shape("y")).toEqual([3]);
    const limited = model({ y: vector("N") }, ({ y, param, observe }) => {
      const m = param("m", normal(0, 1));
      observe(y, censored(normal(m, 1), { upper: 2 }));
      return { m };
    });
    expect((await sample(limited, { y: [1, 2, 2] }, quick)).check("y").suspect).toBeDefined();
  });
});

it.each(["toString", "constructor", "__proto__", "hasOwnProperty"])(
  "a quantity, an observation or a column %s is refused",
  async (name) => {
    const words = `"${name}" is a name that every object has`;
    await expect(conditioned(({ param }) => param(name, normal(0, 1)))).rejects.toThrow(words);
    await expect(conditioned(({ param, observe }) => observe(1, normal(param("m", normal(0, 1)), 1), name))).rejects.toThrow(
      words,
    );
    const data = { y: [1, 2, 3], [name]: [1, 2, 4] };
    if (name !== "__proto__") await expect(regression(`y ~ ${name}`).condition(data)).rejects.toThrow(words);
  },
);

it("too many states are refused before they are enumerated", async () => {
  const with1e9 = ({ param, marginalise }: ModelContext) => {
    const m = param("m", normal(0, 1));
    marginalise(discreteUniform(0, 1e9), () => m);
  };
  await expect(conditioned(with1e9)).rejects.toThrow(
    /discreteUniform has 1000000001 values, but at most 2000 can be summed out by a function of each; give all terms as one array/,
  );
  const array = ({ param, marginalise }: ModelContext) =>
    marginalise(discreteUniform(0, 4999), add(param("m", normal(0, 1)), mul(0, range(5000))));
  (await conditioned(array)).dispose();
  const huge = ({ param, marginalise }: ModelContext) =>
    marginalise(discreteUniform(0, 2 ** 25), add(param("m", normal(0, 1)), full(0, [2])));
  await expect(conditioned(huge)).rejects.toThrow(/33554433 values, but at most 16777216 can be summed out at a time/);
});

describe("formulas", () => {
  it.each([
    ["too long", `y ~ ${"x + ".repeat(5000)}x`, /it has \d+ characters, but at most 10000 are allowed/],
    ["too deep", `y ~ ${"(".repeat(300)}x`, /nested more than 200 deep/],
    ["of too many products", `y ~ ${Array.from({ length: 18 }, (_, i) => `a${i}`).join(" * ")}`, /more than 20000 products/],
    ["of an observed factor", "factor(y) ~ x", /factor\(…\) is observed; write the column alone/],
  ])("%s are refused", (_, formula, words) => expect(() => regression(formula)).toThrow(words));

  it("a power has no more factors than there are columns", async () => {
    const data = { y: [1, 2, 4, 3, 7, 5, 1, 9], x: [1, 2, 3, 4, 5, 6, 7, 8], z: [2, 1, 5, 3, 8, 2, 4, 4] };
    const named = async (formula: string) => {
      using posterior = await regression(formula).condition(data);
      return posterior.quantities.map(({ name }) => name);
    };
    expect(await named("y ~ (x + z)^50")).toEqual(await named("y ~ x * z"));
    expect(await named("y ~ x * x")).toEqual(await named("y ~ x"));
  });
});

describe("draws", () => {
  const line = model({ x: vector("N"), y: vector("N") }, ({ x, y, param, observe }) => {
    const b = param("b", normal(0, 5), { shape: 2 });
    observe(y, normal(mul(b.at(0), x), 1));
    return { b };
  });

  it("accept new rows as a table and refuse a row outside a list", async () => {
    const posterior = await sample(
      regression("y ~ kind + x"),
      { y: [1, 2, 4, 3, 6, 5], x: [1, 2, 3, 4, 5, 6], kind: ["a", "b", "a", "b", "a", "b"] },
      quick,
    );
    const rows = [
      { x: 2, kind: "b" },
      { x: 7, kind: "a" },
    ];
    const table = {
      rowCount: 2,
      source: "new.csv",
      columns: [
        { name: "x", kind: "number" as const, values: Float64Array.of(2, 7) },
        { name: "kind", kind: "category" as const, levels: ["a", "b"], codes: Int32Array.of(1, 0) },
      ],
    };
    expect(await posterior.predict(table)).toEqual(await posterior.predict(rows));
    expect(() => posterior.predict({ x: 2, kind: "b" } as never)).toThrow(
      "x, kind are not options (known: seed); give new rows in a list: predict([{ x: … }])",
    );
  });

  it("summarise single elements, and refuse to derive an existing name", async () => {
    const posterior = await sample(line, { x: [1, 2, 3], y: [1, 2, 3] }, quick);
    expect(Object.keys(posterior.summary({ of: ["b[2]"] }))).toEqual(["b[2]"]);
    expect(posterior.summary({ of: ["b[2]"] })["b[2]"]).toEqual(posterior.summary()["b[2]"]);
    expect([...posterior.scalars(["b", "b[1]"]).keys()]).toEqual(["b[1]", "b[2]"]);
    expect(() => posterior.summary({ of: ["b[3]"] })).toThrow('there is no "b[3]"');
    expect(() => posterior.derive("b[1]", () => 1)).toThrow(/there is "b\[1\]" already/);
    expect(() => posterior.derive("toString", () => 1)).toThrow(/a name that every object has/);
    expect(() => posterior.loo("z")).toThrow("name one of y");
  });
});
