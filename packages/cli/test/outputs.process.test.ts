/**
 * Outputs are checked before a command works and are never an input. If they cannot be written at the end, they are
 * saved elsewhere.
 */
import { execFileSync } from "node:child_process";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { loadDraws, predictor } from "ergodic";
import { beforeAll, describe, expect, it } from "vitest";
import { isSlow } from "../../ergodic/test/power.ts";
import { runCommandLine } from "../src/command-line.ts";
import { type Captured, captured, ergodic, temporary, works } from "./captured.ts";

const file = temporary();
const folder = dirname(file("x"));
const [data, more, stars, model, net] = ["d.csv", "more.csv", "stars.csv", "m.safetensors", "net.mjs"].map(file);
const schools = fileURLToPath(new URL("models/schools.mjs", import.meta.url));

const rows = Array.from({ length: 60 }, (_, i) => `${i % 7},${i % 5},${(i % 7) * 2 + (i % 5) + 0.5}`);
beforeAll(async () => {
  for (const path of [data, more]) writeFileSync(path, `a,b,y\n${rows.join("\n")}\n`);
  writeFileSync(stars, `who,film,stars\n${rows.map((_, i) => `u${i % 9},f${i % 11}.${i},${i % 5}`).join("\n")}\n`);
  writeFileSync(net, 'export default { kind: "nothing", apply: (x) => x };\n');
  await works("train", data, "--target", "y", "--epochs", "1", "--out", model, "--quiet");
  symlinkSync("d.csv", file("link.csv"));
  linkSync(data, file("hard.csv"));
});

const y = ["--target", "y", "--quiet"];
const train = ["train", data, ...y];
const tuned = ["tune", stars, "--user", "who", "--item", "film", "--over", "l2:0.1..1", "--quiet"];
const recommend = ["recommend", stars, "--user", "who", "--item", "film", "--quiet"];

