/** `explain`: importance of columns, contributions to one row, plots and refusals. */
import { readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { ergodic, temporary, works } from "./captured.ts";

const file = temporary();
const [rows, fresh] = [file("flats.csv"), file("fresh.csv")];
const [grown, line] = [file("trees.safetensors"), file("line.safetensors")];
const towns = ["Bern", "Lima", "Rome"];

beforeAll(async () => {
  const lines = Array.from({ length: 240 }, (_, i) => {
    const [town, size, age] = [i % 3, 20 + ((i * 37) % 100), (i * 13) % 50];
    return `${towns[town]},${i % 11 === 0 ? "" : size},${age},${40 * town + 2 * size}`;
  });
  writeFileSync(rows, `town,size,age,price\n${lines.join("\n")}\n`);
  writeFileSync(fresh, "town,size,age\nRome,90,3\n,30,9\n");
  await works("train", rows, "--target", "price", "--model", "trees:leaves=6", "--epochs", "40", "--out", grown, "--quiet");
  await works("train", rows, "--target", "price", "--impute", "level", "--out", line, "--quiet");
});

describe("explain", () => {
  it("ranks columns by permutation, with the share of gain for trees", async () => {
    const { stdout } = await works("explain", grown, rows);
    expect(stdout).toMatch(/^price, 240 rows of .*flats\.csv: increase of the loss if a column is shuffled\n/);
    const [header, ...lines] = stdout.trimEnd().split("\n").slice(1);
    expect(header).toMatch(/column +increase +standard error +share of gain/);
    expect(lines.map((text) => text.trim().split(/ +/)[0])).toEqual(["size", "town", "age"]);
    const shares = lines.map((text) => Number(/([\d.]+) %$/.exec(text)![1]));
    expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(100, 0);
    expect((await works("explain", line, rows)).stdout).not.toMatch(/gain/);
  });

  it("explains one row by contributions that sum to its score", async () => {
    const { stdout } = await works("explain", grown, fresh, "--row", "1", "--json");
    const [{ output, base, score, contributions }] = JSON.parse(stdout).scores;
    expect(output).toBe("price");
    const sum = contributions.reduce((all: number, one: { contribution: number }) => all + one.contribution, base);
    expect(sum).toBeCloseTo(score, 9);
    expect(contributions.map(({ column, value }: { column: string; value: unknown }) => [column, value]).sort()).toEqual([
      ["age", 3],
      ["size", 90],
      ["town", "Rome"],
    ]);
    const { predictions } = JSON.parse((await works("predict", grown, fresh, "--json")).stdout);
    expect(predictions[0].value).toBeCloseTo(score, 6);
    const text = (await works("explain", grown, fresh, "--row", "2")).stdout;
    expect(text).toMatch(/^price, row 2 of .*fresh\.csv\n {2}column +value +contribution\n {2}mean of the training rows/);
    expect(text).toMatch(/\n {2}town {2,}[+-]?[\d.]+\n/);
  });

  it("writes plots, and numbers as JSON", async () => {
    const [bars, dots] = [file("bars.svg"), file("dots.svg")];
    const { stdout, stderr } = await works("explain", grown, rows, "--json", "--repeats", "2", "--seed", "3", "--plot", bars);
    const { permutation, gain } = JSON.parse(stdout);
    expect(permutation[0]).toMatchObject({ column: "size", standardError: expect.any(Number) });
    expect(gain).toHaveLength(3);
    expect(stderr).toBe(`plot written to ${bars}\n`);
    expect(readFileSync(bars, "utf8")).toMatch(/^<svg.*Importance of columns/s);
    await works("explain", grown, fresh, "--row", "1", "--plot", dots);
    expect(readFileSync(dots, "utf8")).toMatch(/^<svg.*Contributions in 2 rows/s);
  });

  it("refuses options and models that do not fit", async () => {
    const refused = async (...args: string[]): Promise<string> => {
      const { code, stderr } = await ergodic("explain", ...args);
      expect(code).not.toBe(0);
      return stderr;
    };
    expect(await refused(line, rows, "--row", "1")).toMatch(/--row is for trees, but .* of kind linear/);
    expect(await refused(grown, fresh, "--row", "3")).toMatch(/--row is 3, but .* has 2 rows/);
    expect(await refused(grown, rows, "--row", "1", "--seed", "1")).toMatch(/leave --row out/);
    expect(await refused(grown, rows, "--plot", rows)).toMatch(/--plot/);
    expect(await refused(grown, rows, "--row", "0")).toMatch(/--row/);
  });
});
