/** Networks on the command line: their specs, files of layers, and all later commands on the model. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { read } from "@ergodic/ingest";
import { adam, cnn, fit, type NetworkPredictor, network, predictor } from "ergodic";
import { randomShift, sequential } from "ergodic/layers";
import { beforeAll, describe, expect, it } from "vitest";
import { isSlow } from "../../ergodic/test/power.ts";
import { digits, ergodic, temporary, works } from "./captured.ts";
import { checked } from "./schemas.ts";

const file = temporary();
const here = (name: string): string => fileURLToPath(new URL(`networks/${name}`, import.meta.url));
const shaped = [digits, "--target", "label", "--classes", "--row-shape", "8x8x1"];
const quick = ["--epochs", "1", "--quiet"];
/** The first 500 digits. */
const some = file("some.csv");
writeFileSync(some, readFileSync(digits, "utf8").split("\n").slice(0, 501).join("\n"));
const ofSome = [some, ...shaped.slice(1)];
const small = file("cnn.safetensors");

beforeAll(async () => {
  await works("train", ...shaped, "--model", "cnn:4,8,hidden=16", "--epochs", "2", "--seed", "3", "--quiet", "--out", small);
});

describe("train", () => {
  it("trains the same network as the library", async () => {
    const out = file("same.safetensors");
    const words = ["--model", "cnn:4,hidden=16,dropout=0.1", "--augment", "shift:1", "--rate", "0.002", "--batch", "32"];
    const { stdout } = await works("train", ...shaped, ...words, "--test-share", "0.2", "--epochs", "1", "--json", "--out", out);
    const { train, test } = (await read(digits, { target: "label", classes: true, rowShape: [8, 8, 1] })).split(0.8, {
      seed: 0,
      stratify: true,
    });
    const layers = sequential([randomShift(1), cnn({ channels: [4], hidden: 16, dropout: 0.1, outputs: 10 })]);
    const ours = await fit(network(layers), train, { rule: adam({ rate: 0.002 }), batch: 32, epochs: 1, seed: 0 });
    expect((checked("train", stdout) as unknown as { test: object }).test).toEqual(ours.evaluate(test));
    const saved = await predictor<NetworkPredictor>(out);
    expect(saved.outputs(test)).toEqual(ours.outputs(test));
  });

  it("reports its default for a network: adam on batches of 64", async () => {
    const { stderr } = await works("train", ...shaped, "--model", "mlp:16", "--epochs", "1");
    expect(stderr.split("\n")[1]).toMatch(
      /^network of 1,210 parameters, multinomial loss \(10 classes\) · adam rate 0\.001 · batch 64 · 1 worker · f32 · \S+ build · seed 0$/,
    );
  });

  // One function reads all words. "errors" shows which network each word makes.
  it.each<[string, number | undefined]>([
    ["mlp", 650],
    ["mlp:8,4,activation=gelu,normalised=true", 64 * 8 + 2 * 8 + 8 * 4 + 2 * 4 + 4 * 10 + 10],
    ["cnn:4", 4 * 9 + 2 * 4 + (16 * 4 * 128 + 128) + (128 * 10 + 10)],
    ["circulant:8,8,hidden=16,block=4", undefined],
    ["mobilenetv2:width=0.1,form=small", undefined],
    ...(isSlow
      ? ["mobilenet:0.125", "shufflenet:0.5", "shufflenetv1:0.1,groups=2"].map((model): [string, undefined] => [model, undefined])
      : []),
  ])("--model %s trains a network that learns and can be used from its file", async (model, parameters) => {
    const out = file("word.safetensors");
    const plan = ["--epochs", "1", "--batch", "16", "--rate", "0.005", "--quiet"];
    await works("train", ...ofSome, "--model", model, ...plan, "--out", out);
    const { description } = await predictor<NetworkPredictor>(out);
    if (parameters !== undefined) expect(description.parameters).toBe(parameters);
    const { stdout: tested } = await works("evaluate", out, some, "--json");
    expect(JSON.parse(tested).metrics.accuracy).toBeGreaterThan(0.3);
  });

  it("accepts columns that are not an image, and a target of numbers or of two classes", async () => {
    const table = file("table.csv");
    const line = (i: number): string =>
      `${i / 100},${(i % 7) / 7},${Math.abs(i - 100) / 100 + (i % 7) / 7},${i % 2 ? "odd" : "even"}\n`;
    writeFileSync(table, `a,b,y,kind\n${Array.from({ length: 200 }, (_, i) => line(i)).join("")}`);
    const run = async (...words: string[]) =>
      JSON.parse((await works("train", table, "--model", "mlp:8", "--epochs", "30", "--json", "--quiet", ...words)).stdout);
    const numbers = await run("--target", "y", "--drop", "kind", "--test-share", "0.2", "--rate", "0.02", "--batch", "8");
    expect([numbers.chosen.loss.name, numbers.chosen.task]).toEqual(["squared", "regression"]);
    // A straight line explains about half, because the first column acts through its distance from 1.
    expect(numbers.test.r2).toBeGreaterThan(0.9);
    const classes = await run("--target", "kind", "--drop", "y");
    expect([classes.chosen.loss.name, classes.chosen.task]).toEqual(["logistic", "binary"]);
  });

  it("resumes from a checkpoint with the same result", async () => {
    const [checkpoint, whole, parts] = [file("cnn.checkpoint"), file("whole.safetensors"), file("parts.safetensors")];
    const words = [...ofSome, "--seed", "2", "--quiet"];
    const model = ["--model", "cnn:4,hidden=8", "--augment", "shift:1"];
    await works("train", ...words, ...model, "--epochs", "2", "--out", whole);
    await works("train", ...words, ...model, "--epochs", "1", "--checkpoint", checkpoint);
    await works("train", ...words, "--epochs", "2", "--resume", checkpoint, "--out", parts);
    const said = async (path: string): Promise<string> => (await works("predict", path, some)).stdout;
    expect(await said(parts)).toBe(await said(whole));
    const { code, stderr } = await ergodic("train", ...words, "--resume", checkpoint, "--model", "mlp");
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining("--model was given, but --resume continues the run with its original options"),
    ]);
  });

  it("stops early on held-out rows", async () => {
    const { stdout } = await works(
      ...["train", ...shaped, "--model", "mlp:32", "--rate", "0.01", "--epochs", "60", "--validate-share", "0.2"],
      ...["--patience", "2", "--json", "--quiet"],
    );
    const { run } = JSON.parse(stdout);
    expect(run.reason).toMatch(/no lower/);
    expect(run.epochs).toBeLessThan(60);
  });
});

