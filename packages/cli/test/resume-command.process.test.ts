/**
 * The command that Ctrl-C prints works as printed. For every command that can be interrupted, each option survives,
 * including words that a shell would split, unless the checkpoint contains the option.
 */
import { execFileSync } from "node:child_process";
import type { Command, Option } from "commander";
import { describe, expect, it } from "vitest";
import { commandLine, commandModules } from "../src/command-line.ts";
import { resumeCommand } from "../src/keeping.ts";
import { captured } from "./captured.ts";

const modules = commandModules();

/** Candidate values, of which an option uses the first that it accepts. Odd text comes first. */
const candidates = [
  'it\'s $HOME, "a b"; `c`',
  "-1",
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
  const words = execFileSync("sh", ["-c", script], { encoding: "utf8" }).split("\0").slice(0, -1);
  const found: string[][] = [[]];
  for (const word of words) {
    if (word === "\n") found.push([]);
    else found.at(-1)!.push(word);
  }
  return found.slice(0, -1);
};

/** An option with the first candidate that it accepts. */
function wordsFor(name: string, operands: readonly string[], option: Option): string[] {
  const { long, required, optional } = option;
  if (!required && !optional) return [long!];
  for (const value of candidates) {
    try {
      readBy([name, ...operands, long!, value]);
      return [long!, value];
    } catch (error) {
      // The next candidate might have the right kind.
      if (value === candidates.at(-1)) throw error;
    }
  }
  throw new Error("there are candidates");
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

  it("repeats each option twice and all options together", () => {
    const all = options
      .filter(({ long }) => long !== "--help")
      .map((option) => wordsFor(name, [...operands, ...mandatory], option));
    const optional = options.filter((option) => !option.mandatory).map((option) => option.attributeName());
    const lines = expectAgain([
      ...all.map((words) => ({ words: [...words, ...mandatory, ...words, ...operands] })),
      { words: [...operands, ...mandatory, ...all.flat()] },
      { words: [...operands, ...mandatory, ...all.flat()], fixed: optional.slice(0, 3) },
    ]);
    for (const line of lines) expect(line).not.toContain("[object");
  });

  it("repeats a file whose name begins with a dash", () => {
    expectAgain([{ words: [...mandatory, "--", ...operands.map((path) => `-${path}`)] }]);
  });
});

it("keeps the last of repeated options last", () => {
  const command = readBy(["train", "d.csv", "--no-standardise", "--standardise", "--seed", "1", "--seed=2", "--resume", "old"]);
  const line = resumeCommand("c", { command, fixed: ["standardise"], terminal: captured() });
  expect(line).toBe("ergodic train d.csv --seed 1 --seed 2 --resume c");
});
