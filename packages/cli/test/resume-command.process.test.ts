/**
 * The commands that Ctrl-C and tune print work as printed. For every command that can be interrupted, and for training
 * with the best settings, each option survives, including words that a shell would split, unless the checkpoint contains
 * the option.
 */
import { execFileSync } from "node:child_process";
import type { Command, Option } from "commander";
import { describe, expect, it } from "vitest";
import { commandLine, commandModules } from "../src/command-line.ts";
import { ofRatings, ofRows } from "../src/commands/tune-ratings.ts";
import { resumeCommand } from "../src/keeping.ts";
import { ofSearch, type TuneCommandOptions, trainCommand } from "../src/tuning.ts";
import { captured, ergodic } from "./captured.ts";

const modules = commandModules();

/** Candidate values. Each option is tested with all that it accepts. Odd text comes first. */
const candidates = [
  'it\'s $HOME, "a b"; `c`',
  "",
  "-1",
  "--seed",
  "a=b=c d",
  '{"a": [1, -2.5e-3, "b c"], "d": null}',
  "two\nlines\\",
  "*.csv",
  "~/größe",
  "0.5",
  "3",
  "a=number",
  "median,Cabin=level",
  "refuse",
  "own",
  "kept",
  "marginals",
];

const readBy = (words: readonly string[]): Command => {
  // Only this command is built, as in the program.
  const program = commandLine(captured(), commandModules(words[0]));
  const command = program.commands.find((one) => one.name() === words[0])!;
  command.action(() => {});
  program.parse(words, { from: "user" });
  return command;
};
/** Words of each line, as a shell splits them. One shell reads all lines. */
const inShell = (lines: readonly string[]): string[][] => {
  const script = lines.map((line) => `printf '%s\\0' ${line}; printf '\\n\\0'`).join("\n");
  const words = execFileSync("sh", { input: script, encoding: "utf8" }).split("\0").slice(0, -1);
  const found: string[][] = [[]];
  for (const word of words) {
    if (word === "\n") found.push([]);
    else found.at(-1)!.push(word);
  }
  return found.slice(0, -1);
};

/** An option with each candidate that it accepts, and in each form in which a user can type it. */
function formsOf(name: string, operands: readonly string[], { long, short, required, optional }: Option): string[][] {
  const bare = [long!, ...(short ? [short] : [])].map((flag) => [flag]);
  if (!required && !optional) return bare;
  // The form with "=" matters for text that a shell or the parser could split.
  const joined = candidates.slice(0, 5).map((value) => [`${long}=${value}`]);
  const forms = [...candidates.map((value) => [long!, value]), ...joined];
  const accepted = forms.filter((words) => {
    try {
      readBy([name, ...operands, ...words]);
      return true;
    } catch {
      // The next candidate might have the right kind.
      return false;
    }
  });
  expect(accepted, `values for ${long}`).not.toEqual([]);
  return optional ? [...bare, ...accepted] : accepted;
}

const kept = commandLine(captured(), modules).commands.filter(({ options }) => options.some(({ long }) => long === "--resume"));

it("covers every command that trains, samples or infers", () => {
  expect(kept.map((command) => command.name()).sort()).toEqual(
    ["approximate", "infer", "learn", "path", "recommend", "sample", "train", "tune"].sort(),
  );
});