describe("a file of layers", () => {
  it.each(["small.mjs", "layer.mjs", "function.mjs"])("trains the network of %s", async (name) => {
    const out = file("file.safetensors");
    await works("train", ...shaped, "--model", here(name), "--epochs", "3", "--rate", "0.01", "--quiet", "--out", out);
    const { stdout } = await works("evaluate", out, digits, "--json");
    expect(JSON.parse(stdout).metrics.accuracy).toBeGreaterThan(0.6);
  });

  it("can define kinds of layers, and must be named again to resume its run", async () => {
    const [checkpoint, whole, parts] = [file("own.checkpoint"), file("own.safetensors"), file("own-parts.safetensors")];
    const words = [...ofSome, "--model", here("own-kind.mjs"), "--quiet"];
    await works("train", ...words, "--epochs", "2", "--out", whole);
    await works("train", ...words, "--epochs", "1", "--checkpoint", checkpoint);
    await works("train", ...words, "--epochs", "2", "--resume", checkpoint, "--out", parts);
    expect((await works("predict", parts, some)).stdout).toBe((await works("predict", whole, some)).stdout);
    expect((await works("describe", whole)).stdout).toMatch(/layers +half → flatten → dense 8 → relu → dense 10\n/);
  });

  it("equals the example in the guide", () => {
    const code = readFileSync(here("small.mjs"), "utf8").replace(/^\/\*\*.*\n/m, "");
    const guide = readFileSync(new URL("../../../docs/command-line-guide.md", import.meta.url), "utf8").replaceAll(/^ {2}/gm, "");
    expect(guide).toContain(`\`\`\`js\n${code}\`\`\``);
  });

  it("can be written in TypeScript", async () => {
    const path = file("net.ts");
    writeFileSync(path, "export default { layers: 3 } satisfies object;");
    const { code, stderr } = await ergodic("train", ...shaped, "--model", path);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/the default export is object/)]);
  });
});

