/** `ergodic train DATA --from MODEL`: training begins with a trained model or with the checkpoint of a run. */
import { readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { digits, ergodic, temporary, works } from "./captured.ts";

const file = temporary();
const lines = readFileSync(digits, "utf8").trim().split("\n");
/** Rows of the digits in a separate file. */
function part(name: string, keep: (row: string, i: number) => boolean): string {
  const path = file(name);
  writeFileSync(path, [lines[0], ...lines.slice(1).filter(keep)].join("\n"));
  return path;
}
const losses = (text: string): { rows: object; run: { loss: number }; chosen: { model: object; target: { levels: string[] } } } =>
  JSON.parse(text);

it("begins at the end of the earlier training, with its model, target and classes", async () => {
  const all = file("all.safetensors");
  await works(
    "train",
    digits,
    "--target",
    "label",
    "--classes",
    "--l2",
    "1e-4",
    "--epochs",
    "10",
    "--seed",
    "1",
    "--quiet",
    "--out",
    all,
  );
  const column = lines[0].split(",").indexOf("label");
  const some = part("some.csv", (row) => ["3", "7"].includes(row.split(",")[column]));
  const { stdout } = await works(
    "train",
    some,
    "--from",
    all,
    "--epochs",
    "1",
    "--rate",
    "1e-9",
    "--rule",
    "sgd",
    "--json",
    "--quiet",
  );
  const begun = losses(stdout);
  expect(begun.chosen.target).toMatchObject({ name: "label", levels: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] });
  expect(begun.chosen.model).toMatchObject({ model: "linear", l2: 1e-4 });
  expect(begun.run.loss).toBeLessThan(0.2);
  const more = losses((await works("train", some, "--from", all, "--l2", "0.5", "--epochs", "1", "--json", "--quiet")).stdout);
  expect(more.chosen.model).toMatchObject({ l2: 0.5 });
});

it("takes a network from its file without --model, and requires --model with a checkpoint", async () => {
  const [net, kept] = [file("net.safetensors"), file("net.checkpoint")];
  const train = ["train", digits, "--target", "label", "--classes", "--seed", "1", "--quiet"];
  await works(...train, "--model", "mlp:16", "--epochs", "20", "--out", net, "--checkpoint", kept);
  const still = ["--epochs", "1", "--rule", "sgd", "--rate", "1e-12", "--json"];
  const at = async (...options: string[]): Promise<number> =>
    losses((await works(...train, ...still, ...options)).stdout).run.loss;
  const [anew, begun, fromKept] = [
    await at("--model", "mlp:16"),
    await at("--from", net),
    await at("--from", kept, "--model", "mlp:16"),
  ];
  expect(begun).toBeLessThan(0.3 * anew);
  expect(fromKept).toBeCloseTo(begun, 5);
  await works(...train, "--from", kept, "--model", "mlp:16", "--optimiser", "kept", "--epochs", "1");
});

/** LIBSVM rows whose labels are the signs of their first column. `last`: number of columns. */
const libsvm = (last: number): string =>
  Array.from({ length: 60 }, (_, i) => `${i % 2 ? 1 : -1} 1:${i % 2 ? 0.9 : -0.9} 2:${Math.cos(i)} ${last}:${Math.sin(i)}`).join(
    "\n",
  );

it.each([
  ["rows.svm", libsvm(5), "more.svm", libsvm(4)],
  ["rows.vw", libsvm(5).replaceAll(" 1:", " | a:"), "more.vw", libsvm(4).replaceAll(" 1:", " | a:")],
])("continues the training of a model of %s, whose rows bring their own target", async (name, rows, nextName, nextRows) => {
  const [data, next, model] = [file(name), file(nextName), file(`${name}.safetensors`)];
  writeFileSync(data, rows);
  writeFileSync(next, nextRows);
  await works("train", data, "--l2", "1e-4", "--epochs", "30", "--seed", "1", "--quiet", "--out", model);
  const still = ["--from", model, "--rule", "sgd", "--rate", "1e-12", "--epochs", "1", "--json", "--quiet"];
  for (const path of [data, next]) {
    const begun = losses((await works("train", path, ...still)).stdout);
    expect(begun.chosen.target.levels).toEqual(["-1", "1"]);
    expect(begun.run.loss).toBeLessThan(0.2);
  }
});

it.each([
  [["--features", "rff:10"], /--features: was given, but --from uses the model in/],
  [["--optimiser", "kept"], /only checkpoints hold its state/],
  [["--algorithm", "coordinate"], /finds the minimum from any start/],
  [["--model", "mlp:4"], /holds a model of kind "linear", but the model to train is of kind "network"/],
])("refuses %j", async (options, message) => {
  const model = file("small.safetensors");
  await works("train", digits, "--target", "label", "--epochs", "1", "--no-classes", "--quiet", "--out", model);
  const { code, stderr } = await ergodic("train", digits, "--target", "label", "--from", model, ...options);
  expect(code).toBeGreaterThan(0);
  expect(stderr).toMatch(message);
});

it("refuses to overwrite the initial model, and leaves it intact", async () => {
  const model = file("kept.safetensors");
  await works("train", digits, "--target", "label", "--epochs", "1", "--no-classes", "--quiet", "--out", model);
  const before = readFileSync(model);
  const { code, stderr } = await ergodic("train", digits, "--target", "label", "--from", model, "--out", model, "--quiet");
  expect(code).toBeGreaterThan(0);
  expect(stderr).toMatch(/--out/);
  expect(readFileSync(model).equals(before)).toBe(true);
});