describe("outputs that are also inputs, which are refused with all files unchanged", () => {
  const own = file("own.mjs");
  writeFileSync(own, readFileSync(schools));
  const [given, graph, picture] = ["given.json", "g.uai", "seen/a/1.png"].map(file);
  writeFileSync(given, JSON.stringify({ y: [1, 2], sigma: [1, 1] }));
  mkdirSync(file("out"));
  writeFileSync(file("out/draws.json"), readFileSync(given));
  mkdirSync(file("seen/a"), { recursive: true });
  for (const path of [graph, picture, file("x.npy"), file("y.npy")]) writeFileSync(path, "as it was");
  symlinkSync(picture, file("to.png"));
  symlinkSync(file("seen/a"), file("same"));
  const kept = [graph, picture, given, file("y.npy")];
  const layered = file("top.mjs");
  writeFileSync(layered, 'import { a } from "./middle.mjs";\nexport default a;\n');
  writeFileSync(file("middle.mjs"), "export { a } from './deep.mjs';\nimport './top.mjs';\n");
  writeFileSync(file("deep.mjs"), 'export const a = { kind: "nothing", apply: (x) => x };\n');
  kept.push(layered, file("middle.mjs"), file("deep.mjs"));
  beforeAll(async () => {
    const few = ["--draws", "50", "--warmup", "100", "--chains", "2", "--quiet"];
    await works("sample", schools, ...few, "--out", file("drawn"));
    // The draws then seem to come from the copy.
    await works("sample", schools, ...few, "--format", "json", "--out", file("noted"));
    const index = JSON.parse(readFileSync(file("noted/draws.json"), "utf8"));
    index.description.files.model = "../own.mjs";
    writeFileSync(file("noted/draws.json"), JSON.stringify(index));
    kept.push(...["chain_2.csv", "draws.json"].map((name) => file(`drawn/${name}`)));
  });
  it.each<[string, string[], RegExp]>([
    [
      "train",
      [...train, "--out", data],
      /^ergodic: train: --out \S+d\.csv is DATA, which it would overwrite; give --out another name \[USAGE\]/,
    ],
    ["a link to it", [...train, "--out", file("link.csv")], /--out \S+link\.csv is DATA \S+d\.csv, /],
    ["another name of it", [...train, "--checkpoint", file("hard.csv")], /--checkpoint \S+hard\.csv is DATA/],
    ["rows of the test", [...train, "--test", more, "--out", more], /is --test/],
    ["rows to validate with", [...train, "--validate", more, "--out", more], /is --validate/],
    ["layers", [...train, "--model", net, "--out", net], /is --model/],
    ["a checkpoint, as the model", [...train, "--resume", model, "--out", model], /is --resume/],
    [
      "the model and the checkpoint, spelt in two ways",
      [...train, "--out", file("one"), "--checkpoint", file("one").replace(/one$/, "./one")],
      /--out and --checkpoint are the same file/,
    ],
    [
      "the model and the checkpoint",
      [...train, "--out", file("one"), "--checkpoint", file("one")],
      /--out and --checkpoint are the same file/,
    ],
    ["tune", ["tune", data, ...y, "--over", "l2:0..1", "--out", data], /tune: --out \S+ is DATA/],
    ["path", ["path", data, ...y, "--out", data], /path: --out \S+ is DATA/],
    ["recommend", [...recommend, "--out", stars], /recommend: --out \S+ is DATA/],
    ["predict, rows", ["predict", model, data, "--out", data], /predict: --out \S+ is DATA/],
    ["predict, the model", ["predict", model, data, "--out", model], /predict: --out \S+ is MODEL/],
    ["sample, its data", ["sample", own, "--data", file("out/draws.json"), "--out", file("out")], /sample: --out \S+ is --data/],
    ["sample, its model", ["sample", own, "--checkpoint", own], /sample: --checkpoint \S+ is MODEL/],
    ["approximate", ["approximate", own, "--checkpoint", own], /approximate: --checkpoint \S+ is MODEL/],
    [
      "what the model's file imports, by way of another",
      ["sample", layered, "--checkpoint", file("deep.mjs")],
      /sample: --checkpoint \S+deep\.mjs is a file that MODEL \S+middle\.mjs imports, which it would overwrite/,
    ],
    [
      "what layers import",
      ["train", data, ...y, "--model", layered, "--out", file("middle.mjs")],
      /--out \S+middle\.mjs is a file that --model \S+top\.mjs imports/,
    ],
    ["what a model begins at", [...train, "--from", model, "--out", model], /train: --out \S+ is --from/],
    ["infer", ["infer", graph, "--out", graph], /infer: --out \S+ is GRAPH/],
    ["infer, what is observed", ["infer", graph, "--evidence", more, "--out", more], /infer: --out \S+ is --evidence/],
    ["learn", ["learn", graph, "--out", graph], /learn: --out \S+ is GRAPH/],
    ["tune, of ratings", [...tuned, "--out", stars], /tune: --out \S+ is DATA/],
    ["labels by their name", ["train", file("x.npy"), "--out", file("y.npy")], /--out \S+ is the labels/],
    ["one of a folder of images", ["train", file("seen"), "--out", picture], /--out \S+1\.png is a file in DATA \S+seen, which/],
    ["a link to one", ["predict", model, file("seen"), "--out", file("to.png")], /--out \S+ is a file in DATA/],
    [
      "new among the pictures of a class, by another name of the folder",
      ["predict", model, file("seen"), "--out", file("same/new.csv")],
      /^ergodic: predict: --out \S+same\/new\.csv would be among the pictures in DATA \S+seen, where all files are read; give --out another folder \[USAGE\]/,
    ],
    ["a model there", ["train", file("seen"), "--out", file("seen/a/m.safetensors")], /would be among the pictures in DATA/],
    [
      "one of a folder of draws",
      ["predict", file("drawn"), more, "--out", file("drawn/chain_2.csv")],
      /is a file in MODEL \S+drawn/,
    ],
    ["their index", ["predict", file("drawn"), more, "--out", file("drawn/draws.json")], /is a file in MODEL \S+drawn/],
    ["the model that draws note", ["predict", file("noted"), more, "--out", own], /predict: --out \S+ is --model/],
    [
      "the data that draws were drawn given",
      ["predict", file("drawn"), more, "--model", schools, "--data", given, "--out", given],
      /predict: --out \S+ is --data/,
    ],
  ])("%s", async (_, words, message) => {
    const before = readdirSync(folder, { recursive: true }).sort();
    const read = () => [data, more, stars, model, net, own, ...kept].map((path) => readFileSync(path, "hex"));
    const contents = read();
    const { code, stdout, stderr } = await ergodic(...words);
    expect([code, stdout, stderr]).toEqual([2, "", expect.stringMatching(message)]);
    expect(read()).toEqual(contents);
    expect(readdirSync(folder, { recursive: true }).sort()).toEqual(before);
  });

  it("refuses a FIFO without opening it", async () => {
    execFileSync("mkfifo", [file("both")]);
    const { code, stderr } = await ergodic("predict", model, file("both"), "--out", file("both"));
    expect([code, stderr]).toEqual([2, expect.stringMatching(/--out \S+both is DATA/)]);
    // A device can be read and written at the same time.
    expect((await ergodic("predict", model, "/dev/null", "--out", "/dev/null")).stderr).not.toMatch(/is DATA/);
    rmSync(file("both"));
  });

  it("allows files in an input folder that the command does not read", async () => {
    const place = file("seen/m.safetensors");
    for (let twice = 0; twice < 2; twice++) await works(...train, "--epochs", "1", "--out", place);
    const near = file("seenmore.png");
    writeFileSync(near, "");
    mkdirSync(file("seen/notes"));
    writeFileSync(file("seen/notes/a.txt"), "");
    mkdirSync(file("seenmore"));
    writeFileSync(file("seenmore/1.png"), "");
    for (const out of [place, near, file("seen/new.png"), file("seen/notes/new.csv"), file("seenmore/new.csv")])
      expect((await ergodic("predict", "absent", file("seen"), "--out", out)).stderr).toMatch(/^ergodic: absent: /);
  });

  it("allows a checkpoint to replace the checkpoint being resumed", async () => {
    const kept = file("kept");
    await works(...train, "--epochs", "1", "--checkpoint", kept);
    await works(...train, "--epochs", "2", "--resume", kept, "--checkpoint", kept, "--out", file("two"));
    expect(existsSync(file("two"))).toBe(true);
  });
});

