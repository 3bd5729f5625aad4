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
  /** Hardware efficiency. */
  readonly updatesPerSecond: number;
  /** Statistical efficiency: by how much an update lowers the objective. */
  readonly fallPerUpdate: number;
  /** Their product, by which the candidates are compared. */
  readonly fallPerSecond: number;
}

export interface PlanChoice {
  readonly sharing: Sharing;
  readonly why: string;
  readonly figures: readonly Figures[];
}

/** Rounds without which nothing but one lane is chosen. A candidate no better than one lane wins all of them with a chance of 1 in 2⁵. */
export const ROUNDS = 5;
/** So many times as fast as one lane a candidate must be: less may be luck, and one lane's run can be repeated. */
export const WORTH = 1.1;
/** Where two are equal, the first: one lane and replicas repeat themselves, racing lanes do not. */
const order: readonly Sharing[] = ["one lane", "replicas", "racing"];

/**
 * The way that lowers the objective fastest: fall per second = updates per second × fall per update (hardware × statistical efficiency; Zhang, Ré 2014).
 *
 * Another way than one lane is taken only if it was faster in each of at least `ROUNDS` rounds, and `WORTH` times as fast over all of them.
 */
export function choosePlan(rounds: readonly Round[]): PlanChoice {
  const figures = order.filter((sharing) => rounds.some((round) => round[sharing])).map((sharing) => figuresOf(sharing, rounds));
  if (rounds.length < ROUNDS)
    return { sharing: "one lane", why: `only ${rounds.length} of ${ROUNDS} rounds of measuring were made`, figures };
  const [alone, ...others] = figures;
  const bar = WORTH * Math.max(0, alone.fallPerSecond);
  const faster = others.filter(
    ({ sharing, fallPerSecond }) =>
      fallPerSecond > bar && rounds.every((round) => speed(round[sharing]) > speed(round["one lane"])),
  );
  const best = faster.reduce<Figures | undefined>((a, b) => (a && a.fallPerSecond >= b.fallPerSecond ? a : b), undefined);
  if (best) return { sharing: best.sharing, why: whyTaken(best, alone), figures };
  return {
    sharing: "one lane",
    why: others.map((other) => whyNot(other, alone)).join("; ") || "there was no other way",
    figures,
  };
}

function speed(stretch: Stretch | undefined): number {
  const found = stretch ? stretch.fell / stretch.seconds : Number.NaN;
  return Number.isFinite(found) ? found : Number.NEGATIVE_INFINITY;
}

function figuresOf(sharing: Sharing, rounds: readonly Round[]): Figures {
  const stretches = rounds.flatMap((round) => round[sharing] ?? []);
  const total = (of: (stretch: Stretch) => number): number => stretches.reduce((sum, stretch) => sum + of(stretch), 0);
  const [updates, seconds, fell] = [total((s) => s.updates), total((s) => s.seconds), total((s) => s.fell)];
  return { sharing, updatesPerSecond: updates / seconds, fallPerUpdate: fell / updates, fallPerSecond: fell / seconds };
}

const called = { "one lane": "one lane", replicas: "averaged replicas", racing: "racing on one model" };

function whyTaken(best: Figures, alone: Figures): string {
  const times =
    alone.fallPerSecond > 0
      ? `lowered the loss ${short(best.fallPerSecond / alone.fallPerSecond)} times as fast as one lane`
      : "lowered the loss, which one lane did not";
  return `${called[best.sharing]} ${times} (${parts(best, alone)})`;
}

function whyNot(other: Figures, alone: Figures): string {
  if (!(alone.fallPerSecond > 0)) return `${called[other.sharing]} did not lower the loss in each round`;
  const times = other.fallPerSecond / alone.fallPerSecond;
  const name = called[other.sharing];
  if (!(times > 0)) return `${name} did not lower the loss`;
  const uneven = times > WORTH ? ", but not in each round" : "";
  return `${name} lowered the loss ${short(times)} times as fast as one lane${uneven} (${parts(other, alone)})`;
}

/** The two efficiencies, relative to one lane's. */
function parts(some: Figures, alone: Figures): string {
  const updates = `${short(some.updatesPerSecond / alone.updatesPerSecond)} × the updates per second`;
  if (!(alone.fallPerUpdate > 0)) return updates;
  return `${updates}, ${short(some.fallPerUpdate / alone.fallPerUpdate)} × the progress per update`;
}

const short = (x: number): string => String(Number(x.toPrecision(2)));