it.each(["predict", "evaluate", "describe"])("%s refuses a network with more work than --max-work", async (command) => {
  const words = command === "describe" ? [small] : [small, digits];
  const { code, stderr } = await ergodic(command, ...words, "--max-work", "20");
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(
      /multiply-adds per row, but --max-work is 20; if you trust the file, load it with a larger --max-work \[MODEL_WORK\]/,
    ),
  ]);
  await works(command, ...words, "--max-work", "Infinity");
  expect((await ergodic(command, ...words, "--max-work", "0")).code).toBe(2);
});

it.each(["predict", "evaluate", "describe", "export"])(
  "%s refuses a network with more memory than --max-memory",
  async (command) => {
    const words =
      command === "describe" ? [small] : command === "export" ? [small, "--out", file("limits.onnx")] : [small, digits];
    const { code, stderr } = await ergodic(command, ...words, "--max-memory", "1K");
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(
        /of memory besides its numbers, but --max-memory is 1 KiB; if you trust the file, load it with a larger --max-memory \[MODEL_MEMORY\]/,
      ),
    ]);
    await works(command, ...words, "--max-memory", "64M");
    for (const wrong of ["0", "-1", "1.5G", "lots"])
      expect((await ergodic(command, ...words, "--max-memory", wrong)).code).toBe(2);
  },
);

it.each([
  ["--max-work", "20", "--max-work is 20"],
  ["--max-memory", "1K", "--max-memory is 1 KiB"],
])("serve refuses a network beyond %s", async (flag, value, said) => {
  const { code, stderr } = await ergodic("serve", small, "--port", "0", flag, value);
  expect([code, stderr]).toEqual([1, expect.stringContaining(said)]);
});

describe("describe", () => {
  it("reports a network's layers, costs and training", async () => {
    const { stdout } = await works("describe", small);
    const lines = stdout.split("\n");
    const about = Object.fromEntries(
      lines.slice(1).map((line) => [line.trim().split(/\s{2,}/)[0], line.trim().split(/\s{2,}/)[1]]),
    );
    const multiplyAdds = 64 * 9 * 4 + 16 * 9 * 4 * 8 + 32 * 16 + 16 * 10;
    expect(about).toMatchObject({
      kind: "network, multiclass",
      row: "8 × 8 × 1",
      layers:
        "convolution 4 → batchNorm → relu → maxPool 2 → convolution 8 → batchNorm → relu → maxPool 2 → flatten → dense 16 → relu → dropout 0.25 → dense 10",
      parameters: "1,046",
      "multiply-adds": `${(multiplyAdds / 1000).toPrecision(3)} k per row`,
      rule: "adam rate 0.001",
    });
    const parsed = checked("describe", (await works("describe", small, "--json")).stdout) as unknown as {
      cost: { multiplyAdds: number };
      description: object;
    };
    expect(parsed.cost.multiplyAdds).toBe(multiplyAdds);
    expect(Object.keys(parsed.description)).not.toContain("program");
  });

  it("reports that a plain function is not stored in the file", async () => {
    const out = file("function.safetensors");
    await works("train", ...shaped, "--model", here("function.mjs"), ...quick, "--out", out);
    expect((await works("describe", out)).stdout).toMatch(/layers\s+a function, which is not stored in the file/);
    checked("describe", (await works("describe", out, "--json")).stdout);
  });
});

it("predicts the same as the library", async () => {
  const { stdout } = await works("predict", small, digits, "--json");
  const { predictions } = checked("predict", stdout) as unknown as { predictions: { value: string }[] };
  const data = await read(digits, { target: "label", classes: true, rowShape: [8, 8, 1] });
  const ours = (await predictor<NetworkPredictor>(small)).predict(data);
  expect(predictions.map(({ value }) => value)).toEqual(ours.map(({ value }) => value));
  const csv = (await works("predict", small, digits)).stdout.split("\n");
  expect(csv[0]).toMatch(/^prediction,p_0,.*,p_9$/);
  expect(csv).toHaveLength(1799);
});

it("tunes a network", async () => {
  const { stdout } = await works(
    ...["tune", ...shaped, "--model", "mlp:16", "--over", "rate:log:1e-4..1e-1,beta1:0.8..0.95", "--trials", "3"],
    ...["--epochs", "2", "--json", "--quiet", "--test-share", "0.2"],
  );
  const { train, test, best } = checked("tune", stdout) as unknown as {
    train: string;
    test: { accuracy: number };
    best: { settings: object };
  };
  expect(Object.keys(best.settings)).toEqual(["rate", "beta1"]);
  expect(train).toMatch(/--model mlp:16 .*--rule adam:beta1=0\.\d+/);
  expect(test.accuracy).toBeGreaterThan(0.3);
});

