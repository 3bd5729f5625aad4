import { bytesText } from "../../engine/memory/room.ts";
import { fanOut, type Grounding, type Measured } from "./grounding.ts";

/** One atom of a join: what is looked for, and how much is found. */
export interface PlanStep {
  /** The atom. */
  readonly atom: string;
  /** Rows that it has. */
  readonly rows: number;
  /** Columns by whose values rows are looked up; none: all rows are gone through. */
  readonly by: readonly string[];
  /** Rows that fitted, all together. */
  readonly found: number;
  /** Rows that fitted each time. */
  readonly fanOut: number;
}

/** What a rule is about to make. */
export interface RulePlan {
  /** Its name. */
  readonly rule: string;
  /** Values of its variables that count; Infinity: more than there is room for. */
  readonly groundings: number;
  /** How many factors they make: fewer, where groundings vote. */
  readonly factors: number;
  /** Places of unknowns in the factors. */
  readonly edges: number;
  /** About so many bytes of the graph. */
  readonly bytes: number;
  /** By join, its steps. There are several where only what is new is grounded: one from each atom that has new rows. */
  readonly joins: readonly (readonly PlanStep[])[];
}

/** What `ground()` is about to do: rules, their joins with counts, and the sizes of what they make. */
export class GroundingPlan {
  /** Unknowns that become variables. */
  readonly variables: number;
  /** By rule. */
  readonly rules: readonly RulePlan[];

  constructor(variables: number, rules: readonly RulePlan[]) {
    this.variables = variables;
    this.rules = rules;
  }

  /** Of all rules. */
  get factors(): number {
    return this.rules.reduce((sum, { factors }) => sum + factors, 0);
  }

  /** A line a rule, and one a step of its joins. */
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
    return [...lines, `${number(this.variables)} variables, ${number(this.factors)} factors`].join("\n");
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
