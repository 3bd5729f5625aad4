/**
 * Advice on how to improve the chains of this run. The advice fits the run's algorithm and model, and never suggests an
 * option that the run already used.
 *
 * `description.algorithm` holds the options of the run. `description.density` holds the properties of the model:
 * whether it has a gradient, which parameters are whole numbers, and which belong to a hierarchy, centred or not.
 * `description.relativeVariances` shows whether the data or the prior determine the parameters of a hierarchy.
 * Little is known about draws from other tools, so the advice for them is general.
 */
import type { Json, JsonObject } from "../../../engine/contract/index.ts";
import { algorithmOf, nameOf } from "../method.ts";
import { few, type Judged } from "./finding.ts";

const hamiltonian = new Set(["nuts", "hmc", "mala"]);
const stochastic = new Set(["sgld", "psgld", "sghmc", "sgnht"]);
const TARGETS = [0.95, 0.99, 0.999];
/**
 * Largest dimension for which a dense metric is suggested. In higher dimensions, a dense metric needs more draws than a
 * warm-up has.
 */
const MOST_DENSE = 200;

/**
 * Posterior variance relative to prior variance below which the data determine a parameter, so that its centred form
 * mixes well. At 1/2, data and prior are equally informative, and both forms mix about equally well.
 */
const DETERMINED = 0.25;

const objectOf = (value: Json | undefined): JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
const namesOf = (value: Json | undefined): string[] => (Array.isArray(value) ? value.map(String) : []);
const numberOf = (value: Json | undefined): number | undefined => (typeof value === "number" ? value : undefined);

/** Ways to improve mixing, most promising first; empty if none is known. */
export function waysToMix(draws: Judged): string[] {
  const name = nameOf(draws);
  const options = algorithmOf(draws);
  if (name === undefined || draws.description.source === "Stan")
    return ["write the model so that its parameters depend less on each other"];
  if (hamiltonian.has(name))
    return [...centring(draws), ...hamiltonianWays(name, options, numberOf(draws.description.dimension), draws.report)];
  if (stochastic.has(name))
    return [
      ...centring(draws),
      ...stochasticWays(options, draws.report),
      ...followGradient(draws, "use nuts() on all rows, if time allows"),
    ];
  if (name === "parallelTempering")
    return [
      ...centring(draws),
      `use more copies (temperatures closer together), or more transitions between swaps (swapEvery: ${2 * (numberOf(options.swapEvery) ?? 1)})`,
    ];
  if (name === "sequentialMonteCarlo") {
    const moves = numberOf(options.moves);
    return [
      ...centring(draws),
      moves === undefined ? "use more moves per stage" : `use more moves per stage (moves: ${2 * moves})`,
    ];
  }
  if (name === "gibbs" && (options.blocks === undefined || JSON.stringify(options).includes('"algorithm":"nuts"')))
    return [...centring(draws), ...sumOut(draws)];
  const wide = name === "randomWalk" && options.covariance === "diagonal" ? ['use covariance: "dense"'] : [];
  return [...centring(draws), ...wide, ...followGradient(draws, "use nuts(), which follows the gradient")];
}

/** Returns advice such as "warm up longer and draw more (warmup: 2000, draws: 2000)". */
export function drawMore(draws: Judged): string {
  const warmup = numberOf(objectOf(draws.description.plan).warmup) ?? 0;
  if (nameOf(draws) === "sequentialMonteCarlo") return `draw more (draws: ${2 * draws.count})`;
  if (warmup === 0) return "warm up longer and draw more";
  return `warm up longer and draw more (warmup: ${2 * warmup}, draws: ${2 * draws.count})`;
}

/**
 * Advises the other form of the parameters of a hierarchy and names the parameters. If the model is unknown, the advice
 * is general. The draws must show that the other form suits the data. Otherwise, each form would be advised to whoever
 * tried the other.
 */
export function centring({ description }: Judged): string[] {
  if (description.density === undefined) return description.names === undefined ? ["use centred: false in a hierarchy"] : [];
  const { centred, nonCentred } = objectOf(description.density);
  const relative = objectOf(description.relativeVariances);
  const isDetermined = (name: string): boolean => (numberOf(relative[name]) ?? Infinity) < DETERMINED;
  const can = namesOf(centred).filter((name) => !isDetermined(name));
  if (can.length > 0) return [`use centred: false for ${few(can)}`];
  const did = namesOf(nonCentred).filter(isDetermined);
  return did.length > 0 ? [`use centred: true for ${few(did)}, which the data determine closely`] : [];
}

