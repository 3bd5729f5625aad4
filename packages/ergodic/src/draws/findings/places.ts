import type { Finding, Judged } from "./finding.ts";

/** A place as a run's description tells it (VisitedPlace of the samplers, in JSON). */
interface Place {
  readonly share: number | null;
  readonly missed: boolean;
  readonly at: Readonly<Record<string, number | null>>;
}

/** Numbers of a place that are told. */
const MOST_TOLD = 4;

/** Where chains have been, and where they have not: modes that scouts found, new starts, chains that came late. */
export function places(draws: Judged, before: readonly Finding[]): Finding[] {
  const visited = (draws.description.places ?? []) as unknown as readonly Place[];
  return [...missed(visited.filter((place) => place.missed)), ...late(draws, before), ...restarted(draws)];
}

function missed(found: readonly Place[]): Finding[] {
  if (found.length === 0) return [];
  const told = found.map(({ at, share }) => `${nearText(at)} (${shareText(share)} of it and where the chains are)`);
  return [
    {
      code: "modes",
      serious: true,
      text: `the posterior has several modes, and the draws have next to none of ${found.length === 1 ? "one" : `${found.length}`} near ${told.join("; near ")}`,
      advice:
        "where modes are mirror images, tell them apart with a constraint such as ordered; otherwise take parallelTempering(), or start chains in each",
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
      text: `${count} of ${chains} chains had not arrived when half of warm-up was over, as the log density still rose`,
      advice: "warm up longer, or start nearer",
    },
  ];
}

function restarted({ report }: Judged): Finding[] {
  const { restarts = 0 } = report;
  if (restarts === 0) return [];
  return [
    {
      code: "restarts",
      serious: false,
      note: true,
      text: `chains started anew ${restarts === 1 ? "once" : `${restarts} times`}, from where next to nothing of the posterior is`,
      advice: "the posterior has a minor mode: if it should have none, give stronger priors",
    },
  ];
}

const nearText = (at: Place["at"]): string => {
  const numbers = Object.entries(at).map(([name, value]) => `${name} = ${value === null ? "?" : Number(value.toPrecision(3))}`);
  return numbers.slice(0, MOST_TOLD).join(", ") + (numbers.length > MOST_TOLD ? ", …" : "");
};

const shareText = (share: number | null): string => (share === null ? "an unknown share" : `${(100 * share).toPrecision(2)} %`);
