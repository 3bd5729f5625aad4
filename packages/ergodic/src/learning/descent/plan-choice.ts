/** Ways in which workers share the updates of one run of gradient descent. */
export type Sharing = "one lane" | "replicas" | "racing";

/** Cost and progress of one stretch of updates. */
export interface Stretch {
  /** Number of updates, summed over all lanes. */
  readonly updates: number;
  readonly seconds: number;
  /** Decrease of the objective since the start of the round; negative if it rose. */
  readonly fell: number;
}

/** One stretch per candidate, each with the same number of updates from the same parameters. */
export type Round = Readonly<Record<"one lane", Stretch>> & Readonly<Partial<Record<Sharing, Stretch>>>;

/** Measurements of one candidate, summarised over the rounds. */
export interface Figures {
  readonly sharing: Sharing;
  /**
   * Hardware efficiency. It is the median over the rounds, because another program can occupy a processor during some
   * stretches.
   */
  readonly updatesPerSecond: number;
  /** Statistical efficiency: mean decrease of the objective per update. */
  readonly fallPerUpdate: number;
  /** `updatesPerSecond` × `fallPerUpdate`. */
  readonly fallPerSecond: number;
}

/** Knowledge about the candidates that does not come from the rounds. */
export interface Known {
  /**
   * Absolute objective when the first round began, or its decrease since the start of the run if that is smaller.
   * `BEHIND` and `STAYS_BEHIND` are fractions of this value.
   */
  readonly scale: number;
  /**
   * Candidates that, in theory, make as much progress per update as one lane. The rounds need only show that they are
   * not worse.
   */
  readonly even: readonly Sharing[];
  /** Whether steps become shorter during the run, so that gradient noise adds less and less to the objective. */
  readonly shortens: boolean;
}

export interface PlanChoice {
  readonly sharing: Sharing;
  readonly why: string;
  readonly figures: readonly Figures[];
  /** Even candidates that are fast enough overall, but not in enough rounds. More rounds can decide. */
  readonly unsure: readonly Sharing[];
}

/**
 * Minimum number of rounds before another plan than one lane can be chosen. A candidate that is only as good as one
 * lane wins all five with probability 2⁻⁵.
 */
export const ROUNDS = 5;
/** Minimum speed-up over one lane. A smaller one might be chance, and runs on one lane are reproducible. */
export const WORTH = 1.1;
/**
 * A candidate is dropped after `FIRST_LOOK` rounds if its updates per second were below `HOPELESS` × one lane's in
 * every round. Twice the progress per update, which could make up for that, does not occur.
 */
const FIRST_LOOK = 2;
const HOPELESS = 0.5;
/** Share of rounds in which an even candidate must be faster. Other programs might disturb the remaining rounds. */
const FASTER_IN = 3 / 4;
/** Largest lag of an even candidate behind one lane after a stretch, relative to `scale`, if steps become shorter. */
export const BEHIND = 0.005;
/** The same limit if steps do not become shorter, because the candidate then never catches up. */
export const STAYS_BEHIND = 0.001;
/** Order of preference in ties: runs on one lane or with replicas are reproducible, racing runs are not. */
const order: readonly Sharing[] = ["one lane", "replicas", "racing"];

/** Comparison of a candidate with one lane. */
interface Comparison {
  readonly figures: Figures;
  /** Updates per second, relative to one lane. */
  readonly hardware: number;
  /** Progress per update, relative to one lane; NaN if one lane made no progress. */
  readonly statistical: number;
  /** Whether the candidate counts as equal to one lane per update, so that only its updates per second matter. */
  readonly asFar: boolean;
  /** Speed-up over one lane. */
  readonly worth: number;
  /** Whether the candidate was faster in enough rounds. */
  readonly steady: boolean;
}

/**
 * Chooses the plan that lowers the objective fastest: fall per second = updates per second × fall per update (hardware
 * × statistical efficiency; Zhang, Ré 2014).
 *
 * Another plan than one lane is chosen only if it is more than `WORTH` times as fast, over at least `ROUNDS` rounds,
 * and faster in every one of them.
 *
 * Late in a run, gradient noise outweighs the progress of a stretch, and the falls no longer show which candidate is
 * better. Candidates listed as `even` make equal progress per update in theory, so they are compared by updates per
 * second alone. They must be faster in at least three quarters of the rounds. On average, their stretches must end as
 * low as one lane's, within a small fraction of `scale`.
 */
