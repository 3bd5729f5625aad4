import type { Finding, Judged } from "./finding.ts";
import { filledModes, joinModes, placesOf, type Visited } from "./modes.ts";

/** Maximum number of coordinates printed per place. */
const MOST_TOLD = 4;

/**
 * Reports regions that chains visited or missed: modes found by scouts, restarts, and chains that reached the posterior
 * late.
 */
export function places(draws: Judged, before: readonly Finding[]): Finding[] {
  const visited = placesOf(draws);
  return [
    ...missed(
      draws,
      visited.filter((place) => place.missed),
    ),
    ...rare(visited.filter((place) => place.rare)),
    ...apart(draws, visited, before),
    ...late(draws, before),
    ...restarted(draws, visited),
  ];
}

function missed(draws: Judged, found: readonly Visited[]): Finding[] {
  if (found.length === 0) return [];
  const told = found.map(
    (place) =>
      `near ${nearText(place.at)} (${shareText(place.share)} of the probability of this mode and the sampled region together${changeText(place)})`,
  );
  const which = found.length === 1 ? "one of them has" : `${found.length} of them have`;
  return [
    {
      code: "modes",
      serious: true,
      text: `the posterior has several modes, and ${which} no draws or far too few: ${told.join("; ")}`,
      advice: joinModes(draws),
    },
  ];
}

/** Reports modes that are too light to get draws in a run of this length, but heavy enough to change a moment. */
function rare(found: readonly Visited[]): Finding[] {
  if (found.length === 0) return [];
  const told = found.map(
    (place) =>
      `near ${nearText(place.at)} (${shareText(place.share)} of the probability of this mode and the sampled region together${changeText(place)})`,
  );
  return [
    {
      code: "rareModes",
      serious: false,
      text: `a run of this length has no draws from ${found.length === 1 ? "a light mode" : `${found.length} light modes`} ${told.join("; ")}`,
      advice: "report quantiles, which light modes hardly change, or make the run many times as long with parallelTempering()",
    },
  ];
}

/** Reports chains that disagree because each stays in its own mode. */
function apart(draws: Judged, visited: readonly Visited[], before: readonly Finding[]): Finding[] {
  const modes = filledModes(visited);
  if (modes.length < 2 || !before.some(({ code }) => code === "rhat")) return [];
  const told = modes.map(({ at, count }) => `${nearText(at)} (${count} of ${draws.chains} chains)`);
  return [
    {
      code: "modes",
      serious: true,
      text: `the posterior has several modes, and the chains are split between ${modes.length} of them, near ${told.join("; near ")}`,
      advice: joinModes(draws),
    },
  ];
}

function late({ report, chains }: Judged, before: readonly Finding[]): Finding[] {
  const { late: count = 0 } = report;
  if (count === 0) return [];
  const apart = before.some(({ code }) => code === "rhat" || code === "stuck" || code === "oneChain");
  return [
    {
      code: "late",
      serious: apart,
      text: `${count} of ${chains} chains had not reached the posterior halfway through warm-up (the log density was still rising)`,
      advice: "warm up longer, or start nearer to the posterior",
    },
  ];
}

/**
 * Reports chains that were restarted. If a chain had settled before its restart, it was in a minor mode. If it had not
 * settled, it was still on its way to the posterior.
 */
function restarted({ report }: Judged, visited: readonly Visited[]): Finding[] {
  const { restarts = 0 } = report;
  const lost = Math.min(restarts, visited.filter(({ by, settled }) => by === "left" && settled === false).length);
  const once = (count: number): string => (count === 1 ? "once" : `${count} times`);
  const note = { code: "restarts", serious: false, note: true };
  const minor = {
    ...note,
    text: `chains were restarted ${once(restarts - lost)}, because they had settled in a region of almost no probability`,
    advice: "the posterior has a minor mode: if it should have none, give stronger priors",
  };
  const unarrived = {
    ...note,
    text: `chains were restarted ${once(lost)}, because they had not reached the posterior by the end of warm-up`,
    advice:
      "scale the data that the parameters multiply, for example (year - 2000) / 10 for a year, or start nearer to the posterior (start: …)",
  };
  return [...(restarts > lost ? [minor] : []), ...(lost > 0 ? [unarrived] : [])];
}

const nearText = (at: Visited["at"]): string => {
  const numbers = Object.entries(at).map(([name, value]) => `${name} = ${value === null ? "?" : Number(value.toPrecision(3))}`);
  return numbers.slice(0, MOST_TOLD).join(", ") + (numbers.length > MOST_TOLD ? ", …" : "");
};

const shareText = (share: number | null): string => {
  if (share === null) return "an unknown share";
  return share > 0.99 ? "over 99 %" : `${(100 * share).toPrecision(2)} %`;
};

const changeText = ({ changes, sdFactor }: Visited): string =>
  changes === undefined || sdFactor === undefined || sdFactor < 1.1
    ? ""
    : `, yet enough to make the standard deviation of "${changes}" ${sdFactor.toPrecision(2)} times as large`;