describe("errors", () => {
  const table = ["train", digits, "--target", "label", "--classes"];
  const image = ["train", ...shaped];
  it.each<[string, string[], RegExp]>([
    [
      "an unknown network",
      [...image, "--model", "resnet"],
      /--model: "resnet" is not known \(known: linear, trees, forest, extraTrees, tree, mlp, cnn, .*, or a file/,
    ],
    ["a near miss", [...image, "--model", "mobilenetv3:0.5"], /"mobilenetv3" is not known; did you mean mobilenet\?/],
    ["a width too many", [...image, "--model", "mobilenet:0.5,0.25"], /mobilenet takes one width, but 0\.5,0\.25 was given/],
    ["a word that is no option", [...image, "--model", "cnn:wide"], /"wide" of cnn is neither a number nor an option/],
    ["an unknown option", [...image, "--model", "cnn:depth=3"], /cnn: .*depth/],
    ["a value out of range", [...image, "--model", "mobilenetv2:-1"], /mobileNetV2: width is -1, but must be a number > 0/],
    ["a width of 0 of MobileNet", [...image, "--model", "mobilenet:0"], /mobileNetV1: width is 0/],
    ["a width of 0 of ShuffleNet", [...image, "--model", "shufflenet:0"], /shuffleNetV2: width is 0/],
    ["odd groups of ShuffleNet V1", [...image, "--model", "shufflenetv1:0.1,groups=-1"], /shuffleNetV1: groups is -1/],
    ["no image", [...table, "--model", "cnn"], /--model: cnn takes images, but a row is 64; .*--row-shape 8x8x1/],
    ["no image to shift", [...table, "--model", "mlp", "--augment", "shift"], /--augment: changes images, but a row is 64/],
    [
      "a linear model on changed rows",
      [...image, "--augment", "flip"],
      /--augment: it applies only to networks, but the model is linear/,
    ],
    [
      "an unknown change",
      [...image, "--model", "cnn", "--augment", "turn"],
      /"turn" is not known \(known: shift, flip, cutout, noise\)/,
    ],
    ["a change with options", [...image, "--model", "cnn", "--augment", "shift:far=1"], /"shift:far=1" cannot be read/],
    [
      "features before a network",
      [...image, "--model", "mlp", "--features", "rff:10"],
      /--features: applies only to linear models/,
    ],
    ["hashed columns", [...table, "--model", "mlp", "--hash", "6"], /leave out hashing, or use --model linear/],
    ["no intercept", [...image, "--model", "mlp", "--no-intercept"], /--no-intercept: applies only to linear models/],
    [
      "a penalty below 0",
      [...image, "--model", "mlp", "--l2", "-1"],
      /--l2 <strength>' argument '-1' is invalid\. It must be a number >= 0/,
    ],
    ["coordinate descent", [...image, "--model", "mlp", "--algorithm", "coordinate"], /network/],
    ["a file that is not there", [...image, "--model", "none.mjs"], /none\.mjs: cannot be read: no such file \[FILE_READ\]/],
    [
      "a file that fails",
      [...image, "--model", here("fails.mjs")],
      /fails\.mjs:\d+:\d+: fails: not today; fix it \[MODEL_FILE\]/,
    ],
    [
      "a file whose function fails",
      [...image, "--model", here("fails-later.mjs")],
      /fails-later\.mjs:\d+:\d+: fails: not today either; fix it \[MODEL_FILE\]/,
    ],
    [
      "a file of something else",
      [...image, "--model", here("object.mjs")],
      /object\.mjs: the default export is object, but must be/,
    ],
    ["other outputs than classes", [...image, "--model", here("layer.mjs"), "--loss", "squared", "--no-classes"], /dense\(1\)/],
  ])("%s", async (_, words, message) => {
    const { code, stderr } = await ergodic(...words, "--quiet", "--epochs", "1");
    expect([code > 0, stderr]).toEqual([true, expect.stringMatching(message)]);
    expect(stderr).not.toContain("internal");
  });
});
