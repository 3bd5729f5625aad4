/**
 * `ergodic rules`: the cost ledger. What each step rule keeps and computes beyond plain SGD, read off its equation, and the time of one
 * update a parameter, measured here.
 *
 * The time is taken at 10 million parameters, where memory traffic decides, as in training a large model; with --quick at 100,000, which
 * sit in the processor's cache.
 */
import type { Command } from "commander";
import { type EngineDescription, type LedgerRow, measureRule, openEngine, ruleLedger, ruleRegistry } from "ergodic";
import { grouped, json, significant } from "../report/numbers.ts";
import { table } from "../report/table.ts";
import type { Terminal } from "../terminal.ts";

const SMALL = 100_000;
const LARGE = 10_000_000;

/** Null for rules that act on the whole objective or search: the objective's own cost outweighs theirs. */
type TimedRow = LedgerRow & { nanosecondsPerParameter: number | null };

interface RulesOptions {
  json?: boolean;
  quick?: boolean;
}

export function addRules(program: Command, terminal: Terminal): void {
  program
    .command("rules")
    .description("every step rule, its equation and what it costs")
    .option("--quick", "time an update at 100,000 parameters instead of 10 million")
    .option("--json", "one JSON object on standard output")
    .action((options: RulesOptions) => listRules(options, terminal));
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
      ? `measured at ${grouped(count)} f32 parameters, where memory decides`
      : `measured at ${grouped(count)} f32 parameters, a size that fits the cache; without --quick it is ${grouped(LARGE)}`;
  const legend = [
    "State bytes, operations and ns are a parameter; operations are those beyond plain SGD's p ← p − ηg; passes are reductions over all",
    "parameters that a step waits for. Sparse: exact = only touched coordinates matter; lazy = untouched ones wait; dense = all must move.",
    `ns: one update, one thread, ${engine.build} build, ${where}.`,
  ];
  const equations = ledger.map((rule) => {
    const lines = rule.equation === null ? [`no equation: it costs ${rule.perStep}`] : rule.equation.split("\n");
    return `${paint.bold(rule.rule)}  ${paint.dim(rule.source)}\n${lines.map((line) => `    ${line}\n`).join("")}`;
  });
  return `${table(header, rows, { left: [0, 4, 6], paint })}\n${legend.map((line) => `${line}\n`).join("")}\n${equations.join("")}`;
}
