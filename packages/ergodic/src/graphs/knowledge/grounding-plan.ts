import type { Finding } from "../../engine/errors/finding.ts";
import { bytesText } from "../../engine/memory/room.ts";
import { fanOut, type Grounding, type Measured } from "./grounding.ts";

/** One step of a join: the atom that is looked up, and the number of rows that the lookup finds. */
export interface PlanStep {
  /** The atom in printed form. */
  readonly atom: string;
  /** Number of rows of its relation or query. */
  readonly rows: number;
  /** Columns used to look up rows. Empty if all rows are scanned. */
  readonly by: readonly string[];
  /** Total number of matching rows. */
  readonly found: number;
  /** Mean number of matching rows per lookup. */
  readonly fanOut: number;
}

/** The expected result of grounding a rule. */
export interface RulePlan {
  /** Name of the rule. */
  readonly rule: string;
  /** Number of groundings, or Infinity if there are more than fit in memory. */
  readonly groundings: number;
  /** Number of factors. If groundings vote, there are fewer factors than groundings. */
  readonly factors: number;
  /** Number of edges, that is, of (factor, unknown) pairs. */
  readonly edges: number;
  /** Approximate number of bytes in the graph. */
  readonly bytes: number;
  /** Steps of each join. An incremental grounding has one join for each atom with new rows. */
  readonly joins: readonly (readonly PlanStep[])[];
}

/** Preview of `ground()`: rules, their joins with row counts, and the sizes of the result. */
export class GroundingPlan {
  protected static readonly typeName: string = "GroundingPlan";
  /** Number of unknowns that become variables. */
  readonly variables: number;
  /** Plan of each rule. */
  readonly rules: readonly RulePlan[];
  /** Rules that probably do more than intended; see `KnowledgeBase.findings`. */
  readonly findings: readonly Finding[];

  constructor(variables: number, rules: readonly RulePlan[], findings: readonly Finding[]) {
    this.findings = findings;
    this.variables = variables;
    this.rules = rules;
  }

  /** Total number of factors. */
  get factors(): number {
    return this.rules.reduce((sum, { factors }) => sum + factors, 0);
  }

  /** Returns a line per rule, per join step and per finding. */
  toString(): string {
    const number = (value: number): string => (value === Infinity ? "too many" : value.toLocaleString("en"));
    const lines = this.rules.flatMap(({ rule, groundings, factors, edges, bytes, joins }) => [
      `${rule}: ${number(factors)} factors of ${number(groundings)} groundings, ${number(edges)} edges${bytes < Infinity ? `, ${bytesText(bytes)}` : ""}`,
      ...joins.flatMap((steps) =>
        steps.map(
          ({ atom, rows, by, found, fanOut }) =>
            `  ${atom}: ${by.length > 0 ? `by ${by.join(", ")}, ${fanOut.toPrecision(3)} each,` : "all rows,"} ${number(found)} found in ${number(rows)}`,
        ),
      ),
    ]);
    const findings = this.findings.map(({ text, advice }) => `${text}: ${advice}`);
    return [...lines, `${number(this.variables)} variables, ${number(this.factors)} factors`, ...findings].join("\n");
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

export function rulePlan({ rule, passes }: Grounding, measured: Measured): RulePlan {
  const joins = passes.map(({ join }) =>
    join.steps.map(
      (step): PlanStep => ({
        atom: String(rule.atoms[step.atom]),
        rows: step.view.rowCount,
        by: step.keyColumns.map((column) => step.view.facts.columns[column].name),
        found: step.passed,
        fanOut: fanOut(step),
      }),
    ),
  );
  return { rule: rule.name, ...measured, joins };
}
