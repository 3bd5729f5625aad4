import type { Certificate, EndedChains, Json, JsonObject } from "../../engine/contract/index.ts";
import { DataError, OptionError } from "../../engine/errors/errors.ts";
import { nearest } from "../../engine/errors/nearest.ts";
import { type Certified, certificateText, weakest } from "./certificate.ts";

/** Probabilities of a variable's states, and what is known of them. */
export interface VariableMarginal {
  /** What the states are called. */
  readonly states: readonly string[];
  /** By state. */
  readonly p: readonly number[];
  /** How far `p` may be from the truth. */
  readonly certificate: Certificate;
}

/** A state of all variables, and how good it is. */
export interface BestState {
  /** By variable, the number of its state. */
  readonly states: Int32Array;
  /** ln of the product of the factors there; −∞: the run ended before it found a state in which no factor is 0. */
  readonly value: number;
  /** No state has a larger one, which is proved; ∞ where nothing is. */
  readonly bound: number;
}

/** What an answer is made of. */
export interface AnswerContent {
  readonly task: "marginals" | "partition" | "map";
  readonly variableCount: number;
  name(variable: number): string;
  state(variable: number, state: number): string;
  /** By variable. */
  readonly marginals?: readonly { readonly p: Float64Array; readonly certificate: Certificate }[];
  readonly logZ?: Certified;
  readonly map?: BestState;
  readonly chains?: EndedChains;
  /** Weights of the graph, by number, that the answer was computed with. */
  readonly weights?: Float64Array;
  readonly method: string;
  /** Algorithm, plan and how the run went, as JSON. */
  readonly description: JsonObject;
}

/** Rows of a printed table. */
const PRINTED = 20;
/** States of a printed row. */
const PRINTED_STATES = 6;
const NO_STATE = "no state was found in which no factor is 0";

/**
 * The answer of `infer`: of marginals, of the partition function or of the most probable state, each with its certificate, which says how far it may be
 * from the truth.
 */
export class Answer {
  /** What was asked for. */
  readonly task: AnswerContent["task"];
  /** What was done, and why. */
  readonly method: string;
  /** The weakest of all. */
  readonly certificate: Certificate;
  /** Algorithm, plan and how the run went, as JSON. */
  readonly description: JsonObject;
  readonly #content: AnswerContent;
  #numbers: Map<string, number> | undefined;

  constructor(content: AnswerContent) {
    this.#content = content;
    this.task = content.task;
    this.method = content.method;
    this.description = content.description;
    this.certificate = certificateOf(content);
  }

  /** What a message can carry of it: all but the names of variables and states. */
  portable(): Omit<AnswerContent, "name" | "state"> {
    const { name: _, state: __, ...portable } = this.#content;
    return portable;
  }

  /** Variables, by their names. */
  get variables(): string[] {
    const { variableCount, name } = this.#content;
    return Array.from({ length: variableCount }, (_, variable) => name(variable));
  }

  /** Probabilities of a variable's states. @throws OptionError for a variable that there is not, or where marginals were not asked for */
  marginal(variable: string | number): VariableMarginal {
    const { marginals, state } = this.#content;
    if (!marginals) throw this.refuse("marginal", "marginals");
    const number = this.number(variable);
    const { p, certificate } = marginals[number];
    return { p: Array.from(p), states: Array.from(p, (_, s) => state(number, s)), certificate };
  }

  /** ln of the sum over all states of the product of the factors: of Bayesian networks the log probability of the evidence. −∞: the evidence is impossible. */
  get logZ(): number {
    const { logZ } = this.#content;
    if (!logZ) throw this.refuse("logZ", "partition");
    return logZ.value;
  }

  /** The certificate of `logZ`. */
  get logZCertificate(): Certificate {
    const { logZ } = this.#content;
    if (!logZ) throw this.refuse("logZCertificate", "partition");
    return logZ.certificate;
  }

  /** Where chains ended, of sampling: `infer(graph, { from: answer })` begins there. */
  get chains(): EndedChains | undefined {
    return this.#content.chains;
  }

  /** Weights of the graph, by number, that the answer was computed with; undefined for a graph without weights. */
  get weights(): Float64Array | undefined {
    return this.#content.weights;
  }

  /** What a variable's state is called in the most probable state that was found. */
  state(variable: string | number): string {
    const number = this.number(variable);
    return this.#content.state(number, this.best.states[number]);
  }

  /** The most probable state that was found. */
  get best(): BestState {
    const { map } = this.#content;
    if (!map) throw this.refuse("best", "map");
    return map;
  }

  /** How much larger the ln of the factors' product may be than at the state that was found, at most; 0: it is the most probable one. */
  get gap(): number {
    return this.best.bound - this.best.value;
  }