/** Returns an acceptance target closer to 1 than the run's own. */
export function higherTarget(draws: Pick<Judged, "description">): number {
  const { targetAcceptance } = algorithmOf(draws);
  const now = targetAcceptance === "auto" ? 0.9 : (numberOf(targetAcceptance) ?? 0.8);
  return TARGETS.find((target) => target > now) ?? 0.9999;
}

/** Advises an acceptance target closer to 1, and says where to set it. */
export function raiseTarget(draws: Pick<Judged, "description">): string {
  const target = higherTarget(draws);
  if (draws.description.source === "Stan") return `raise adapt_delta to ${target}`;
  return `raise targetAcceptance to ${target}${inSampler(draws, "targetAcceptance", target)}`;
}

/** Advises deeper trees, and says where to set the depth. */
export function deeperTrees(draws: Pick<Judged, "description">, limit: number): string {
  if (draws.description.source === "Stan") return `raise max_treedepth to ${limit + 2}`;
  return `raise maxTreeDepth to ${limit + 2}${inSampler(draws, "maxTreeDepth", limit + 2)}`;
}

/** Formats " (algorithm: nuts({ targetAcceptance: 0.95 }))"; "" if the sampler has no such option itself. */
function inSampler(draws: Pick<Judged, "description">, option: string, value: number): string {
  const name = nameOf(draws);
  return name !== undefined && hamiltonian.has(name) ? ` (algorithm: ${name}({ ${option}: ${value} }))` : "";
}

/** Advice for chains that do not move. */
export function waysToMove(draws: Judged): string[] {
  const name = nameOf(draws);
  const start = "start elsewhere (start: …)";
  if (name === undefined) return ["use shorter steps and a longer warm-up", start];
  const cold = numberOf(objectOf(draws.description.plan).warmup) === 0;
  if (hamiltonian.has(name))
    return cold
      ? ["warm up (warmup: 1000), because warm-up adapts the step size and the metric", start]
      : [raiseTarget(draws), "warm up longer", start];
  if (name === "metropolisHastings" || name === "independence") return ["use proposals that are accepted more often", start];
  if (name === "parallelTempering" || name === "sequentialMonteCarlo") return waysToMix(draws);
  const shorter = stochastic.has(name) ? "use another stepSize" : "use shorter steps and a longer warm-up";
  return [shorter, ...followGradient(draws, "use nuts()"), start];
}

function hamiltonianWays(
  name: string,
  options: JsonObject,
  dimension: number | undefined,
  report: Readonly<Record<string, number>>,
): string[] {
  const chosen = report.diagonal ? "diagonal" : "lowRank";
  const metric = options.metric === "auto" ? chosen : options.metric;
  const dense = dimension === undefined || dimension <= MOST_DENSE ? ["dense"] : [];
  const others = ["lowRank", "diagonal", ...dense].filter((kind) => kind !== metric).map((kind) => `"${kind}"`);
  const another = metric === undefined ? [] : [`use another metric (${others.join(", ")})`];
  if (name === "mala") return [...another, "use nuts(), whose trajectories are longer"];
  if (name !== "hmc") return another;
  const jitter = options.jitter === 0 ? ["use jitter: 0.5, so that trajectories do not come back to where they began"] : [];
  return [...jitter, ...another, "use nuts(), which finds the length of its trajectories"];
}

function stochasticWays(options: JsonObject, report: Readonly<Record<string, number>>): string[] {
  const { stepSize, thin, batch, controlVariate, cycle, svrg } = options;
  const centred =
    controlVariate === "mode" ||
    svrg !== undefined ||
    (controlVariate === undefined && stepSize === "auto" && cycle === undefined);
  const variates = centred || batch === "all" ? [] : ['use controlVariate: "mode"'];
  if (cycle !== undefined) return variates;
  const chosen = stepSize === "auto" ? [] : ["leave stepSize and thin out, so that the run determines them"];
  const updates = `make more updates per draw (thin: ${10 * (report.thin ?? numberOf(thin) ?? 1)})`;
  return [...chosen, updates, ...variates];
}

function sumOut({ description }: Judged): string[] {
  const whole = namesOf(objectOf(description.density).discrete);
  return whole.length > 0 ? [`sum ${few(whole)} out with marginalise(), so that nuts() can sample the rest`] : [];
}

/** Recommends a gradient-based sampler if the model has gradients. */
function followGradient(draws: Judged, advice: string): string[] {
  const { density } = draws.description;
  if (density === undefined) return [];
  const discrete = sumOut(draws);
  if (discrete.length > 0) return discrete;
  return [objectOf(density).hasGradient === false ? "give the gradient too, and use nuts()" : advice];
}
