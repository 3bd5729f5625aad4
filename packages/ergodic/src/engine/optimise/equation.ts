import { type Expr, print, scalar, sub, substitute, vector } from "../compiler/index.ts";
import { type EquationRule, withEquation } from "./kinds.ts";

const symbols: Readonly<Record<string, string>> = {
  parameter: "p",
  rate: "η",
  epsilon: "ε",
  rho: "ρ",
  momentum: "μ",
  dampening: "τ",
  beta: "β",
  beta1: "β₁",
  beta2: "β₂",
  decay: "λ",
  momentumDecay: "ψ",
  loss: "f",
  optimum: "f*",
  maximum: "η_max",
  average: "a",
  epochUpdates: "n",
  product: "π",
};

/**
 * Returns the symbols of options in a rule's equation, by option name. An option without a symbol is not included; its
 * name is printed instead.
 */
export function optionSigns(options: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.keys(options).flatMap((name) => (Object.hasOwn(symbols, name) ? [[name, symbols[name]]] : [])),
  );
}

/**
 * Returns the printed equation of a rule, with one assignment per line: states, scalars, then the parameter; e.g. `p ←
 * p − η·g / (√r' + ε)`. An accent marks the next value of a state if another line uses it.
 */
export function ruleEquation(rule: EquationRule): string {
  const { step, states, scalars } = withEquation("ruleEquation", rule).trace(vector("g"), vector("parameter"));
  const kept = [
    ...states.map((s) => ({
      name: s.name,
      next: s.next,
      accented: vector(`${symbols[s.name] ?? s.name}'`),
      self: vector(s.name),
    })),
    ...scalars.map((s) => ({
      name: s.name,
      next: s.next,
      accented: scalar(`${symbols[s.name] ?? s.name}'`),
      self: scalar(s.name),
    })),
  ].filter((s) => s.next !== s.self);
  const known = new Map<Expr, Expr>(kept.filter((s) => s.next.args.length > 0).map((s) => [s.next, s.accented]));
  const line = (name: string, value: Expr, except?: Expr): string => {
    const others = new Map([...known].filter(([next]) => next !== except));
    return `${symbols[name] ?? name} ← ${print(substitute(value, others), symbols)}`;
  };
  return [...kept.map((s) => line(s.name, s.next, s.next)), line("parameter", sub(vector("parameter"), step))].join("\n");
}
