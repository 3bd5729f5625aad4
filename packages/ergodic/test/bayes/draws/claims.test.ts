/**
 * Files of draws with claims that no run makes: impossible tree depths, more numbers than columns, or billions of
 * chains. None is trusted.
 */
import { describe, expect, it } from "vitest";
import { toCmdStanCsv } from "../../../src/bayes/draws/csv.ts";
import { fromCmdStanCsv } from "../../../src/bayes/draws/csv-reader.ts";
import { fromDataFrame, toDataFrame } from "../../../src/bayes/draws/data-frame.ts";
import { Draws } from "../../../src/bayes/draws/draws.ts";
import type { JsonObject } from "../../../src/engine/contract/index.ts";
import { DataError } from "../../../src/engine/errors/errors.ts";
import { example } from "./contents.ts";

const csv = (depth: string) => `lp__,treedepth__,theta\n1,${depth},2\n1,3,2\n1,3,2\n`;

describe("tree depths", () => {
  it.each(["4000000000", "5e9", "65", "-1", "2.5", "nan", "inf", "-inf"])(
    "%s is refused in a CSV file, with its line",
    (depth) => {
      expect(() => fromCmdStanCsv([csv(depth)], ["td.csv"])).toThrow(
        `td.csv:2: "${depth}" in column "treedepth__" is not the depth of a tree, which is a whole number from 0 to 64; make the file again, or remove the column [DATA_PARSE]`,
      );
    },
  );

  it.each([4e9, 65, -1, 2.5, NaN, Infinity])("%s is refused from any other source, with its transition", (depth) => {
    const content = { ...example().content, fields: ["logDensity", "treeDepth"], transitions: new Float64Array(12).fill(3) };
    expect(new Draws(content).treeDepths()!.counts).toEqual([0, 0, 0, 6]);
    content.transitions[2 * 4 + 1] = depth;
    expect(() => new Draws(content)).toThrow(
      `draws: transition 5 has a tree of depth ${depth}, but depths are whole numbers from 0 to 64; make the draws again, or leave "treeDepth" out [DRAWS_DEPTH]`,
    );
    const json = new Draws({ ...content, transitions: new Float64Array(12) }).toJSON();
    (json.transitions as Record<string, unknown[]>).treeDepth[4] = Number.isFinite(depth) ? depth : String(depth);
    expect(() => Draws.fromJson(json)).toThrow(/transition 5 has a tree of depth.*DRAWS_DEPTH/);
    const { columns, header } = toDataFrame(new Draws({ ...content, transitions: new Float64Array(12) }));
    (columns.get("treedepth__") as Float64Array)[4] = depth;
    expect(() => fromDataFrame({ columns, ...(header ? { header } : {}) })).toThrow(DataError);
  });

  it("64 and 0 are accepted, even if the file lacks step counts", () => {
    const draws = fromCmdStanCsv([csv("64")]);
    expect(draws.treeDepths()).toMatchObject({ mean: 70 / 3, leapfrogs: NaN, saturated: 0 });
    expect(draws.treeDepths()!.counts).toHaveLength(65);
    expect(String(draws)).toContain("theta");
    expect(fromCmdStanCsv([csv("0")]).treeDepths()!.counts).toEqual([1, 0, 0, 2]);
  });
});

it("invalid divergence values do not hide other divergences", () => {
  const rows = ["1", "-5", "0.5", "nan", "0", "-0"].map((divergent) => `1,${divergent},2`);
  expect(fromCmdStanCsv([`lp__,divergent__,theta\n${rows.join("\n")}\n`]).divergences).toBe(4);
});

describe("headers", () => {
  const { columns, header } = toDataFrame(example());
  const grown = (shape: number[]) => ({
    ...header!,
    quantities: [{ name: "mu", shape, kind: "parameter" }],
    fields: [],
  });

  it.each([[[1e9]], [[2 ** 31, 2 ** 31]], [[9]]])(
    "a table header is refused if it claims more numbers than there are columns: %s",
    (shape) => {
      const only = new Map([...columns].filter(([name]) => ["mu", ".chain", ".iteration"].includes(name)));
      const wanted = shape.reduce((product, size) => product * size, 1);
      expect(() => fromDataFrame({ columns: only, header: grown(shape) })).toThrow(
        `fromDataFrame: the header names ${wanted} numbers per draw, but there are only 1 columns for them; leave the table unchanged [DRAWS_COLUMNS]`,
      );
    },
  );

  it("a JSON header is refused if it claims chains and draws without numbers", () => {
    const json = { ...example().toJSON(), quantities: [], fields: [], values: {}, transitions: {} };
    expect(() => Draws.fromJson({ ...json, chains: 2 ** 40, count: 0 })).toThrow(
      /it names 1099511627776 chains, which is over a million.*DRAWS_JSON/,
    );
    expect(() => Draws.fromJson({ ...json, chains: 4, count: 2 ** 50 })).toThrow(
      /4 chains of 1125899906842624 draws, but holds no numbers/,
    );
    expect(Draws.fromJson({ ...json, chains: 4, count: 1000 }).count).toBe(1000);
  });
});

