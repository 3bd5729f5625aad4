import type { JsonObject, Snapshot } from "../../engine/contract/index.ts";
import { CapabilityError } from "../../engine/errors/errors.ts";
import { isObject, KeptPart } from "../../engine/loop/kept-part.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { type ImportanceSampling, importanceSampling, ORDERS } from "../bounds/importance-sampling.ts";
import type { InferenceAlgorithm, InferencePlan, PartAnswer, PartInference } from "../parts/algorithm.ts";
import type { Component } from "../parts/reduction.ts";
import { spreadOf } from "../parts/spread.ts";
import { graphTempering } from "../sampling/ensembles/graph-tempering.ts";

/**
 * Limits for the phase before tempering. FIRST_LIMIT is log2 of the number of states in the first mini-buckets. If an
 * answer exists, one bucket size may take FIRST_STRETCHES stretches of work (half a second to two seconds). Until there
 * is an answer, the limit is UNANSWERED stretches (ten seconds) for the search for orders or for one bucket size.
 */
const [FIRST_LIMIT, FIRST_STRETCHES, UNANSWERED] = [16, 200, 4000];
/** Interval width above which tempering is started. Tempering ends once all intervals are at most this wide. */
const WIDE = 0.05;
/**
 * Number of stretches per turn of tempering. One out of every FEW, MANY or MOST stretches is given to importance
 * sampling. FEW applies if tempering gave no interval. MOST applies if the intervals of tempering are at most a quarter
 * as wide as the intervals of importance sampling. MANY applies otherwise. The choice is reviewed every LOOK stretches.
 */
const [FEW, MANY, MOST] = [2, 16, 64];
const FAR_NARROWER = 1 / 4;
const LOOK = 64;

/**
 * Combines `importanceSampling` with `graphTempering` if that helps. Tempering starts if no factor is 0 and importance
 * sampling makes slow progress. Progress counts as slow if the intervals are still wider than 0.05 after mini-buckets
 * of 2^16 states, or after a second or two of work on smaller mini-buckets. Progress also counts as slow if there is no
 * answer after about ten seconds. Tempering then takes most of the work, until its own intervals are narrow enough.
 *
 * The answer with the narrower intervals is returned. Importance sampling gives intervals that are valid for every
 * distribution, so an interval of tempering that does not overlap with them is rejected.
 */
export function estimated(): InferenceAlgorithm {
  return { ...importanceSampling(), start: (part, plan, engine) => new Estimated(part, plan, engine) };
}

class Estimated implements PartInference {
  private readonly part: Component;
  private readonly plan: InferencePlan;
  private readonly engine: Engine;
  private readonly importance: ImportanceSampling;
  private tempering: PartInference | undefined;
  /** Whether the decision about tempering has been made. */
  private decided = false;
  /** Whether tempering has ended with narrow intervals. */
  private done: boolean | undefined;
  private turn = 0;
  private turns = MANY;
  /**
   * Number of stretches after which importance sampling is back at the state of a snapshot. After a restore, importance
   * sampling repeats the work that the snapshot does not contain. −Infinity if there is nothing to redo.
   */
  private owed = -Infinity;

  constructor(part: Component, plan: InferencePlan, engine: Engine) {
    this.importance = importanceSampling().start(part, plan);
    this.part = part;
    this.plan = plan;
    this.engine = engine;
  }

  get ended(): boolean {
    const { importance, tempering } = this;
    if (this.owed > -Infinity) return false;
    if (!tempering || (importance.ended && narrow(importance.answer()))) return importance.ended;
    if (!tempering.ended) return false;
    this.done ??= narrow(tempering.answer());
    return importance.ended || this.done;
  }

