import type { Json, JsonObject, LogDensity } from "../../../engine/contract/index.ts";
import { checkAlgorithm, refuse } from "../../../engine/errors/checks.ts";
import { checkKeys, checkNumber, OptionError } from "../../../engine/errors/errors.ts";
import { shown } from "../../../engine/errors/shown.ts";
import type { Sampler, SamplerDeclaration } from "../base/sampler.ts";
import { nuts } from "../hamiltonian/nuts.ts";
import { type BlockUpdate, isDiscrete } from "./block.ts";
import { bySampler } from "./by-sampler.ts";
import { type Conditional, conditional } from "./conditional.ts";
import { conjugate } from "./conjugate.ts";
import { enumerate } from "./enumerate.ts";
import { type GibbsBlock, GibbsRun } from "./gibbs-run.ts";

/** Update of a block: a sampler, enumerate(), conjugate(), or a function that draws new values. */
export type UpdateBy = Sampler | BlockUpdate | Conditional;

/** One block of `gibbs`: its parameters and their update. */
export interface BlockOptions {
  /** Names of parameters, or indices of coordinates of u. */
  of: readonly (string | number)[];
  /** Update of the block: a sampler, enumerate(), conjugate(), or a function that draws new values. */
  by: UpdateBy;
  /** Transitions of the sampler per sweep. Default 1; a whole number, 1 to 2²⁰. */
  times?: number;
}

/** Blocks of `gibbs`: updates by parameter name, or a list of blocks of several parameters. */
export type GibbsBlocks = Readonly<Record<string, UpdateBy>> | readonly BlockOptions[];

/**
 * Gibbs sampling and composition of samplers: updates blocks of parameters one after another, each given all other
 * blocks.
 *
 * A sweep visits the blocks in the given order and is one transition. Every update leaves the conditional of its block
 * invariant, so the sweep leaves the target invariant. Samplers that update blocks adapt during warm-up in the same way
 * as when they run alone.
 *
 * Each transition stores the log density, the mean acceptance of the blocks' samplers (1 if there are none), and
 * whether one of them diverged.
 *
 * Source: Geman & Geman 1984; Tierney 1994 (composition). Differs from other implementations: any sampler of this
 * library can update a block.
 *
 * @throws OptionError if a parameter is in no block, or an update is invalid; CapabilityError if an update does not
 *   suit its block
 *
 * @example
 * ```ts
 * gibbs()                                                 // enumerate() for discrete parameters, nuts() for the others
 * gibbs({ z: enumerate(), theta: nuts() })                // one block per parameter
 * gibbs({ mu: (values, draws) => …, tau: conjugate() }) // your own draw from a conditional; a detected family
 * gibbs([{ of: ["mu", "tau"], by: nuts(), times: 3 }, { of: ["z"], by: enumerate() }])
 * ```
 */
export const gibbs: ((blocks?: GibbsBlocks) => Sampler) & { readonly declaration: SamplerDeclaration } =
  /* @__PURE__ */ Object.assign(make, {
    declaration: { name: "gibbs", family: "gibbs", exact: true, options: { blocks: "own" }, fromJson } as const,
  });

function make(blocks?: GibbsBlocks): Sampler {
  const given = blocks === undefined ? undefined : listed(blocks).map(blockOf);
  if (given?.length === 0)
    throw new OptionError("gibbs", "there are no blocks; leave blocks out to use enumerate() and nuts()", "OPTION_MEANING");
  return {
    name: "gibbs",
    verb: "sample",
    toJSON: () => ({
      algorithm: "gibbs",
      ...(given ? { blocks: given.map(({ of, by }) => ({ of: [...of], by: by.toJSON() })) } : {}),
    }),
    start: (density, plan, engine) => new GibbsRun(density, plan, engine, given ?? defaultBlocks(density)),
  };
}

/**
 * Makes the sampler from the JSON of `gibbs(…).toJSON()`. @throws DataError, from `sampler`, if a block is updated by a
 * function
 */
function fromJson(options: JsonObject, sampler: (json: JsonObject) => Sampler): Sampler {
  checkKeys("gibbs", options, ["blocks"]);
  const { blocks } = options;
  if (blocks === undefined) return gibbs();
  const isBlock = (block: Json): block is JsonObject =>
    typeof block === "object" &&
    block !== null &&
    !Array.isArray(block) &&
    Array.isArray(block.of) &&
    typeof block.by === "object";
  if (!Array.isArray(blocks) || !blocks.every(isBlock))
    throw new OptionError(
      "gibbs",
      `blocks is ${shown(blocks)}, but must be a list of { of: names, by: { algorithm, … } or { update: "enumerate" or "conjugate" } }`,
      "OPTION_TYPE",
    );
  return gibbs(blocks.map((block) => blockFromJson(block, sampler)));
}

function blockFromJson({ of, by }: JsonObject, sampler: (json: JsonObject) => Sampler): BlockOptions {
  const { update, times, ...options } = by as JsonObject;
  const own = { of: of as (string | number)[], ...(times === undefined ? {} : { times: Number(times) }) };
  if (update === "enumerate") return { ...own, by: enumerate(options) };
  if (update === "conjugate") return { ...own, by: conjugate() };
  return { ...own, by: sampler(update === undefined ? options : { algorithm: `gibbs, ${String(update)}` }) };
}

function listed(blocks: GibbsBlocks): readonly BlockOptions[] {
  if (Array.isArray(blocks)) return blocks as readonly BlockOptions[];
  const example = "gibbs({ z: enumerate(), mu: nuts() })";
  if (Object.prototype.toString.call(blocks) !== "[object Object]")
    refuse("gibbs", "blocks", blocks, "an object of blocks", example);
  return Object.entries(blocks as Readonly<Record<string, UpdateBy>>).map(([name, by]) => ({ of: [name], by }));
}

function blockOf(options: BlockOptions): GibbsBlock {
  checkKeys("gibbs", options, ["of", "by", "times"]);
  const { of, by, times = 1 } = options;
  checkNumber("gibbs", "times", times, { low: 1, high: 2 ** 20, integer: true });
  const isConditional = typeof by === "function" || (typeof by === "object" && by !== null && "update" in by);
  if (!isConditional) {
    checkAlgorithm("gibbs", `what updates ${of.join(", ")}`, by, "sample", "nuts(), enumerate(), conjugate() or a function");
    return { of, by: bySampler(by, times) };
  }
  if (times !== 1)
    throw new OptionError("gibbs", `times is ${times}, but only a sampler is worth repeating in a sweep`, "OPTION_MEANING");
  return { of, by: typeof by === "function" ? conditional(by) : by };
}

function defaultBlocks(density: LogDensity): GibbsBlock[] {
  const all = Array.from({ length: density.dimension }, (_, i) => i);
  const discrete = all.filter((i) => isDiscrete(density, i));
  const blocks: [number[], BlockUpdate][] = [
    [discrete, enumerate()],
    [all.filter((i) => !isDiscrete(density, i)), bySampler(nuts(), 1)],
  ];
  return blocks.filter(([of]) => of.length > 0).map(([of, by]) => ({ of: namesOf(density, of), by }));
}

/**
 * Returns the parameters to which these coordinates belong. The result contains names if the density has a name for
 * each parameter.
 */
function namesOf({ parameters }: LogDensity, coordinates: readonly number[]): (string | number)[] {
  const own = new Set(coordinates);
  const named = (parameters ?? []).filter(({ offset }) => own.has(offset));
  const covered = named.reduce((count, { size }) => count + size, 0);
  return covered === own.size ? named.map(({ name }) => name) : [...coordinates];
}
