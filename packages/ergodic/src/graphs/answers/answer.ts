import type { Certificate, EndedChains, Json, JsonObject } from "../../engine/contract/index.ts";
import { made, refuse } from "../../engine/errors/checks.ts";
import { DataError, OptionError } from "../../engine/errors/errors.ts";
import { nearest } from "../../engine/errors/nearest.ts";
import { type Certified, certificateText, weakest } from "./certificate.ts";

/** Probabilities of a variable's states, with a certificate. */
export interface VariableMarginal {
  /** Names of the states. */
  readonly states: readonly string[];
  /** Probability of each state. */
  readonly p: readonly number[];
  /** Certificate of accuracy for `p`: exact, bounds, an interval, or another kind. */
  readonly certificate: Certificate;
}

/** A joint state of all variables, and its value. */
export interface BestState {
  /** Index of each variable's state. */
  readonly states: Int32Array;
  /**
   * ln of the product of the factors at this state. −∞ if the run ended before it found a state in which no factor is
   * 0.
   */
  readonly value: number;
  /** Proved upper bound on the value of every state. ∞ if none is known. */
  readonly bound: number;
}

/** Content of an answer. */
export interface AnswerContent {
  readonly task: "marginals" | "partition" | "map";
  readonly variableCount: number;
  name(variable: number): string;
  state(variable: number, state: number): string;
  /** Marginal of each variable. */
  readonly marginals?: readonly { readonly p: Float64Array; readonly certificate: Certificate }[];
  readonly logZ?: Certified;
  readonly map?: BestState;
  readonly chains?: EndedChains;
  /** Weights used for the answer, by weight index. */
  readonly weights?: Float64Array;
  readonly method: string;
  /** Algorithm, plan and run statistics, as JSON. */
  readonly description: JsonObject;
}

/** Largest number of rows in a printed table. */
const PRINTED = 20;
/** Largest number of states in a printed row. */
const PRINTED_STATES = 6;
const NO_STATE = "no state was found in which all factors are above 0";

/**
 * The answer of `infer`: marginals, the partition function or the most probable state. Each result has a certificate,
 * which says how far the result can be from the truth.
 */
export class Answer {
  protected static readonly typeName: string = "Answer";
  /** Task that was requested. */
  readonly task: AnswerContent["task"];
  /** Method used, and the reason for choosing it. */
  readonly method: string;
  /** Weakest certificate of all results. */
  readonly certificate: Certificate;
  /** Algorithm, plan and run statistics, as JSON. */
  readonly description: JsonObject;
  readonly #content: AnswerContent;
  #numbers: Map<string, number> | undefined;

  constructor(content: AnswerContent) {
    this.#content = made("Answer", content, "method", "the content of an answer", "infer(…)");
    this.task = content.task;
    this.method = content.method;
    this.description = content.description;
    this.certificate = certificateOf(content);
  }

  /** Returns the content in a form that can be posted to another thread, without the names of variables and states. */
  portable(): Omit<AnswerContent, "name" | "state"> {
    const { name: _, state: __, ...portable } = this.#content;
    return portable;
  }

  /** Names of the variables. */
  get variables(): string[] {
    const { variableCount, name } = this.#content;
    return Array.from({ length: variableCount }, (_, variable) => name(variable));
  }

  /**
   * Returns the probabilities of a variable's states.
   *
   * @throws OptionError if there is no such variable, or if the task was not "marginals"
   */
  marginal(variable: string | number): VariableMarginal {
    const { marginals, state } = this.#content;
    if (!marginals) throw this.refuse("marginal", "marginals");
    const number = this.number(variable);
    const { p, certificate } = marginals[number];
    return { p: Array.from(p), states: Array.from(p, (_, s) => state(number, s)), certificate };
  }

  /**
   * ln Z, where Z is the sum of the factors' product over all states. For Bayesian networks this is the log probability
   * of the evidence. −∞ means that the evidence is impossible.
   */
  get logZ(): number {
    const { logZ } = this.#content;
    if (!logZ) throw this.refuse("logZ", "partition");
    return logZ.value;
  }

  /** Certificate of `logZ`. */
  get logZCertificate(): Certificate {
    const { logZ } = this.#content;
    if (!logZ) throw this.refuse("logZCertificate", "partition");
    return logZ.certificate;
  }

  /** Final states of the chains, for sampling algorithms. `infer(graph, { from: answer })` starts there. */
  get chains(): EndedChains | undefined {
    return this.#content.chains;
  }

  /** Weights used for the answer, by weight index. Undefined for a graph without weights. */
  get weights(): Float64Array | undefined {
    return this.#content.weights;
  }

  /** Returns the name of a variable's state in the most probable joint state found. */
  state(variable: string | number): string {
    const number = this.number(variable);
    return this.#content.state(number, this.best.states[number]);
  }

  /** The most probable joint state found. */
  get best(): BestState {
    const { map } = this.#content;
    if (!map) throw this.refuse("best", "map");
    return map;
  }

  /**
   * Upper bound on how much larger the log product of the best state is than the log product of the returned state. 0
   * means that the state is the most probable one.
   */
  get gap(): number {
    return this.best.bound - this.best.value;
  }

  /** Returns a table and a summary of its accuracy. */
  toString(): string {
    return [...this.lines(), `${this.method}`, `certificate: ${certificateText(this.certificate)}`].join("\n");
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /**
   * Returns the answer as JSON. Infinite numbers become the strings "Infinity" and "-Infinity", and an unknown `bound`
   * becomes null.
   */
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
    return this.gap < Infinity ? `no state has more than ${this.gap} above that` : "how much more other states have is unknown";
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
    if (typeof variable !== "string") refuse("answer", "the variable", variable, "a name or a number", '"rain" or 0');
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
      `${asked} was requested from an answer to the task "${this.task}"; infer with task: "${task}"`,
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
  return { none: "how much better other states are is unknown" };
}

/** @throws DataError because the evidence has probability 0, so neither marginals nor a most probable state exist */
export function refuseImpossible(task: string): never {
  throw new DataError(
    "infer",
    `the evidence has probability 0 under this graph, so there is no answer to the task "${task}"; correct the evidence or the factors that forbid it (task: "partition" gives −∞)`,
    "GRAPH_IMPOSSIBLE",
  );
}
