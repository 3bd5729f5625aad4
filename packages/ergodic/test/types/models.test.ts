/**
 * The compiler's knowledge of a statistical model that names its data first: its data and the names of its draws. `npm
 * run check:types` checks the refusals and fails if a line marked `@ts-expect-error` compiles. Running the tests checks
 * the values.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { add, at, exp, less, mul, type SymbolicArray } from "../../src/engine/compiler/index.ts";
import {
  calibrate,
  type DataOfModel,
  Draws,
  fit,
  halfNormal,
  integer,
  loadDraws,
  matrix,
  model,
  type NamesOf,
  type Numbers,
  normal,
  real,
  type StatisticalModel,
  sample,
  saveDraws,
  vector,
} from "../../src/entries/everything.ts";

const schools = model(
  { y: vector("J"), sigma: vector("J") },
  ({ y, sigma, param, observe }) => {
    const mu = param("mu", normal(0, 5));
    const tau = param("tau", halfNormal(5));
    const theta = param("theta", normal(mu, tau), { shape: "J", centred: false });
    observe(y, normal(theta, sigma));
    return { mu, tau, theta, better: less(at(theta, 2), at(theta, 0)), next: normal(theta, sigma) };
  },
  { name: "schools" },
);
type Names = "mu" | "tau" | "theta" | "better" | "next";
/** The same model, with names that are known only at run time. */
const loose = model(
  ({ data, param, observe, generated }) => {
    const { y, sigma } = data({ y: vector("J"), sigma: vector("J") });
    const mu = param("mu", normal(0, 5));
    const tau = param("tau", halfNormal(5));
    const theta = param("theta", normal(mu, tau), { shape: "J", centred: false });
    observe(y, normal(theta, sigma));
    generated("better", less(at(theta, 2), at(theta, 0)));
    generated("next", normal(theta, sigma));
  },
  { name: "schools" },
);
const data = { y: [28, 8, -3], sigma: [15, 10, 16] };
const options = { chains: 2, warmup: 60, draws: 40, seed: 1, deterministic: true };

let folder: string;
let posterior: Draws<Names>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ergodic-"));
  posterior = await sample(schools, data, options);
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe("a model that names its data first", () => {
  it("has the types of its data and of its results", () => {
    expectTypeOf(schools).toEqualTypeOf<StatisticalModel<{ y: Numbers; sigma: Numbers }, Names>>();
    expectTypeOf<NamesOf<typeof schools>>().toEqualTypeOf<Names>();
    expectTypeOf<DataOfModel<typeof schools>>().toEqualTypeOf<{ y: Numbers; sigma: Numbers }>();
    const kinds = model({ n: integer(), a: real(), x: matrix("n", 2) }, ({ n, a, x, param }) => {
      expectTypeOf(n).toEqualTypeOf<number>();
      expectTypeOf(a).toEqualTypeOf<number>();
      expectTypeOf(x).toEqualTypeOf<SymbolicArray>();
      return { b: param("b", normal(a, n)) };
    });
    expectTypeOf<DataOfModel<typeof kinds>>().toEqualTypeOf<{ n: number; a: number; x: Numbers | readonly Numbers[] }>();
  });

  it("gives the same draws bit for bit as a model that names its data in its function", async () => {
    const other = await sample(loose, data, options);
    expect(posterior.quantities).toEqual(other.quantities);
    for (const { name } of other.quantities) expect(other.draws(name)).toEqual(posterior.draws(name as Names));
    expect(posterior.loo()).toEqual(other.loo());
    expect(posterior.predict().draws("y")).toEqual(other.predict().draws("y"));
    const values = (await fit(schools, data, { seed: 1 })).values;
    expect(values).toEqual((await fit(loose, data, { seed: 1 })).values);
    const calibrating = { simulations: 2, draws: 19, warmup: 50, seed: 1 };
    expect(await calibrate(schools, data, calibrating)).toEqual(await calibrate(loose, data, calibrating));
  });

  it("refuses data with a missing field, a field of another kind or a surplus field", async () => {
    // @ts-expect-error sigma is missing
    await expect(sample(schools, { y: [1, 2] })).rejects.toThrow('the model asks for "sigma", but the data have y; add it');
    // @ts-expect-error a slip in a name
    await expect(sample(schools, { y: [1, 2], sgima: [1, 1] })).rejects.toThrow("DATA_MISSING");
    // @ts-expect-error a list is wanted
    await expect(sample(schools, { y: 1, sigma: [1, 1] })).rejects.toThrow("DATA_SHAPE");
    // @ts-expect-error sigma is missing
    await expect(fit(schools, { y: [1, 2] })).rejects.toThrow("DATA_MISSING");
    // @ts-expect-error sigma is missing
    await expect(calibrate(schools, { y: [1, 2] })).rejects.toThrow("DATA_MISSING");
    // @ts-expect-error sigma is missing
    await expect(schools.condition({ y: [1, 2] })).rejects.toThrow("DATA_MISSING");
    // @ts-expect-error the function is given no z
    expect(model({ y: vector("N") }, ({ z, param }) => ({ mu: param("mu", normal(0, 1)), z })).kind).toBe("statistical");
    const more = { ...data, names: ["A", "B", "C"] };
    expect((await sample(schools, more, { ...options, warmup: 1, draws: 1 })).count).toBe(1);
  });

  it("returns draws only by its own names", async () => {
    expectTypeOf(posterior.draws("mu")).toEqualTypeOf<Float64Array>();
    // @ts-expect-error a slip in a name
    expect(() => posterior.draws("thetta")).toThrow('there is no "thetta"; there are mu, tau, theta, better, next');
    // @ts-expect-error a slip in a name
    expect(() => posterior.series("thetta", 0)).toThrow("OPTION_UNKNOWN");
    // @ts-expect-error a slip in a name
    expect(() => posterior.mean("thetta")).toThrow("OPTION_UNKNOWN");
    // @ts-expect-error a slip in a name
    expect(() => posterior.summary({ of: ["thetta"] })).toThrow("OPTION_UNKNOWN");
    const summary = posterior.summary();
    // @ts-expect-error a slip in a name
    expect(summary.thetta).toBeUndefined();
    for (const [row, mean] of [
      [summary.mu, posterior.mean("mu")],
      [summary["theta[1]"], posterior.mean("theta")],
    ] as const)
      expect(row.mean).toBeCloseTo(mean[0], 12);
    // @ts-expect-error predict draws the observed quantities again, so it accepts no data
    expect(() => posterior.predict({ mue: 1 })).toThrow("OPTION_UNKNOWN");
    const mode = await fit(schools, data, { seed: 1 });
    expectTypeOf(mode.values.theta).toEqualTypeOf<Float64Array>();
    // @ts-expect-error a slip in a name
    expect(mode.values.thetta).toBeUndefined();
  });

  it("keeps its names in checkpoints and files", async () => {
    const run = sample(schools, data, options);
    await run;
    const longer = await sample.resume(await run.checkpoint(), schools, data, { draws: 50 });
    expectTypeOf(longer).toEqualTypeOf<Draws<Names, "y" | "sigma">>();
    expect(longer.series("mu").subarray(0, 40)).toEqual(posterior.series("mu").subarray(0, 40));
    await saveDraws(posterior, folder, { format: "json" });
    const read = await loadDraws<NamesOf<typeof schools>>(folder);
    expect(read.draws("next")).toEqual(posterior.draws("next"));
    // @ts-expect-error a slip in a name
    expect(() => read.draws("thetta")).toThrow("OPTION_UNKNOWN");
    expectTypeOf(await loadDraws(folder)).toEqualTypeOf<Draws>();
    expectTypeOf(Draws.fromJson(posterior.toJSON())).toEqualTypeOf<Draws>();
  });

  it("can be used as any model", () => {
    const any: StatisticalModel[] = [schools, loose];
    expect(any.map(({ name }) => name)).toEqual(["schools", "schools"]);
    const mean = (draws: Draws): number => draws.mean("mu")[0];
    expect(mean(posterior)).toBe(posterior.mean("mu")[0]);
  });
});

