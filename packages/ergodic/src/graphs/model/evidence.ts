import { checkNumbers } from "../../engine/errors/checks.ts";
import { OptionError } from "../../engine/errors/errors.ts";
import { shown } from "../../engine/errors/shown.ts";
import { Budget, Column } from "./column.ts";
import { type StateName, stateOf } from "./domains.ts";
import type { VariableName } from "./literals.ts";
import type { Structure } from "./structure.ts";

/**
 * Evidence by variable name: the observed state or soft evidence. Soft evidence is a list of likelihoods per state (up
 * to a constant factor).
 */
export type Evidence = Readonly<Record<string, StateName | readonly number[] | Float64Array>>;

/** Observed states and soft evidence (likelihoods) of a structure's variables. */
export class Observations {
  /** For each variable, the index of the observed state plus 1, or 0 if the variable is unobserved. */
  private readonly states: Column;
  readonly soft: Map<number, Float64Array>;

  constructor(budget: Budget, states = new Column("whole", budget, 0), soft = new Map<number, Float64Array>()) {
    this.states = states;
    this.soft = soft;
  }

  clone(): Observations {
    return new Observations(new Budget(Infinity), this.states.clone(), new Map(this.soft));
  }

  /** Returns the observed state, or −1 if there is none. */
  state(variable: number): number {
    return variable < this.states.length ? this.states.at(variable) - 1 : -1;
  }

  observe(variable: number, state: number): void {
    this.states.set(variable, state + 1);
  }

  forget(variable: number): void {
    this.states.set(variable, 0);
  }

  /** Returns the number of observed variables. */
  count(): number {
    let count = 0;
    for (let i = 0; i < this.states.length; i++) if (this.states.at(i) > 0) count++;
    return count;
  }

  /** Number of bytes in the column of states. */
  get byteLength(): number {
    return this.states.byteLength;
  }

  add(where: string, structure: Structure, given: VariableName, seen: StateName | ArrayLike<number>): void {
    const variable = structure.variable(where, given);
    const place = `${where}: "${structure.name(variable)}"`;
    if (typeof seen !== "object") this.observe(variable, stateOf(place, structure.domain(variable), seen));
    else this.soften(place, structure, variable, seen);
  }

  soften(where: string, structure: Structure, variable: number, likelihood: ArrayLike<number>): void {
    checkNumbers(where, "likelihood", likelihood, { low: 0 }, "[0.2, 0.8]");
    const { count } = structure.domain(variable);
    if (likelihood.length !== count)
      throw new OptionError(where, `${likelihood.length} likelihoods were given, but it has ${count} states`, "OPTION_RANGE");
    if (!Array.from(likelihood).some((value) => value > 0))
      throw new OptionError(where, "all likelihoods are 0, but at least one state must be possible", "OPTION_RANGE");
    this.soft.set(variable, Float64Array.from(likelihood));
  }

  addAll(where: string, structure: Structure, evidence: Evidence): void {
    if (Object.prototype.toString.call(evidence) !== "[object Object]")
      throw new OptionError(
        where,
        `evidence is ${shown(evidence)}, but must be an object of states by variable: write { rain: "yes" }`,
        "OPTION_TYPE",
      );
    for (const [name, seen] of Object.entries(evidence)) this.add(where, structure, byNumber(structure, name), seen);
  }
}

/** Object keys are strings. "3" means the variable with index 3, unless a variable has the name "3". */
function byNumber(structure: Structure, name: string): VariableName {
  if (!/^(0|[1-9]\d*)$/.test(name)) return name;
  return structure.hasName(name) ? name : Number(name);
}
