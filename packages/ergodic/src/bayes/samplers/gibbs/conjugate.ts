import type { Snapshot } from "../../../engine/contract/index.ts";
import { CapabilityError } from "../../../engine/errors/errors.ts";
import { KeptPart } from "../../../engine/loop/kept-part.ts";
import { type Stream, stream } from "../../../engine/random/stream.ts";
import { type BlockContext, type BlockRun, type BlockUpdate, isDiscrete } from "./block.ts";
import { conjugateFamilies } from "./conjugate-families.ts";
import { agrees, type ConjugateFit, type Evaluate, findFamily, fitFamily } from "./conjugate-fit.ts";
import type { GibbsChain } from "./gibbs-chain.ts";

/**
 * Updates continuous numbers one by one, each drawn exactly from its conditional. The family of the conditional is
 * found by evaluating the density.
 *
 * Along one unconstrained number u, the log density of a conjugate model is p f(u) + q g(u) + constant: normal in u;
 * with u = log x, gamma or inverse gamma in x; with u = logit x, beta in x (conjugate-families.ts).
 *
 * In every sweep, three evaluations determine p and q. Each draw is checked with a fourth evaluation, to 10⁻⁸
 * (conjugate-fit.ts). Users need not derive the conditional. If a conditional is of any other family, the update throws
 * an error instead of drawing from a wrong distribution.
 *
 * The update leaves the target invariant, to the tolerance of the check, and runs on the calling thread.
 *
 * @throws CapabilityError if a conditional belongs to no such family, or the block contains integers
 */
export function conjugate(): BlockUpdate {
  return { update: "conjugate", toJSON: () => ({ update: "conjugate" }), open: (context) => new ConjugateBlock(context) };
}

/**
 * Values stored per coordinate: the index of the family, from 1 (0: unknown), and the base and step of the last fit.
 */
const STATE = 3;

class ConjugateBlock implements BlockRun {
  private readonly context: BlockContext;
  private readonly streams: readonly Stream[];
  private readonly states: readonly Float64Array[];

  constructor(context: BlockContext) {
    const { density, coordinates, chains, names, seed } = context;
    this.context = context;
    if (coordinates.some((i) => isDiscrete(density, i)))
      throw new CapabilityError(
        "conjugate",
        `the block of ${names.join(", ")} holds integers; use enumerate() for them`,
        "SAMPLE_DISCRETE",
      );
    this.streams = chains.map((_, c) => stream(seed, "chain", c, "conjugate"));
    this.states = chains.map(() => new Float64Array(STATE * coordinates.length));
  }

  async update(sweep: number): Promise<boolean> {
    const { chains, coordinates } = this.context;
    chains.forEach((chain, c) => {
      const draws = this.streams[c].at(sweep);
      coordinates.forEach((i, at) => {
        const state = this.states[c].subarray(STATE * at, STATE * (at + 1));
        const evaluate: Evaluate = (u) => {
          chain.position[i] = u;
          return chain.evaluate();
        };
        const fit = this.fit(evaluate, state, chain, i);
        const u = fit.family.draw(fit.base, fit.p, fit.q, draws);
        chain.logDensity = evaluate(u);
        if (!agrees(fit, u, chain.logDensity)) throw this.refusal(i, fit.family.name);
      });
    });
    return true;
  }

  report(): Record<string, number> {
    return {};
  }

  snapshot(): Snapshot {
    return { tensors: Object.fromEntries(this.states.map((state, c) => [`families.${c}`, state.slice()])), state: {} };
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("the conjugate families", snapshot);
    this.states.forEach((state, c) => {
      kept.into(state, `families.${c}`);
    });
  }

  dispose(): void {}

  private fit(evaluate: Evaluate, state: Float64Array, chain: GibbsChain, i: number): ConjugateFit {
    const from = chain.position[i];
    const known = conjugateFamilies[state[0] - 1];
    // The points of the last fit might now lie outside the conditional's support, so a second fit starts from the
    // current value.
    const fit = known
      ? (fitFamily(evaluate, known, state[1], state[2]) ?? fitFamily(evaluate, known, from, state[2]))
      : findFamily(evaluate, from);
    if (!fit) throw this.refusal(i, known?.name);
    state.set([conjugateFamilies.indexOf(fit.family) + 1, fit.base, fit.step]);
    return fit;
  }

  private refusal(i: number, family: string | undefined): CapabilityError {
    const { density, names } = this.context;
    const place = density.parameters?.find(({ offset, size }) => i >= offset && i < offset + size);
    const what = place ? `number ${i - place.offset} of "${place.name}"` : `coordinate ${i} (block of ${names.join(", ")})`;
    return new CapabilityError(
      "conjugate",
      `the conditional of ${what} is ${family ? `no longer ${family}` : "neither normal, gamma, inverse gamma nor beta"}; use slice() or nuts() for it`,
      "SAMPLE_CONJUGATE",
    );
  }
}
