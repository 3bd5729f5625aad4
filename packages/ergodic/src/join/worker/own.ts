/**
 * User-defined rules and losses, sent to the thread as expressions. Descriptions refer to these rules and losses by
 * name, and the thread has no other definition of them.
 */

import type { Json } from "../../engine/contract/index.ts";
import type { Registry } from "../../engine/contract/registry.ts";
import { OptionError } from "../../engine/errors/errors.ts";
import type { RuleJson } from "../../engine/optimise/kinds.ts";
import { type PortableRule, portableRule, ruleFromPortable } from "../../engine/optimise/portable-rule.ts";
import { definedRules, optionsToJson } from "../../engine/optimise/rule.ts";
import { ruleOptionsFromJson } from "../../engine/optimise/schedules/by-name.ts";
import { definedLosses, lossFromJson } from "../../learning/models/loss.ts";
import { lossFromPortable, type PortableLoss, portableLoss } from "../../learning/models/portable-loss.ts";

/** Definitions sent along with a description that names them. */
export interface OwnDefinitions {
  readonly rules: readonly PortableRule[];
  readonly losses: readonly PortableLoss[];
}

/**
 * Collects the definitions of all user-defined rules and losses that a description names. `hasModule`: whether the
 * thread has loaded a module, which is then expected to define everything that cannot be sent.
 *
 * @throws OptionError [WORKER_ARGUMENT] for a rule that is not an equation
 */
export function ownIn(json: unknown, hasModule: boolean): OwnDefinitions {
  const [rules, losses]: [PortableRule[], PortableLoss[]] = [[], []];
  const look = (value: unknown, key: string): void => {
    if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
    const { rule, name } = value as { rule?: unknown; name?: unknown };
    if (typeof rule === "string" && definedRules.isOwn(rule)) rules.push(...sentRule(value as NamedRule, hasModule));
    if (key === "loss" && typeof name === "string" && definedLosses.isOwn(name))
      losses.push(portableLoss(lossFromJson(value as Json)));
    for (const [inner, one] of Object.entries(value)) look(one, inner);
  };
  look(json, "");
  return { rules, losses };
}

/** Description of a rule that is not a chain. */
type NamedRule = Extract<RuleJson, { options: unknown }>;

function sentRule(json: NamedRule, hasModule: boolean): PortableRule[] {
  // Only own rules get here, so that a page without the built-in rules does not load them.
  const rule = definedRules.get(json.rule)!(ruleOptionsFromJson(json.options));
  if (rule.kind === "equation") return [portableRule(rule)];
  if (hasModule) return [];
  throw new OptionError(
    "worker",
    `the rule "${rule.name}" is a procedure in JavaScript, which cannot be sent to a worker; define it in a module of its own, and give worker({ module }) the module's URL`,
    "WORKER_ARGUMENT",
  );
}

/** Registers the definitions on this thread. */
export function defineOwn({ rules, losses }: OwnDefinitions): void {
  for (const rule of rules) receiveRule(rule.name, rule.options, () => ruleFromPortable(rule));
  for (const loss of losses) receiveLoss(loss.name, loss.options, () => lossFromPortable(loss));
}

/**
 * Returns a function that registers received definitions by name. A definition applies only to the options that were
 * sent with it. For other options, the previous definition is used.
 */
function receiver<Options, Made>(
  kind: string,
  registry: Registry<(options: Options) => Made>,
  toJson: (options: Options) => unknown,
): (name: string, options: object, make: () => Made) => void {
  const received = new Map<string, Map<string, () => Made>>();
  return (name, options, make) => {
    const known = received.get(name) ?? new Map<string, () => Made>();
    known.set(JSON.stringify(options), make);
    if (received.has(name)) return;
    received.set(name, known);
    const before = registry.get(name);
    registry.define(name, (asked) => {
      const sent = known.get(JSON.stringify(toJson(asked)));
      if (sent) return sent();
      if (before) return before(asked);
      throw new OptionError(
        kind,
        `"${name}" is not known to the worker with these options; import the module that defines it`,
        "OPTION_UNKNOWN",
      );
    });
  };
}

const receiveRule = receiver("rule", definedRules, optionsToJson);
const receiveLoss = receiver("loss", definedLosses, (options) => options);