describe.each(kept.map((command) => [command.name(), command] as const))("%s", (name, { options, registeredArguments }) => {
  const operands = registeredArguments.filter(({ required }) => required).map((_, i) => `a b ${i}.csv`);
  const mandatory = options.filter((option) => option.mandatory).flatMap(({ long }) => [long!, "a column"]);
  const expectAgain = (cases: readonly { words: readonly string[]; fixed?: readonly string[] }[]): string[] => {
    const commands = cases.map(({ words }) => readBy([name, ...words]));
    const lines = cases.map(({ fixed = [] }, i) =>
      resumeCommand("the run's.checkpoint", { command: commands[i], fixed, terminal: captured() }),
    );
    // Options that the checkpoint stores have their defaults here.
    const defaults = readBy([name, ...operands, ...mandatory]).opts();
    const split = inShell(lines);
    expect(split).toHaveLength(cases.length);
    for (const [i, [program, ...again]] of split.entries()) {
      const read = readBy(again);
      const brought = (cases[i].fixed ?? []).map((option) => [option, defaults[option]]);
      expect(program).toBe("ergodic");
      expect(read.opts()).toEqual({ ...commands[i].opts(), ...Object.fromEntries(brought), resume: "the run's.checkpoint" });
      expect(read.args).toEqual(commands[i].args);
    }
    return lines;
  };

  it("repeats each option with each of its values, alone, twice and with all others", () => {
    const all = options
      .filter(({ long }) => long !== "--help")
      .map((option) => formsOf(name, [...operands, ...mandatory], option));
    const first = all.flatMap(([words]) => words);
    const optional = options.filter((option) => !option.mandatory).map((option) => option.attributeName());
    const lines = expectAgain([
      ...all.flat().map((words) => ({ words: [...operands, ...mandatory, ...words] })),
      ...all.flatMap((forms) =>
        forms.map((words, i) => ({
          words: [...words, ...mandatory, ...forms.at(i - 1)!, "--", ...operands],
        })),
      ),
      { words: [...operands, ...mandatory, ...first] },
      { words: [...operands, ...mandatory, ...first], fixed: optional.slice(0, 3) },
    ]);
    for (const line of lines) expect(line).not.toContain("[object");
  });

  it("repeats every operand, required or not, whatever its name", () => {
    const names = ["", "-", "-a b.csv", "--seed", "it's.csv"];
    expectAgain([
      { words: [...mandatory, ...operands] },
      ...names.map((path) => ({ words: [...mandatory, "--", ...registeredArguments.map(() => path)] })),
    ]);
  });
});

it("keeps the last of repeated options last", () => {
  const command = readBy(["train", "d.csv", "--no-standardise", "--standardise", "--seed", "1", "--seed=2", "--resume", "old"]);
  const line = resumeCommand("c", { command, fixed: ["standardise"], terminal: captured() });
  expect(line).toBe("ergodic train d.csv --seed 1 --seed 2 --resume c");
});

describe.each([
  { verb: "train", refused: ofRatings, asked: [] },
  { verb: "recommend", refused: ofRows, asked: ["--user", "who", "--item", "film"] },
])("the command that tune prints: $verb", ({ verb, refused, asked }) => {
  const { options } = commandLine(captured(), commandModules("tune")).commands.find((one) => one.name() === "tune")!;
  const operand = "a b.csv";
  const printed = (words: readonly string[]): string => {
    const command = readBy(["tune", ...words]);
    return trainCommand(command.opts(), command, command.opts(), verb);
  };
  const ofTraining = options.filter(({ long }) => !["--help", "--user", "--item"].includes(long!));
  const kept = ofTraining.filter((option) => !refused.includes(option.attributeName()));
  const forms = kept.map((option) => formsOf("tune", [operand, ...asked], option));

  it("repeats each option of the training with each of its values, and those of the search not at all", () => {
    const cases = [...forms.flat(), forms.flatMap(([words]) => words)].map((words) => [operand, ...asked, ...words]);
    const lines = inShell(cases.map(printed));
    const defaults = readBy([verb, operand, ...asked]).opts();
    for (const [i, [program, name, ...words]] of lines.entries()) {
      const [typed, read] = [readBy(["tune", ...cases[i]]).opts(), readBy([name, ...words])];
      expect([program, name, read.args]).toEqual(["ergodic", verb, [operand]]);
      for (const option of kept) {
        const key = option.attributeName();
        const wanted = ofSearch.includes(key) ? defaults[key] : typed[key];
        expect(read.opts()[key], `${option.long} of ${cases[i].join(" ")}`).toEqual(wanted);
      }
    }
  });

  it("refuses the other options", async () => {
    const needed = verb === "train" ? ["--target", "y"] : asked;
    for (const option of ofTraining.filter((one) => refused.includes(one.attributeName()))) {
      const [words] = formsOf("tune", [operand], option);
      const { code, stderr } = await ergodic("tune", operand, ...needed, "--over", "l2:0..1", ...words);
      expect(stderr).toMatch(new RegExp(`${option.long!}: applies only to (ratings|rows)`));
      expect(code).toBe(2);
    }
  });
});

it("prints the settings of the search in place of what was typed", () => {
  const command = readBy(["tune", "d.csv", "--impute", "median,fuel=level", "--epochs", "9", "--patience", "2"]);
  const options = command.opts<TuneCommandOptions>();
  const chosen = { ...options, patience: undefined, epochs: 3, rate: "0.1" };
  const words = "ergodic train d.csv --impute median,fuel=level --rate 0.1 --epochs 3";
  expect(trainCommand(chosen, command, options)).toBe(words);
});