  /** A table, and what is known of its errors. */
  toString(): string {
    return [...this.lines(), `${this.method}`, `certificate: ${certificateText(this.certificate)}`].join("\n");
  }

  /** As JSON. What is infinite becomes the text "Infinity" or "-Infinity"; of a `bound` that nobody knows null. */
  toJSON(): JsonObject {
    const { task, method, description } = this;
    const { marginals, logZ, map } = this.#content;
    const certified = (certificate: Certificate): JsonObject =>
      JSON.parse(JSON.stringify(certificate, (_, part: unknown) => withInfinity(part))) as JsonObject;
    return {
      task,
      method,
      certificate: certified(this.certificate),
      ...(logZ ? { logZ: withInfinity(logZ.value) as Json, logZCertificate: certified(logZ.certificate) } : {}),
      ...(marginals
        ? {
            marginals: Object.fromEntries(
              marginals.map(({ p, certificate }, variable) => [
                this.#content.name(variable),
                { p: Array.from(p), certificate: certified(certificate) },
              ]),
            ),
          }
        : {}),
      ...(map
        ? {
            states: Object.fromEntries(this.variables.map((name, variable) => [name, this.state(variable)])),
            value: withInfinity(map.value) as Json,
            bound: Number.isFinite(map.bound) ? map.bound : null,
          }
        : {}),
      description,
    };
  }

  private lines(): string[] {
    const { task, variableCount } = this.#content;
    if (task === "partition") return [`ln Z = ${this.logZ}`, `log10 Z = ${this.logZ / Math.LN10}`];
    const shown = Math.min(variableCount, PRINTED);
    const more = variableCount > shown ? [`… and ${variableCount - shown} more variables`] : [];
    const names = this.variables.slice(0, shown);
    const width = Math.max(0, ...names.map((name) => name.length));
    const row = (variable: number): string => {
      if (task === "map") return this.state(variable);
      const { p, states } = this.marginal(variable);
      const parts = p.slice(0, PRINTED_STATES).map((value, s) => `${states[s]} ${value.toFixed(4)}`);
      return parts.join("  ") + (p.length > PRINTED_STATES ? "  …" : "");
    };
    const rows = names.map((name, variable) => `${name.padEnd(width)}  ${row(variable)}`);
    if (task === "map") {
      rows.push(`ln of the product of the factors: ${this.best.value}; ${this.moreText()}`);
    }
    return [...rows, ...more];
  }

  private moreText(): string {
    if (this.best.value === -Infinity) return NO_STATE;
    if (this.gap === 0) return "no state has more";
    return this.gap < Infinity
      ? `no state has more than ${this.gap} above that`
      : "nothing is known of how much more others have";
  }

  private number(variable: string | number): number {
    const { variableCount, name } = this.#content;
    if (typeof variable === "number") {
      if (Number.isInteger(variable) && variable >= 0 && variable < variableCount) return variable;
      throw new OptionError(
        "answer",
        `there is no variable ${variable}; they are numbered from 0 to ${variableCount - 1}`,
        "OPTION_RANGE",
      );
    }
    this.#numbers ??= new Map(Array.from({ length: variableCount }, (_, v) => [name(v), v]));
    const found = this.#numbers.get(variable);
    if (found !== undefined) return found;
    const near = nearest(variable, [...this.#numbers.keys()]);
    throw new OptionError(
      "answer",
      `there is no variable "${variable}"${near ? `; did you mean "${near}"?` : ""}`,
      "OPTION_UNKNOWN",
    );
  }

  private refuse(asked: string, task: string): OptionError {
    return new OptionError(
      "answer",
      `${asked} was asked of an answer to the task "${this.task}"; infer with task: "${task}"`,
      "OPTION_MEANING",
    );
  }
}

/** JSON has no infinite numbers. */
function withInfinity(part: unknown): unknown {
  return part === Infinity || part === -Infinity ? String(part) : part;
}

function certificateOf({ task, marginals, logZ, map }: AnswerContent): Certificate {
  if (task === "marginals") return weakest(marginals!.map(({ certificate }) => certificate));
  if (task === "partition") return logZ!.certificate;
  const { value, bound } = map!;
  if (value === -Infinity) return { none: NO_STATE };
  if (bound <= value) return { exact: true };
  if (bound < Infinity) return { lower: value, upper: bound };
  return { none: "nothing is known of how much better other states are" };
}

/** @throws DataError where the evidence has probability 0: there are no marginals, and no most probable state */
export function refuseImpossible(task: string): never {
  throw new DataError(
    "infer",
    `the evidence has probability 0 under this graph, so that there is no answer to the task "${task}"; correct the evidence or the factors that forbid it (task: "partition" gives −∞)`,
    "GRAPH_IMPOSSIBLE",
  );
}
