/**
 * `ergodic example`: lists the examples. `ergodic example NAME` runs one. The build writes them into the package as
 * JavaScript (scripts/examples.mjs).
 */
import type { Command } from "commander";
import { UsageError } from "../errors.ts";
import { pairs } from "../report/text-table.ts";
import type { Terminal } from "../terminal.ts";

/** Programs, each with the fact that it shows. */
export const programs: Readonly<Record<string, string>> = {
  "step-rules": "step rules side by side on three small problems",
  "adagrad-stalls": "AdaGrad crawls where RMSProp, which forgets, continues",
  "adam-is-both": "Adam is momentum and RMSProp together",
  "two-adagrads": "the textbook's AdaGrad, and the sum that suffices for it",
  "line-search-fails": "why a line search fails for stochastic gradients",
  "digits-network": "a convolutional network that reads handwritten digits",
  "explaining-away": "evidence for one cause makes another cause less likely",
  "conflicting-tables": "two tables disagree; weighted rules decide",
  hypernyms: "learns which word of a gloss says what a noun is",
};

/** Statistical models, each with its question. `ergodic sample` also accepts their sources. */
export const models: Readonly<Record<string, string>> = {
  "coin-bias": "chance of heads of a coin after 20 flips",
  "ab-test": "probability that the second of two pages sells more",
  "eight-schools": "effect of coaching in eight schools",
  "logistic-regression": "effect of age and treatment on the odds of recovery",
  hierarchical: "growth of children with varying starts and speeds",
  "robust-regression": "a line through points with gross errors",
  horseshoe: "the few of 25 possible causes that matter",
  "item-response": "ability of pupils and difficulty of questions",
  survival: "lifetime of machines, of which many still run",
  mixture: "three kinds of stars, and the kind of each star",
  "change-point": "year in which mining accidents became rarer",
  "hidden-markov": "hours in which an animal rested or roamed",
  "state-space": "change of the Nile's flow over a hundred years",
  "differential-equation": "spread of influenza in a boarding school",
  "gaussian-process": "a smooth curve behind noisy points",
};

const folder = new URL("../../dist/examples/", import.meta.url);

export function add(program: Command, terminal: Terminal): void {
  program
    .command("example")
    .description("list the examples, or run one of them")
    .argument("[NAME]", "an example from the list")
    .action((name: string | undefined) => (name === undefined ? list(terminal) : run(name, terminal)));
}

function list({ out, paint }: Terminal): void {
  out(`${paint.out.bold("programs")}\n${pairs(Object.entries(programs))}`);
  out(`\n${paint.out.bold("statistical models")}\n${pairs(Object.entries(models))}`);
  out(`\n${paint.out.dim("run one with: ergodic example NAME")}\n`);
}

async function run(name: string, terminal: Terminal): Promise<void> {
  const isModel = Object.hasOwn(models, name);
  if (!isModel && !Object.hasOwn(programs, name))
    throw new UsageError("example", `"${name}" is not known (known: ${[programs, models].flatMap(Object.keys).join(", ")})`);
  const { href } = new URL(`${isModel ? "models/" : ""}${name}.js`, folder);
  const { main } = (await import(/* @vite-ignore */ href)) as { main(print: (line: string) => void): unknown };
  await main((line) => terminal.out(`${line}\n`));
}
