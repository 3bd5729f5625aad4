import { stream } from "../../../src/engine/random/stream.ts";
import {
  type FactorGraph,
  type KnowledgeBase,
  knowledgeBase,
  query,
  relation,
  weightedRule,
} from "../../../src/entries/everything.ts";

const [PEOPLE, FIRMS, SENTENCES, WORDS, EACH] = [400, 40, 2400, 24, 6];
/** Shares of the truth that are given as labels. */
const SEEN = { expresses: 0.4, employs: 0.6 };
const TRUE: Readonly<Record<string, number>> = { sentence: -0.4, job: -0.5, said: 0.6, together: 1 };

type Truth = Readonly<Record<"expresses" | "employs", readonly boolean[]>>;

/** Rows only: sentences with words, each about a person and a firm, and people who could be colleagues. */
function rows() {
  const draws = stream(11, "generated world").at(0);
  const jobs = Array.from({ length: 2 * PEOPLE }, (_, i) => ({ person: i >> 1, firm: ((i >> 1) * 7 + 13 * (i & 1)) % FIRMS }));
  const said = Array.from({ length: SENTENCES }, (_, sentence) => ({ sentence, ...jobs[draws.integer(jobs.length)] }));
  const words = said.flatMap(({ sentence }) =>
    Array.from({ length: EACH / 2 + draws.integer(EACH + 1) }, () => ({ sentence, word: draws.integer(WORDS) })),
  );
  const met = Array.from({ length: PEOPLE }, (_, one) => ({ one, other: (one + FIRMS) % PEOPLE }));
  return { jobs, said, words, met, uniform: () => draws.uniform(), normal: () => draws.normal() };
}

/** Returns the knowledge base and the rule that it omits at first. Includes labels if the truth is given. */
function open(given: ReturnType<typeof rows>, truth?: { states: Truth; kept: Truth }) {
  const labelled = <R extends object>(list: readonly R[], name: keyof Truth) =>
    list.map((row, i) => ({ ...row, label: truth ? truth.states[name][i] : null }));
  const isKept = (name: keyof Truth, i: number): boolean => truth?.kept[name][i] ?? false;
  const expresses = query("expresses", labelled(given.said, "expresses"), {
    key: ["sentence"],
    label: "label",
    holdOut: ({ sentence }) => isKept("expresses", Number(sentence)),
  });
  const placeOf = new Map(given.jobs.map(({ person, firm }, i) => [`${person} ${firm}`, i]));
  const employs = query("employs", labelled(given.jobs, "employs"), {
    key: ["person", "firm"],
    label: "label",
    holdOut: ({ person, firm }) => isKept("employs", placeOf.get(`${person} ${firm}`)!),
  });
  const [said, words, met] = [relation("said", given.said), relation("words", given.words), relation("met", given.met)];
  const [e, w] = [expresses({ sentence: "s" }), employs({ person: "p", firm: "f" })];
  const rules = [
    weightedRule({ name: "sentence", head: e, weight: "sentence" }),
    weightedRule({ name: "word", head: e, body: [words({ sentence: "s", word: "w" })], weight: ({ w: word }) => `${word}` }),
    weightedRule({ name: "job", head: w, weight: "job" }),
    weightedRule({
      name: "said",
      head: w,
      body: [e, said({ sentence: "s", person: "p", firm: "f" })],
      semantics: "equal",
      weight: "said",
    }),
  ];
  const later = weightedRule({
    name: "together",
    head: employs({ person: "q", firm: "f" }),
    body: [w, met({ one: "p", other: "q" })],
    weight: "together",
  });
  return { rules, later, expresses, employs };
}

/**
 * A small knowledge base whose truth `draw` samples from the rules at known weights. `whole` includes all rules from
 * the start.
 */
export async function generatedWorld(draw: (graph: FactorGraph) => Promise<readonly number[]>) {
  const given = rows();
  const words = Array.from({ length: WORDS }, () => 0.7 * given.normal());
  const weightsOf = (graph: FactorGraph): number[] =>
    Array.from({ length: graph.weightCount }, (_, id) => {
      const { name } = graph.weightState(id);
      return TRUE[name!] ?? words[Number(name!.slice("word: ".length))];
    });
  const bare = open(given);
  const base = knowledgeBase([...bare.rules, bare.later]);
  const graph = base.ground();
  const states = await draw(graph.withWeights(weightsOf(graph)));
  const truth = {
    expresses: given.said.map(({ sentence }) => states[base.variable(bare.expresses, { sentence })] === 1),
    employs: given.jobs.map(({ person, firm }) => states[base.variable(bare.employs, { person, firm })] === 1),
  };
  const kept = {
    expresses: truth.expresses.map(() => given.uniform() >= SEEN.expresses),
    employs: truth.employs.map(() => given.uniform() >= SEEN.employs),
  };
  return {
    weightsOf,
    open(whole: boolean) {
      const { rules, later, ...queries } = open(given, { states: truth, kept });
      return { kb: knowledgeBase(whole ? [...rules, later] : rules), later, queries };
    },
  };
}

/** F1 and calibration error of held-out labels, over both queries. */
export function scores(
  kb: KnowledgeBase,
  { expresses, employs }: ReturnType<Awaited<ReturnType<typeof generatedWorld>>["open"]>["queries"],
  answer: Parameters<KnowledgeBase["why"]>[2],
) {
  const found = [...kb.beliefs(expresses, answer), ...kb.beliefs(employs, answer)].filter(({ heldOut }) => heldOut);
  const count = (fits: (says: boolean, is: boolean) => boolean): number =>
    found.filter(({ p, label }) => fits(p > 0.5, label === "true")).length;
  const tables = [kb.calibration(expresses, answer), kb.calibration(employs, answer)];
  const labels = tables.reduce((sum, table) => sum + table.count, 0);
  return {
    f1: (2 * count((says, is) => says && is)) / (count((says) => says) + count((_, is) => is)),
    calibration: tables.reduce((sum, table) => sum + table.error * table.count, 0) / labels,
    labels,
  };
}