describe("outputs that cannot be written, which are refused before the run", () => {
  const [no, below] = [file("no/where"), file("d.csv/below")];
  // The inputs do not exist, so reading them would be another error.
  const absent = ["absent.csv", ...y];
  it.each<[string, string[]]>([
    ["train", ["train", ...absent, "--out", no]],
    ["train, its checkpoint", ["train", ...absent, "--checkpoint", no]],
    ["train, a folder", ["train", ...absent, "--out", folder]],
    ["tune", ["tune", ...absent, "--over", "l2:0..1", "--out", no]],
    ["path", ["path", ...absent, "--out", no]],
    ["recommend", ["recommend", "absent.csv", "--user", "a", "--item", "b", "--out", no]],
    ["predict", ["predict", "absent", "absent.csv", "--out", no]],
    ["sample, a folder in a file", ["sample", "absent.mjs", "--out", below]],
    ["sample, a file", ["sample", "absent.mjs", "--out", file("d.csv")]],
    ["sample, its checkpoint", ["sample", "absent.mjs", "--checkpoint", no]],
    ["approximate", ["approximate", "absent.mjs", "--out", below]],
    ["demo", ["demo", "--out", no]],
    ["infer", ["infer", "absent.uai", "--out", no]],
    ["learn", ["learn", "absent.json", "--out", no]],
    ["learn, its checkpoint", ["learn", "absent.json", "--checkpoint", no]],
    ["calibrate", ["calibrate", "absent", "absent.csv", "--alpha", "0.1", "--out", no]],
    ["export", ["export", "absent", "--out", no]],
    ["measure", ["measure", "absent", "absent.csv", "--html", no]],
    ["summary, a folder in a file", ["summary", "absent", "--plots", below]],
  ])("%s", async (_, words) => {
    const before = readdirSync(folder).sort();
    const { code, stdout, stderr } = await ergodic(...words);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(
      /^ergodic: \S+: cannot be written: (the folder \S+no does not exist; make it first, or give another path|a part of the path is not a folder|it is a folder) \[FILE_WRITE\]\n$/,
    );
    expect(readdirSync(folder).sort()).toEqual(before);
  });
});