  async advance(): Promise<void> {
    const { importance } = this;
    if (this.owed > -Infinity) {
      // Both algorithms must be back in the state of the snapshot before tempering continues. If tempering continued
      // earlier, the result would depend on when the run was interrupted.
      if (!importance.ended && !(importance.stretches >= this.owed)) return importance.advance();
      this.owed = -Infinity;
    }
    const { stretches } = importance;
    const made = stretches < 0 ? stretches + ORDERS : stretches;
    const long = (): boolean => made >= UNANSWERED || (made >= FIRST_STRETCHES && importance.answer() !== undefined);
    if (!this.decided && (importance.limit > FIRST_LIMIT || long())) this.decide();
    const { tempering } = this;
    if (!tempering || tempering.ended) return importance.advance();
    this.turn = (this.turn + 1) % LOOK;
    if (this.turn === 0) this.turns = this.turnsNow();
    if (this.turn % this.turns === 0 && !importance.ended) return importance.advance();
    try {
      await tempering.advance();
    } catch (error) {
      this.drop(error);
    }
  }

  private turnsNow(): number {
    const [first, second] = [this.importance.answer(), this.tempering?.answer()];
    if (!second) return MANY;
    if ("none" in (second.logZ?.certificate ?? {})) return FEW;
    return first && spreadOf(second) <= FAR_NARROWER * spreadOf(first) ? MOST : MANY;
  }

  private decide(): void {
    this.decided = true;
    const answer = this.importance.answer();
    if (answer && spreadOf(answer) <= WIDE) return;
    try {
      this.tempering = graphTempering({ width: WIDE }).start(this.part, this.plan, this.engine);
    } catch (error) {
      this.drop(error);
    }
  }

  /** If tempering cannot handle the graph, importance sampling continues alone. */
  private drop(error: unknown): void {
    if (!(error instanceof CapabilityError)) throw error;
    this.tempering?.dispose();
    this.tempering = undefined;
  }

  answer(): PartAnswer | undefined {
    const first = this.importance.answer();
    const second = this.tempering?.answer();
    if (!second?.logZ || !first?.logZ) return first ?? second;
    const claimed = { ...second.logZ.certificate };
    if ("none" in claimed) return { ...first, method: `${first.method}; parallel tempering gave no interval: ${claimed.none}` };
    const proved = first.logZ.certificate;
    if ("interval" in proved && "interval" in claimed && !overlap(proved.interval, claimed.interval))
      return { ...first, method: `${first.method}; parallel tempering disagrees with it and is not used` };
    if (spreadOf(first) <= spreadOf(second)) return first;
    return { ...second, method: `${first.method}, too wide an interval; ${second.method}` };
  }

  report(): Record<string, number> {
    return { ...this.importance.report(), ...this.tempering?.report() };
  }

  snapshot(): Snapshot {
    const { importance, tempering, decided, turn, turns } = this;
    const parts = { importance: importance.snapshot(), ...(tempering ? { tempering: tempering.snapshot() } : {}) };
    const tensors = Object.fromEntries(
      Object.entries(parts).flatMap(([of, one]) =>
        Object.entries(one.tensors).map(([name, tensor]) => [`${of}.${name}`, tensor] as const),
      ),
    );
    const states: JsonObject = Object.fromEntries(Object.entries(parts).map(([of, { state }]) => [of, state]));
    const made = Math.max(this.owed, importance.stretches);
    return { tensors, state: { ...states, decided, turn, turns, made: tempering ? made : null } };
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("an estimate", snapshot);
    this.importance.restore(kept.part("importance sampling", "importance.", kept.object("importance")).snapshot);
    this.decided = kept.flag("decided");
    this.turn = kept.count("turn", 0, LOOK - 1);
    this.turns = kept.count("turns", FEW, MOST);
    const { tempering } = kept.state;
    if (tempering === undefined) return;
    if (!isObject(tempering)) kept.refuse("tempering is no object");
    this.owed = kept.number("made", -ORDERS);
    this.tempering = graphTempering({ width: WIDE }).start(this.part, this.plan, this.engine);
    this.tempering.restore(kept.part("tempering", "tempering.", tempering).snapshot);
  }

  dispose(): void {
    this.importance.dispose();
    this.tempering?.dispose();
  }
}

/** Returns whether every number has an interval and each is narrow enough. */
const narrow = (answer: PartAnswer | undefined): boolean => !!answer && spreadOf(answer) <= WIDE;

const overlap = (a: unknown, b: unknown): boolean => {
  const [[low, high], [from, to]] = [a, b] as [number, number][];
  return low <= to && from <= high;
};
