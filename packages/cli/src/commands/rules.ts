/**
 * `ergodic rules`: the cost ledger. For each step rule, it lists the storage and computation beyond plain SGD, derived
 * from the rule's equation. It also lists the time per update and parameter, measured on this machine.
 *
 * The time is measured with 10 million parameters, where memory traffic dominates, as when training a large model. With
 * --quick, the time is measured with 100,000 parameters, which fit into the processor's cache. `ergodic rules NAME`
 * measures nothing. Instead, the command prints the rule's options, their symbols in the equation and their defaults.
 * If options are given, such as `rmsprop:momentum=0.9`, it prints the equation that results.
 */
import type { Command } from "commander";
import { type EngineDescription, openEngine } from "ergodic";
import { type LedgerRow, measureRule, ruleLedger, ruleLedgerRow, ruleRegistry } from "ergodic/rules";
import { UsageError } from "../errors.ts";
import { LINK, parseRule } from "../options/things.ts";
import { grouped, json, significant } from "../report/numbers.ts";
import { table } from "../report/text-table.ts";
import type { Paint, Terminal } from "../terminal.ts";

const SMALL = 100_000;
const LARGE = 10_000_000;

/**
 * Row of the ledger with the measured time. The time is null for rules that use the whole objective or a line search,
 * because evaluating the objective costs more than the rule.
 */
type TimedRow = LedgerRow & { nanosecondsPerParameter: number | null };

interface RulesOptions {
  json?: boolean;
  quick?: boolean;
}

export function add(program: Command, terminal: Terminal): void {
  program
    .command("rules")
    .description("list all step rules with their equations and costs, or the options of one rule")
    .argument("[rule]", "a step rule, such as adam, or with options as in --rule: rmsprop:momentum=0.9")
    .option("--quick", "time updates of 100,000 parameters instead of 10 million")
    .option("--json", "print the result as one JSON object")
    .action((rule: string | undefined, options: RulesOptions) =>
      rule === undefined ? listRules(options, terminal) : oneRule(rule, options, terminal),
    );
}

function oneRule(text: string, options: RulesOptions, terminal: Terminal): void {
  if (options.quick)
    throw new UsageError("--quick", "times updates for the list of all rules, but one rule was named; leave one out");
  if (LINK.test(text)) throw new UsageError("rules", `"${text}" is a chain; ask for each link separately`);
  const rule = parseRule(text, undefined, text)!;
  const row = ruleLedgerRow(rule);
  terminal.out(
    options.json
      ? `${json({ command: "rules", rule: row })}\n`
      : ruleText(row, text, rule.kind === "equation" && rule.last, terminal),
  );
}

/** `text`: the rule as requested. `last`: whether a transformation has to be the last link of its chain. */
function ruleText(row: LedgerRow, text: string, last: boolean, terminal: Terminal): string {
  const { out: paint } = terminal.paint;
  const { rule, summary, options, signs, transformation } = row;
  const names = Object.keys(options);
  const cells = names.map((name) => [name, signs[name] ?? "", optionText(options[name])]);
  const rated = names.map((name) => `${name}=${optionText(options[name])}`).slice(0, 2);
  const own = text.includes(":") ? text : `${rule}${rated.length > 0 ? `:${rated.join(",")}` : ""}`;
  const example = `${terminal.program} train DATA --target COLUMN --rule ${transformation ? (last ? `sgd+${own}` : `${own}+sgd`) : own}`;
  return `${equationText(row, paint)}    ${summary}\n\n${names.length > 0 ? table(["option", "sign", "value"], cells, { left: [0, 1], paint }) : "no options\n"}\n${example}\n`;
}

/** Formats the value of an option. Schedules are objects, so they are formatted as JSON. */
function optionText(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function equationText({ rule, source, equation, perStep }: LedgerRow, paint: Paint): string {
  const lines = equation === null ? [`no equation; cost per step: ${perStep}`] : equation.split("\n");
  return `${paint.bold(rule)}  ${paint.dim(source)}\n${lines.map((line) => `    ${line}\n`).join("")}`;
}

async function listRules(options: RulesOptions, terminal: Terminal): Promise<void> {
  const count = options.quick ? SMALL : LARGE;
  const engine = (await openEngine()).describe();
  const ledger: TimedRow[] = [];
  const rows = ruleLedger();
  for (const [i, row] of rows.entries()) {
    if (terminal.live) terminal.rewrite(`measuring ${row.rule} (${i + 1} of ${rows.length})`);
    ledger.push({ ...row, nanosecondsPerParameter: await timeOf(row.rule, count) });
  }
  if (terminal.live) terminal.rewrite("");
  if (options.json) terminal.out(`${json({ command: "rules", parameters: count, precision: "f32", engine, rules: ledger })}\n`);
  else terminal.out(ledgerText(ledger, count, engine, terminal));
}

async function timeOf(name: string, count: number): Promise<number | null> {
  const { make, inChain } = ruleRegistry[name];
  const rule = make();
  if (rule.kind !== "equation") return null;
  return (await measureRule(inChain?.(rule) ?? rule, { count })).nanosecondsPerParameter;
}

function ledgerText(ledger: readonly TimedRow[], count: number, engine: EngineDescription, terminal: Terminal): string {
  const { out: paint } = terminal.paint;
  const number = (value: number | null): string => (value === null ? "–" : significant(value, 3));
  const rows = ledger.map((rule) => [
    rule.rule,
    rule.stateBytesPerParameter === null ? "grows" : number(rule.stateBytesPerParameter),
    number(rule.operationsPerParameter),
    number(rule.extraPasses),
    rule.sparse ?? "–",
    number(rule.nanosecondsPerParameter),
    rule.summary,
  ]);
  const header = ["rule", "state bytes", "operations", "passes", "sparse", "ns", ""];
  const where =
    count === LARGE
      ? `measured at ${grouped(count)} f32 parameters, where memory bandwidth is the limit`
      : `measured at ${grouped(count)} f32 parameters, which fit in the cache; ${grouped(LARGE)} without --quick`;
  const legend = [
    "State bytes, operations and ns are per parameter; operations are counted beyond plain SGD, p ← p − ηg.",
    "Passes: reductions over all parameters that a step waits for.",
    "Sparse, for coordinates that a row does not touch: exact = need no update; lazy = updated later; dense = all updated.",
    `ns: one update, one thread, ${engine.build} build, ${where}.`,
  ];
  const equations = ledger.map((rule) => equationText(rule, paint));
  return `${table(header, rows, { left: [0, 4, 6], paint })}\n${legend.map((line) => `${line}\n`).join("")}\n${equations.join("")}`;
}