export function choosePlan(rounds: readonly Round[], known: Known = { scale: 0, even: [], shortens: false }): PlanChoice {
  const figures = order.filter((sharing) => rounds.some((round) => round[sharing])).map((sharing) => figuresOf(sharing, rounds));
  const isOver = rounds.length > 0 && hopeless(rounds).length === figures.length - 1;
  if (rounds.length < ROUNDS && !isOver)
    return { sharing: "one lane", why: `only ${rounds.length} of ${ROUNDS} rounds of measuring were made`, figures, unsure: [] };
  const [, ...rest] = figures;
  const others = rest.map((other) => compare(other, rounds, known));
  const faster = others.filter(({ worth, steady }) => steady && worth > WORTH);
  const best = faster.reduce<Comparison | undefined>((a, b) => (a && a.worth >= b.worth ? a : b), undefined);
  if (best) return { sharing: best.figures.sharing, why: why(best), figures, unsure: [] };
  const unsure = others.filter(({ asFar, worth }) => asFar && worth > WORTH).map((other) => other.figures.sharing);
  return { sharing: "one lane", why: others.map(why).join("; ") || "there was no other way", figures, unsure };
}

/** Returns the candidates that are too slow to need another round. */
export function hopeless(rounds: readonly Round[]): Sharing[] {
  return order.filter((sharing) => {
    const own = rounds.filter((round) => round[sharing]);
    return own.length >= FIRST_LOOK && own.every((round) => pace(round[sharing]) < HOPELESS * pace(round["one lane"]));
  });
}

/** Compares a candidate with one lane. Only rounds in which the candidate took part count. */
function compare(figures: Figures, all: readonly Round[], { scale, even, shortens }: Known): Comparison {
  const { sharing } = figures;
  const rounds = all.filter((round) => round[sharing]);
  const alone = figuresOf("one lane", rounds);
  const hardware = figures.updatesPerSecond / alone.updatesPerSecond;
  const statistical = alone.fallPerUpdate > 0 ? figures.fallPerUpdate / alone.fallPerUpdate : Number.NaN;
  const behind = mean(rounds.map((round) => round["one lane"].fell - (round[sharing]?.fell ?? Number.NaN)));
  const asFar = even.includes(sharing) && behind <= (shortens ? BEHIND : STAYS_BEHIND) * scale;
  const wins = rounds.filter((round) =>
    asFar ? pace(round[sharing]) > pace(round["one lane"]) : speed(round[sharing]) > speed(round["one lane"]),
  ).length;
  // If one lane made no progress, the divisor is 0, so the speed-up of any candidate that did is infinite.
  const worth = asFar ? hardware : figures.fallPerSecond > 0 ? figures.fallPerSecond / Math.max(0, alone.fallPerSecond) : 0;
  return {
    figures,
    hardware,
    statistical,
    asFar,
    worth,
    steady: rounds.length >= ROUNDS && wins >= (asFar ? FASTER_IN : 1) * rounds.length,
  };
}

function speed(stretch: Stretch | undefined): number {
  const found = stretch ? stretch.fell / stretch.seconds : Number.NaN;
  return Number.isFinite(found) ? found : Number.NEGATIVE_INFINITY;
}

function pace(stretch: Stretch | undefined): number {
  const found = stretch ? stretch.updates / stretch.seconds : Number.NaN;
  return Number.isFinite(found) ? found : Number.NEGATIVE_INFINITY;
}

function figuresOf(sharing: Sharing, rounds: readonly Round[]): Figures {
  const stretches = rounds.flatMap((round) => round[sharing] ?? []);
  const updatesPerSecond = median(stretches.map(pace));
  const fallPerUpdate = mean(stretches.map(({ fell, updates }) => fell / updates));
  return { sharing, updatesPerSecond, fallPerUpdate, fallPerSecond: updatesPerSecond * fallPerUpdate };
}

const mean = (numbers: readonly number[]): number => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const called = { "one lane": "one lane", replicas: "averaged replicas", racing: "racing on one model" };

function why({ figures, hardware, statistical, asFar, worth, steady }: Comparison): string {
  const name = called[figures.sharing];
  const updates = `${short(hardware)} × the updates per second`;
  const uneven = worth > WORTH && !steady ? ", but not in enough of the rounds" : "";
  if (asFar) return `${name} trained ${short(worth)} times as fast as one lane${uneven} (${updates}, to as low a loss)`;
  if (!(figures.fallPerUpdate > 0)) return `${name} did not lower the loss`;
  if (Number.isNaN(statistical)) return `${name} lowered the loss, which one lane did not${uneven} (${updates})`;
  return `${name} lowered the loss ${short(worth)} times as fast as one lane${uneven} (${updates}, ${short(statistical)} × the progress per update)`;
}

const short = (x: number): string => String(Number(x.toPrecision(2)));
