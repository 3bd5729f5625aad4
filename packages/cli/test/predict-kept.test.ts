/** `ergodic predict --id, --keep`: the row of each prediction, and columns of the file next to it. */
import { writeFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { ergodic, temporary, works } from "./captured.ts";
import { checked } from "./schemas.ts";

const file = temporary();
const [people, model, rows] = [file("people.csv"), file("people.safetensors"), file("rows.csv")];

beforeAll(async () => {
  const lines = Array.from({ length: 60 }, (_, i) => `${i % 7},${["a", "b"][i % 2]},${(i % 7) + (i % 2)}`);
  writeFileSync(people, `age,group,pay\n${lines.join("\n")}\n`);
  await works("train", people, "--target", "pay", "--no-classes", "--algorithm", "newton", "--out", model, "--quiet");
  writeFileSync(rows, 'id,age,note,group\n007,3,"yes, so",a\n08,4,,b\n1e3,5,"say ""no""",b\n');
});

const bare = async (): Promise<string[]> => (await works("predict", model, rows)).stdout.trimEnd().split("\n").slice(1);

describe("predict", () => {
  it("writes ids and chosen columns first, unchanged from the file", async () => {
    const [a, b, c] = await bare();
    const { stdout } = await works("predict", model, rows, "--id", "id", "--keep", "note,age");
    expect(stdout).toBe(`id,note,age,prediction\n007,"yes, so",3,${a}\n08,,4,${b}\n1e3,"say ""no""",5,${c}\n`);
    const out = file("out.csv");
    await works("predict", model, rows, "--id", "id", "--out", out);
    expect((await works("predict", model, rows, "--id", "0")).stdout).toBe(`id,prediction\n007,${a}\n08,${b}\n1e3,${c}\n`);
    expect((await works("predict", model, rows, "--keep", "-1,1")).stdout).toBe(
      `group,age,prediction\na,3,${a}\nb,4,${b}\nb,5,${c}\n`,
    );
  });

  it("includes ids in JSON", async () => {
    const { predictions } = checked(
      "predict",
      (await works("predict", model, rows, "--id", "id", "--json")).stdout,
    ) as unknown as {
      predictions: { kept: object; value: number }[];
    };
    expect(predictions.map(({ kept }) => kept)).toEqual([{ id: "007" }, { id: "08" }, { id: "1e3" }]);
    expect(predictions.map(({ value }) => String(value))).toEqual(await bare());
    const plain = JSON.parse((await works("predict", model, rows, "--json")).stdout) as { predictions: object[] };
    expect(Object.keys(plain.predictions[0])).toEqual(["value"]);
  });

  it("writes the ids of every block of a long file, as CSV and as JSON", async () => {
    const count = 65_537;
    const long = file("long.csv");
    writeFileSync(long, `id,age,group\n${Array.from({ length: count }, (_, i) => `r${i},${i % 7},a`).join("\n")}\n`);
    const { predictions } = JSON.parse((await works("predict", model, long, "--id", "id", "--json")).stdout) as {
      predictions: { kept: { id: string }; value: number }[];
    };
    expect(predictions.map(({ kept }) => kept.id)).toEqual(Array.from({ length: count }, (_, i) => `r${i}`));
    const csv = (await works("predict", model, long, "--id", "id")).stdout;
    expect(csv).toBe(`id,prediction\n${predictions.map(({ kept, value }) => `${kept.id},${value}\n`).join("")}`);
  });

  it("lists the columns if a requested column does not exist", async () => {
    for (const [args, message] of [
      [["--id", "no"], /--id asks for a column "no" that is not there; .*"id", "age"/],
      [["--keep", "id,9"], /asks for column 9, but columns are numbered 0 to 3/],
    ] as const) {
      const { code, stdout, stderr } = await ergodic("predict", model, rows, ...args);
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toMatch(message);
    }
  });

  it("refuses --id and --keep for sparse rows, which have no text columns", async () => {
    const [sparse, trained] = [file("rows.libsvm"), file("sparse.safetensors")];
    writeFileSync(sparse, Array.from({ length: 40 }, (_, i) => `${i % 2} ${1 + (i % 3)}:1`).join("\n"));
    await works("train", sparse, "--out", trained, "--quiet", "--epochs", "1");
    const { code, stderr } = await ergodic("predict", trained, sparse, "--id", "1");
    expect(code).toBe(2);
    expect(stderr).toContain("--id and --keep name columns of a table, but the model takes sparse rows");
  });

  it("writes ids before a recommender's predictions, too", async () => {
    const [stars, factors] = [file("stars.csv"), file("stars.safetensors")];
    const lines = Array.from({ length: 40 }, (_, i) => `n${i},u${i % 5},f${i % 8},${(i % 3) + 1}`);
    writeFileSync(stars, `row,who,film,stars\n${lines.join("\n")}\n`);
    const names = ["--user", "who", "--item", "film", "--value", "stars"];
    await works("recommend", stars, ...names, "--rank", "2", "--out", factors, "--quiet");
    const plain = (await works("predict", factors, stars)).stdout.trimEnd().split("\n").slice(1);
    const { stdout } = await works("predict", factors, stars, "--id", "row");
    expect(stdout.trimEnd().split("\n")).toEqual(["row,prediction", ...plain.map((value, i) => `n${i},${value}`)]);
  });
});
