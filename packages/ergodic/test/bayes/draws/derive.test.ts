/** Quantities derived from draws: their values, shapes and names, and their storage in files. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, expectTypeOf, it } from "vitest";
import { Draws, type DrawsContent, loadDraws, saveDraws } from "../../../src/entries/everything.ts";

const [chains, count] = [2, 6];
const numbers = (size: number, salt: number): Float64Array =>
  Float64Array.from({ length: chains * count * size }, (_, i) => Math.sin(1 + i * salt));
const content: DrawsContent = {
  chains,
  count,
  quantities: [
    { name: "mu", shape: [], kind: "parameter" },
    { name: "theta", shape: [3], kind: "parameter" },
    { name: "L", shape: [2, 2], kind: "transformed" },
    { name: "one", shape: [1], kind: "parameter" },
  ],
  values: { mu: numbers(1, 1.1), theta: numbers(3, 2.3), L: numbers(4, 3.7), one: numbers(1, 5.9) },
  fields: ["logDensity"],
  transitions: numbers(1, 0.7),
  description: { model: "m" },
  report: {},
};
const draws = new Draws<"mu" | "theta" | "L" | "one">(content);

it("derives a number from the values of each draw", () => {
  const found = draws.derive("far", ({ mu, theta, one }) => mu + 10 * theta[2] - one[0]);
  expectTypeOf(found).toEqualTypeOf<Draws<"mu" | "theta" | "L" | "one" | "far">>();
  const wanted = Float64Array.from(
    { length: 12 },
    (_, k) => content.values.mu[k] + 10 * content.values.theta[3 * k + 2] - content.values.one[k],
  );
  expect(found.draws("far")).toEqual(wanted);
  expect(found.shape("far")).toEqual([]);
  expect(found.quantities.at(-1)).toEqual({ name: "far", shape: [], kind: "transformed" });
  expect(found.summary().far.mean).toBeCloseTo(wanted.reduce((a, b) => a + b) / 12, 14);
  expect(`${found.table()}`).toMatch(/\nfar /);
  expect([found.chains, found.count, found.fields, found.description]).toEqual([2, 6, draws.fields, draws.description]);
  expect(found.transition("logDensity")).toEqual(draws.transition("logDensity"));
});

it("lists and lists of rows keep their shapes, and Booleans become 1 and 0", () => {
  const { theta, L } = content.values;
  const rows = draws.derive("rows", ({ theta }) => [
    [theta[0], 1, 2],
    [theta[1], 3, 4],
  ]);
  expect(rows.shape("rows")).toEqual([2, 3]);
  expect(rows.series("rows", 1, 0)).toEqual(theta.filter((_, i) => i % 3 === 1));
  const twice = draws.derive("twice", ({ L }) => L.map((x) => 2 * x));
  expect(twice.shape("twice")).toEqual([4]);
  expect(twice.draws("twice")).toEqual(L.map((x) => 2 * x));
  const above = draws.derive("above", ({ mu }) => mu > 0);
  expect(above.draws("above")).toEqual(content.values.mu.map((x) => Number(x > 0)));
  // A list of one row has two dimensions, as does a list of empty rows.
  expect(draws.derive("row", ({ mu }) => [[mu, 1]]).shape("row")).toEqual([1, 2]);
  expect(draws.derive("empty", () => [[], []]).shape("empty")).toEqual([2, 0]);
  // A list with one element is not a number.
  expect(draws.derive("list", ({ one }) => one).shape("list")).toEqual([1]);
  expect(draws.derive("none", () => Number.NaN).draws("none")).toEqual(new Float64Array(12).fill(Number.NaN));
});

it("the original draws do not change", () => {
  const before = content.values.theta.slice();
  const found = draws.derive("spoilt", ({ theta }) => {
    theta.fill(7);
    return theta[0];
  });
  expect(content.values.theta).toEqual(before);
  expect(found.draws("spoilt")).toEqual(new Float64Array(12).fill(7));
  expect(draws.quantities.map(({ name }) => name)).toEqual(["mu", "theta", "L", "one"]);
  const again = found.derive("more", ({ spoilt, mu }) => spoilt + mu);
  expect(again.quantities.map(({ name }) => name)).toEqual(["mu", "theta", "L", "one", "spoilt", "more"]);
  const seen: string[][] = [];
  draws.derive("names", (values) => {
    seen.push(Object.keys(values), Object.keys({ ...values }));
    return "mu" in values && !("nu" in values);
  });
  expect(seen[0]).toEqual(["mu", "theta", "L", "one"]);
  expect(seen[1]).toEqual(seen[0]);
});

it.each(["csv", "json"] as const)("files of %s keep a derived quantity", async (format) => {
  const folder = await mkdtemp(join(tmpdir(), "derive-"));
  try {
    const found = draws.derive("pair", ({ mu, theta }) => [mu / 3, theta[0] * 1e-300]);
    await saveDraws(found, folder, { format });
    const read = await loadDraws(folder);
    expect(read.draws("pair")).toEqual(found.draws("pair"));
    expect(read.quantities).toEqual(found.quantities);
  } finally {
    await rm(folder, { recursive: true });
  }
});

it("invalid quantities are refused", () => {
  const number = () => 1;
  expect(() => draws.derive("mu" as string, number)).toThrow(
    /draws\.derive: there is "mu" already; give the new quantity another name/,
  );
  expect(() => draws.derive("", number)).toThrow(/name is .*must be a text/);
  expect(() => draws.derive(3 as never, number)).toThrow(/name is 3, but must be a text/);
  expect(() => draws.derive("x", 3 as never)).toThrow(/f is 3, but must be a function of a draw's values/);
  expect(() => draws.derive("x", ({ nu }: Record<string, number & Float64Array>) => nu)).toThrow(
    /there is no "nu"; there are mu, theta, L, one \[OPTION_UNKNOWN\]/,
  );
  expect(() => draws.derive("x", () => "1" as never)).toThrow(/"x" at draw 1 of chain 1 is "1", but must be a number/);
  expect(() => draws.derive("x", () => undefined as never)).toThrow(/"x" at draw 1 of chain 1 is undefined/);
  expect(() => draws.derive("x", () => [[1, 2], [3]])).toThrow(/"x" at draw 1 of chain 1/);
  // The first row determines the length of the others.
  expect(() =>
    draws.derive("x", () => [
      [1, 2],
      [3, 4, 5],
    ]),
  ).toThrow(/"x" at draw 1 of chain 1 is an array of 3/);
  expect(() => draws.derive("x", () => [[1, 2], 3] as never)).toThrow(/"x" at draw 1 of chain 1 is 3/);
  let call = 0;
  expect(() => draws.derive("x", () => (call++ < 8 ? [1, 2] : [1]))).toThrow(
    /"x" has shape \[1\] at draw 3 of chain 2, but \[2\] at the first draw/,
  );
  const empty = new Draws({
    ...content,
    count: 0,
    values: { mu: new Float64Array(0), theta: new Float64Array(0), L: new Float64Array(0), one: new Float64Array(0) },
    transitions: new Float64Array(0),
  });
  expect(() => empty.derive("x", number)).toThrow(/there are no draws/);
});
