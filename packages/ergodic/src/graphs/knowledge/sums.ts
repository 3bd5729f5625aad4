/** Sums of the reasons for the states of one unknown, and a comparison of these sums with its probabilities. */
import type { Certificate } from "../../engine/contract/index.ts";
import { exp } from "../../engine/numbers/exp.ts";
import type { Domain } from "../model/domains.ts";
import { Caveat } from "./caveat.ts";
import type { Reason, StateSum } from "./why.ts";

/** Largest difference between two probabilities that counts as a rounding error. */
const ROUNDING = 1e-9;

/** The unknown that is explained, as a variable of the graph. */
interface Explained {
  readonly variable: number;
  readonly domain: Domain;
  /** Whether the variable is observed in the graph of the knowledge base. */
  readonly observed: boolean;
}
interface Marginals {
  marginal(variable: number): { readonly p: readonly number[]; readonly certificate: Certificate };
}

/** Reads the most probable states of variables from an answer, and notes which of them are uncertain. */
export class Reading {
  readonly #answer: Marginals;
  readonly #unknown: Explained;
  readonly #caveat = new Caveat();
  #othersUncertain = false;

  constructor(answer: Marginals, unknown: Explained) {
    this.#answer = answer;
    this.#unknown = unknown;
  }

  /** Warning about the probabilities read so far. Undefined if all have a guarantee. */
  get caveat(): string | undefined {
    return this.#caveat.text;
  }

  /** Returns the most probable state of a variable. */
  readonly stateOf = (variable: number): number => {
    const { p, certificate } = this.#answer.marginal(variable);
    this.#caveat.add(certificate);
    const most = p.reduce((a, b) => Math.max(a, b));
    if (variable !== this.#unknown.variable && most < 1) this.#othersUncertain = true;
    return p.indexOf(most);
  };

  /** Returns the sums of the reasons, and the cause if the probabilities do not follow from them. */
  sums(reasons: Iterable<Reason>): { readonly sums: StateSum[]; readonly differs?: string } {
    const { variable, domain, observed } = this.#unknown;
    const { p, certificate } = this.#answer.marginal(variable);
    const totals = new Float64Array(domain.count);
    for (const { state, pull } of reasons) totals[domain.labels!.indexOf(state)] += pull;
    const high = Math.max(...totals);
    const shares = totals.map((total) => exp(total - high));
    const all = shares.reduce((a, b) => a + b);
    const implied = shares.map((share) => share / all);
    const states = Array.from(totals.keys()).slice(domain.boolean ? 1 : 0);
    const sums = states.map((state): StateSum => {
      const sum = domain.boolean ? totals[1] - totals[0] : totals[state];
      return { state: domain.labels![state], sum, p: p[state], implied: implied[state] };
    });
    if (observed && p.includes(1)) return { sums, differs: "this unknown is observed" };
    if (sums.every((one) => Math.abs(one.p - one.implied) <= ROUNDING)) return { sums };
    const causes = [
      ...("exact" in certificate ? [] : ["the probability is not exact"]),
      ...(this.#othersUncertain ? ["other unknowns are uncertain"] : []),
    ];
    return { sums, differs: causes.join(" and ") || "the graph has factors or evidence that no rule made" };
  }
}