describe("invalid or missing results of a model's function", () => {
  const y = [1, 2, 3];

  it("parameters that are not returned are still drawn and reported", async () => {
    const shy = model({ y: vector("N") }, ({ y, param, observe, transformed }) => {
      const mu = param("mu", normal(0, 1));
      const twice = transformed("twice", mul(2, mu));
      observe(y, normal(twice, 1));
      return { twice, plus: add(mu, 1) };
    });
    expectTypeOf<NamesOf<typeof shy>>().toEqualTypeOf<"twice" | "plus">();
    const { quantities } = await sample(shy, { y }, { warmup: 2, draws: 2, chains: 1 });
    expect(quantities.map(({ name, kind }) => `${kind} ${name}`)).toEqual([
      "parameter mu",
      "transformed twice",
      "generated plus",
    ]);
  });

  it.each([
    [
      "another name",
      model({ y: vector("N") }, ({ param }) => ({ m: param("mu", normal(0, 1)) })),
      'model: "mu" is returned as "m"; return it under its own name [MODEL_NAME]',
    ],
    [
      "one name twice",
      model({ y: vector("N") }, ({ param }) => ({ mu: exp(param("mu", normal(0, 1))) })),
      'the name "mu" is given twice',
    ],
    [
      "a field with the name of a tool",
      model({ size: vector("N") }, ({ param }) => ({ mu: param("mu", normal(0, 1)) })) as StatisticalModel,
      'a field of the data is called "size", but the model\'s function already receives a value of this name; rename the field [MODEL_NAME]',
    ],
    [
      "nothing",
      model({ y: vector("N") }, (({ param }: { param: (...given: unknown[]) => void }) => {
        param("mu", normal(0, 1));
      }) as never) as StatisticalModel,
      "what the function returns is undefined, but must be an object of the quantities that draws report: write return { mu, tau }",
    ],
    ["a promise", model({ y: vector("N") }, (async () => ({})) as never) as StatisticalModel, "the model's function is async"],
    [
      "a number",
      model({ y: vector("N") }, (({ param }: { param: (...given: unknown[]) => void }) => ({
        mu: param("mu", normal(0, 1)),
        n: 3,
      })) as never) as StatisticalModel,
      'model: "n" of what the function returns is 3, but must be a symbolic array or a distribution: write full(3)',
    ],
  ])("%s", async (_, wrong: StatisticalModel, message) => {
    await expect(sample(wrong, { y, size: y })).rejects.toThrow(message);
  });

  it("refuses an object in place of a model's function", () => {
    expect(() => model({ y: vector("N") } as never)).toThrow(
      "model: got an object of y, wanted a function; write model(({ param, observe }) => …), or",
    );
  });
});