describe("descriptions", () => {
  const held = { by: "chain", share: 0.9, settled: true, mode: 0, missed: false, at: { mu: 1, "theta[1]": null } };
  const missed = { ...held, by: "scout", mode: 1, missed: true, changes: "mu", sdFactor: 1.5 };
  const solutions = { count: 1, points: 100, mostSteps: null, largestError: null };
  const hints = [{ code: "unbounded", text: "mu has no prior", advice: "give one" }];
  const whole = { places: [held, { ...missed, share: null }], hints, solutions };
  const read = (description: unknown): Draws => Draws.fromJson({ ...example().toJSON(), description });

  it("accepts and judges descriptions of real runs", () => {
    expect(String(read(whole).verdict())).toMatch(/several modes(.|\n)*mu has no prior/);
    expect(String(read({}).verdict())).toMatch(/chains of/);
  });

  it.each([
    ["places", 5, "places of the description is 5, but must be a list"],
    ["places", {}, "places of the description is an object of nothing, but must be a list"],
    ["places", null, "places of the description is null, but must be a list"],
    ["places", [held, null], "places[1] of the description is null, but must be an object"],
    ["places", [{ ...held, share: "much" }], 'places[0].share of the description is "much", but must be a number or null'],
    ["places", [{ ...held, missed: 1 }], "places[0].missed of the description is 1, but must be true or false"],
    ["places", [{ ...held, missed: undefined }], "places[0].missed of the description is undefined, but must be true or false"],
    ["places", [{ ...held, by: 4 }], "places[0].by of the description is 4, but must be a text"],
    ["places", [{ ...held, settled: "no" }], 'places[0].settled of the description is "no", but must be true or false'],
    ["places", [{ ...held, mode: "0" }], 'places[0].mode of the description is "0", but must be a number'],
    ["places", [{ ...missed, changes: [] }], "places[0].changes of the description is an array of 0, but must be a text"],
    ["places", [{ ...missed, sdFactor: "2" }], 'places[0].sdFactor of the description is "2", but must be a number or null'],
    ["places", [{ ...held, at: null }], "places[0].at of the description is null, but must be an object of numbers by name"],
    ["places", [{ ...held, at: { mu: "1" } }], "places[0].at of the description is an object of mu, but must be"],
    ["hints", "take care", 'hints of the description is "take care", but must be a list'],
    ["hints", [["a", "b"]], "hints[0] of the description is an array of 2, but must be an object"],
    ["hints", [{ text: "a" }], "hints[0].advice of the description is undefined, but must be a text"],
    ["hints", [{ text: 1, advice: "b" }], "hints[0].text of the description is 1, but must be a text"],
    ["solutions", [], "solutions of the description is an array of 0, but must be an object"],
    ["solutions", { ...solutions, points: "many" }, 'solutions.points of the description is "many", but must be a number'],
    ["solutions", { ...solutions, mostSteps: "9" }, 'solutions.mostSteps of the description is "9", but must be'],
    ["solutions", { ...solutions, largestError: "1e-6" }, 'solutions.largestError of the description is "1e-6", but must be'],
  ])("refuses other %s: %j", (name, value, message) => {
    expect(() => read({ ...whole, [name]: value })).toThrow(`draws: ${message}`);
    expect(() => read({ ...whole, [name]: value })).toThrow(
      `; make the draws again, or remove ${name} from the description [DRAWS_DESCRIPTION]`,
    );
    const refused = thrown(() => new Draws({ ...example().content, description: { ...whole, [name]: value } as JsonObject }));
    expect(refused).toBeInstanceOf(DataError);
  });

  it("no junk value causes one of JavaScript's own errors", () => {
    const junk = [null, 0, -1.5, "text", true, [], {}, [null], [[]], [{}], { algorithm: 7 }, { metric: {} }];
    const names = [
      "algorithm",
      "plan",
      "density",
      "run",
      "data",
      "names",
      "model",
      "dimension",
      "source",
      "probe",
      "files",
      "rows",
    ];
    for (const name of [...names, ...Object.keys(whole)])
      for (const value of junk) {
        const description = { algorithm: { algorithm: "nuts" }, ...whole, [name]: value };
        const used = thrown(() => {
          const draws = read(description);
          String(draws.verdict());
          draws.treeDepths();
          toCmdStanCsv(draws, 0);
          fromDataFrame(toDataFrame(draws));
        });
        if (used !== undefined) expect(used, `${name}: ${JSON.stringify(value)}`).toBeInstanceOf(DataError);
      }
  });
});

function thrown(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}
