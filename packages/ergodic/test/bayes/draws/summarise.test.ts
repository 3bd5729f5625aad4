/** `summarise()` computes the result of `summary()` in slices. */
import { describe, expect, it } from "vitest";
import { Draws } from "../../../src/bayes/draws/index.ts";
import { autoregressive } from "../../engine/statistics/draws.ts";

/** Two quantities, a vector and a matrix, in four chains of n draws. */
function drawn(n: number, wide = 20): Draws {
  const values = (size: number, seed: number): Float64Array => {
    const columns = Array.from({ length: size }, (_, j) => autoregressive(4, n, 0.3, seed + j));
    return Float64Array.from({ length: 4 * n * size }, (_, at) => columns[at % size][Math.floor(at / size)]);
  };
  return new Draws({
    chains: 4,
    count: n,
    quantities: [
      { name: "theta", shape: [wide], kind: "parameter" },
      { name: "L", shape: [3, 6], kind: "generated" },
    ],
    values: { theta: values(wide, 1), L: values(18, 100) },
    fields: [],
    transitions: new Float64Array(0),
    description: { algorithm: { algorithm: "nuts" } },
    report: {},
  });
}

describe("summarise", () => {
  it("agrees with summary(), also for some quantities and other quantiles", async () => {
    for (const options of [{}, { of: ["L"] }, { probabilities: [0.1, 0.9] }])
      expect(await drawn(40).summarise(options)).toEqual(drawn(40).summary(options));
    const draws = drawn(40);
    expect(draws.series("theta", 17)).toEqual(draws.scalars().get("theta[18]"));
    expect(draws.series("L", 2, 5)).toEqual(draws.scalars().get("L[3,6]"));
  });

  it("summarises all elements for a name and one element for its label", () => {
    const draws = drawn(40, 3);
    const names = (of: string[]) => Object.keys(draws.summary({ of: of as never }));
    expect(names(["theta[2]"])).toEqual(["theta[2]"]);
    expect(names(["theta"])).toEqual(["theta[1]", "theta[2]", "theta[3]"]);
    expect(names(["L[3,6]", "theta[1]"])).toEqual(["L[3,6]", "theta[1]"]);
    expect(draws.summary({ of: ["theta[2]"] as never })).toEqual({ "theta[2]": draws.summary()["theta[2]"] });
    for (const name of ["theta[4]", "theta[", "heta[1]", "eta", "a theta[1]"])
      expect(() => names([name]), name).toThrow(`"${name}"`);
    const lines = (rows?: number) => draws.table(rows === undefined ? {} : { rows }).split("\n");
    const legend = "mcse: Monte Carlo error of the mean; q5: 5 % quantile; ess: effective sample size; R-hat: good below 1.01";
    expect(lines(21).slice(-2)).toEqual([expect.stringMatching(/^L\[3,6\]/), legend]);
    expect(lines(20).slice(-2)).toEqual(["… and 1 more of L; table({ rows: 21 }) prints them", legend]);
    expect([lines().length, lines(20).length, lines(1).length]).toEqual([23, 23, 4]);
  });

  it("abbreviates each long array, so that later quantities are printed", () => {
    const lines = drawn(40, 300).table({ rows: 10 }).split("\n");
    expect(lines.slice(1, 11).map((line) => line.split(" ")[0])).toEqual(
      ["theta", "theta", "theta", "theta", "theta", "L", "L", "L", "L", "L"].map((name, i) =>
        name === "L" ? `L[1,${i - 4}]` : `theta[${i + 1}]`,
      ),
    );
    expect(lines[11]).toBe("… and 308 more (295 of theta, 13 of L); table({ rows: 318 }) prints them");
  });

  it.each<[string, number[]]>([
    ["L", []],
    ["L", [0]],
    ["L", [3, 0]],
    ["L", [0, 6]],
    ["L", [-1, 0]],
    ["L", [0, 0.5]],
    ["L", [0, 0, 0]],
    ["theta", []],
    ["theta", [20]],
  ])("has no series of %s at %j", (name, index) => {
    const shape = name === "L" ? "3, 6" : "20";
    expect(() => drawn(40).series(name as never, ...index)).toThrow(
      `draws.series: the index [${index.join(", ")}] is out of range for "${name}", which has shape [${shape}]; give one number per axis, counted from 0 [OPTION_RANGE]`,
    );
  });

  it("caches its table for summary, table and verdict", async () => {
    const draws = drawn(40);
    const table = await draws.summarise();
    for (const [name, row] of Object.entries(draws.summary())) expect(row).toBe(table[name]);
    expect((await draws.summarise())["L[1,1]"]).toBe(table["L[1,1]"]);
    expect(draws.summary({ of: ["L"] })["L[1,1]"]).not.toBe(table["L[1,1]"]);
  });

  it("lets timers run and stops on its signal, even one aborted before", async () => {
    const draws = drawn(1000, 300);
    const abort = new AbortController();
    let served = 0;
    const timer = setInterval(() => {
      if (++served === 3) abort.abort();
    }, 1);
    const summarised = draws.summarise({ signal: abort.signal });
    await expect(summarised).rejects.toThrow(/abort/);
    clearInterval(timer);
    expect(served).toBe(3);
    await expect(draws.summarise({ signal: AbortSignal.abort() })).rejects.toThrow(/abort/);
    await expect(draws.summarise({ signal: 3 } as never)).rejects.toThrow(/summarise: signal is 3/);
    await expect(draws.summarise({ only: [] } as never)).rejects.toThrow(/unknown option "only"/);
  });
});
