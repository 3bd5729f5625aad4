/** Ways in which workers share the updates of one run of gradient descent. */
export type Sharing = "one lane" | "replicas" | "racing";

/** What one stretch of updates cost, and what it brought. */
export interface Stretch {
  /** Updates, over all lanes. */
  readonly updates: number;
  readonly seconds: number;
  /** By how much the objective is lower than where the round began; negative where it rose. */
  readonly fell: number;
}

/** Stretches of as many updates from the same parameters, one by each candidate. */
export type Round = Readonly<Record<"one lane", Stretch>> & Readonly<Partial<Record<Sharing, Stretch>>>;

/** What the rounds say of a candidate. */
export interface Figures {
  readonly sharing: Sharing;
  /** Hardware efficiency: the median of the rounds, since a stretch during which another program has a processor says nothing. */
  readonly updatesPerSecond: number;
  /** Statistical efficiency: by how much an update lowers the objective. */
  readonly fallPerUpdate: number;
  /** Their product. */
  readonly fallPerSecond: number;
}

/** What is known of the candidates apart from the rounds. */
export interface Known {
  /** What the objective is, or by how much it fell since the start of the run, if that is less: what "as low" is measured by. */
  readonly scale: number;
  /** Candidates of which an update is to bring as much as one lane's by theory: they need not show it, only not be worse. */
  readonly even: readonly Sharing[];
  /** Whether steps become shorter in the course of the run, and with them what the noise of rows adds to the objective. */
  readonly shortens: boolean;
}

export interface PlanChoice {
  readonly sharing: Sharing;
  readonly why: string;
  readonly figures: readonly Figures[];
  /** Even candidates that are fast enough, but not in enough of the rounds: more rounds would tell. */
  readonly unsure: readonly Sharing[];
}

/** Rounds without which nothing but one lane is chosen. A candidate no better than one lane wins all of them with a chance of 1 in 2⁵. */
export const ROUNDS = 5;
/** So many times as fast as one lane a candidate must be: less may be luck, and one lane's run can be repeated. */
export const WORTH = 1.1;
/** After so many rounds, a candidate that made less than this part of one lane's updates per second in each of them gets no other: no update brings twice as much. */
const FIRST_LOOK = 2;
const HOPELESS = 0.5;
/** Of the rounds, in how many an even candidate must have been faster: in the others another program may have had a processor. */
const FASTER_IN = 3 / 4;
/** How far an even candidate may be behind one lane after a stretch, as a part of `scale`; and where steps stay as long, so that it stays behind. */
export const BEHIND = 0.005;
export const STAYS_BEHIND = 0.001;
/** Where two are equal, the first: one lane and replicas repeat themselves, racing lanes do not. */
const order: readonly Sharing[] = ["one lane", "replicas", "racing"];

/** A candidate against one lane. */
interface Comparison {
  readonly figures: Figures;
  /** × one lane's updates per second. */
  readonly hardware: number;
  /** × the progress of one lane's update; NaN where one lane made none. */
  readonly statistical: number;
  /** Whether it comes as far as one lane by as many updates: its worth is its speed alone. */
  readonly asFar: boolean;
  /** How many times as fast as one lane it is. */
  readonly worth: number;
  /** Whether that was seen in enough of the rounds. */
  readonly steady: boolean;
}

/**
 * The way that lowers the objective fastest: fall per second = updates per second × fall per update (hardware × statistical efficiency; Zhang, Ré 2014).
 *
 * Another way than one lane is taken only if it is `WORTH` times as fast over the rounds, and was faster in each of at least `ROUNDS` of them.
 *
 * Once the noise of single rows outweighs what a stretch of them gains, the falls of two candidates no longer tell which is better. Of those that are `even`, as many
 * updates bring as much. They are taken for their updates per second, in four of five rounds, if they end a stretch as low as one lane, to within a small part of what
 * the objective fell since the start and of what it is.
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

/** Candidates that need no further round, since they are far too slow. */
export function hopeless(rounds: readonly Round[]): Sharing[] {
  return order.filter((sharing) => {
    const own = rounds.filter((round) => round[sharing]);
    return own.length >= FIRST_LOOK && own.every((round) => pace(round[sharing]) < HOPELESS * pace(round["one lane"]));
  });
}

/** By the rounds of the candidate alone: what comes after it was given up makes it neither better nor worse. */
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
  // One lane that did not lower the objective is slower than any that did.
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