/** Runs the command, removes the folder at the first line of progress and calls `removed`. */
async function withoutFolder(place: string, words: string[], removed?: (terminal: Captured) => void): Promise<Captured> {
  mkdirSync(place);
  const terminal = captured({ live: true });
  terminal.onLine = (line) => {
    if (!terminal.rewritten.includes(line)) return;
    terminal.onLine = undefined;
    rmSync(place, { recursive: true });
    removed?.(terminal);
  };
  expect(await runCommandLine(words, terminal)).toBe(1);
  return terminal;
}

const places = ({ stderr }: Captured): string[] =>
  [
    ...stderr.matchAll(
      /the folder \S+ does not exist; the result is kept in (\S+); move it to its intended place \[FILE_WRITE\]/g,
    ),
  ].map(([, path]) => path);

describe("results whose output folder disappears during the run", () => {
  const words = ["train", data, "--target", "y", "--seconds", "0.4"];
  it("saves a model and a checkpoint elsewhere and reports both places", async () => {
    const gone = file("gone");
    const more = ["--out", `${gone}/m.safetensors`, "--checkpoint", `${gone}/c`];
    const terminal = await withoutFolder(gone, [...words, ...more]);
    const [first, second] = places(terminal);
    expect([first.startsWith(tmpdir()), terminal.stdout]).toEqual([true, ""]);
    expect((await predictor(first)).evaluate).toBeTypeOf("function");
    await works(...words, "--resume", second, "--quiet");
    for (const path of [first, second]) rmSync(dirname(path), { recursive: true });
  });

  it("saves the checkpoint of an interrupted run elsewhere", async () => {
    const gone = file("gone");
    const long = ["train", data, "--target", "y", "--seconds", "60", "--checkpoint", `${gone}/c`];
    const terminal = await withoutFolder(gone, long, ({ interrupt }) => interrupt());
    const [kept] = places(terminal);
    await works(...words, "--resume", kept, "--quiet");
    rmSync(dirname(kept), { recursive: true });
  });

  // JSON is one file, as Arrow is. CSV is several files.
  it.each(isSlow ? ["csv", "json", "arrow"] : ["csv", "arrow"])("saves draws elsewhere as %s", async (format) => {
    const gone = file("gone");
    const long = ["sample", schools, "--chains", "2", "--draws", "8000", "--format", format, "--out", `${gone}/a/draws`];
    // A file blocks the path of the folder.
    const terminal = await withoutFolder(gone, long, () => writeFileSync(gone, ""));
    rmSync(gone);
    const [, kept] = /the result is kept in (\S+); move it/.exec(terminal.stderr)!;
    if (format === "arrow") expect((await works("summary", kept)).stdout).toMatch(/^mu /m);
    else expect((await loadDraws(kept)).count).toBe(8000);
    rmSync(dirname(kept), { recursive: true });
  });

  it("saves a model although its checkpoint cannot be saved", async () => {
    const [gone, out] = [file("gone"), file("saved.safetensors")];
    const terminal = await withoutFolder(gone, [...words, "--out", out, "--checkpoint", `${gone}/c`]);
    expect(places(terminal)).toHaveLength(1);
    expect((await predictor(out)).evaluate).toBeTypeOf("function");
    rmSync(dirname(places(terminal)[0]), { recursive: true });
  });
});

it("writes into a FIFO and through a link, and preserves both", async () => {
  const [fifo, link] = [file("fifo"), file("link")];
  execFileSync("mkfifo", [fifo]);
  symlinkSync("linked.csv", link);
  await works("predict", model, data, "--out", link);
  const reading = import("node:fs/promises").then(({ readFile }) => readFile(fifo, "utf8"));
  await works("predict", model, data, "--out", fifo);
  expect(await reading).toBe(readFileSync(file("linked.csv"), "utf8"));
  expect(readFileSync(link, "utf8")).toMatch(/^prediction\n/);
  renameSync(fifo, file("still a fifo"));
});

describe("invalid options, which are refused before the data are read", () => {
  const absent = ["absent.csv", "--target", "y"];
  const sample = ["sample", "absent.mjs"];
  const ratings = ["recommend", "absent.csv", "--user", "a", "--item", "b"];
  it.each<[string[], RegExp]>([
    ...(
      [
        [["--seed", "-1"], /whole number >= 0/],
        [["--seed", "1.5"], /whole number >= 0/],
        [["--batch", "0"], /whole number >= 1/],
        [["--epochs", "-1"], /number > 0/],
        [["--updates", "0"], /number > 0/],
        [["--seconds", "0"], /number > 0/],
        [["--tolerance", "-1"], /number >= 0/],
        [["--workers", "0"], /whole number >= 1 and <= 1024/],
        [["--replicas", "0"], /whole number >= 1/],
        [["--average-every", "0"], /number > 0/],
        [["--hash", "31"], /whole number >= 1 and <= 30/],
        [["--channels", "2"], /must be 1 or 3/],
        [["--l1", "-1"], /number >= 0/],
        [["--impute", "zero"], /must be mean, median, mode or level/],
        [["--patience", "2"], /patience needs validate/],
        [["--validate-every", "2"], /validateEvery needs validate/],
        [["--schedule", "sorted"], /schedule is "sorted", but must be one of/],
        [["--precision", "f16"], /precision is "f16"/],
        [["--rows", "some"], /data is "some"/],
        [["--average-every", "2"], /there is one replica/],
        [["--batch", "all", "--replicas", "2"], /leave nothing to average/],
        [["--test", "a", "--test-share", "0.2"], /both --test and --test-share/],
        [["--checkpoint-every", "-1"], /number >= 0/],
      ] as [string[], RegExp][]
    ).map(([words, message]): [string[], RegExp] => [["train", ...absent, ...words], message]),
    [["tune", ...absent, "--over", "l2:0..1", "--schedule", "sorted"], /schedule is "sorted"/],
    [["tune", ...absent, "--over", "l2:0..1", "--concurrency", "0"], /whole number >= 1/],
    [["tune", ...absent, "--over", "l2:0..1", "--halving", "1"], /number >= 2/],
    [["path", ...absent, "--folds", "1"], /whole number >= 2/],
    [["path", ...absent, "--lambdas", "1,0"], /number > 0/],
    [["path", ...absent, "--lambdas", "0"], /whole number >= 1/],
    [["path", ...absent, "--ratio", "2"], /number > 0 and <= 1/],
    [[...ratings, "--rank", "0"], /whole number >= 1 and <= 4096/],
    [[...ratings, "--duplicates", "mean"], /must be refuse, sum or last/],
    [[...ratings, "--epochs", "0"], /number > 0/],
    [[...sample, "--draws", "-1"], /whole number >= 0/],
    [[...sample, "--seed", "-1"], /whole number >= 0/],
    [["sample", schools, "--data", "absent.json", "--algorithm", "nut"], /"nut" is not known/],
  ])("%j", async (words, message) => {
    const { code, stderr } = await ergodic(...words);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });
});

describe("model files that fail, which are reported with their line", () => {
  const here = (name: string): string => fileURLToPath(new URL(`models/${name}`, import.meta.url));
  it.each([
    ["throws.mjs", /throws\.mjs:5:\d+: fails: Cannot read properties of null \(reading 'boom'\); fix it \[MODEL_FILE\]/],
    ["throws.ts", /throws\.ts:9:\d+: fails: Cannot read properties of null \(reading 'boom'\); fix it \[MODEL_FILE\]/],
  ])("%s", async (name, message) => {
    const { code, stderr } = await ergodic("sample", here(name));
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
    const { stderr: again } = await ergodic("approximate", here(name));
    expect(again).toMatch(message);
  });

  it("reports an error in a network's own function when it is traced", async () => {
    const path = file("later.mjs");
    writeFileSync(path, "export default (x, scope) => {\n  return scope.nothing.here;\n};\n");
    const { code, stderr } = await ergodic(...train, "--model", path);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/later\.mjs:2:\d+: fails: Cannot read properties of undefined .*; fix it \[MODEL_FILE\]/),
    ]);
  });
});
