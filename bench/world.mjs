/**
 * A generated world for a knowledge base: people, companies, and sentences, some of which express that a person works
 * for a company. The unknowns are which sentences express this, who works where, and who are colleagues; rules with
 * tied weights join the three. The truth is drawn from the rules at known weights, by Gibbs sampling; a part of it
 * becomes labels, and the rest is held out.
 */
import { randomNumbers } from "./data.mjs";

/** About 1.08 million factors over 116,000 unknowns, with 806 weights. */
export const longSizes = {
  ...{ people: 16_000, companies: 800, sentences: 64_000, pairs: 20_000 },
  ...{ words: 400, tags: 200, traits: 100, sectors: 10, trades: 10 },
};
/** A quarter of the rows: 270,000 factors. There are as many weights, so each has a quarter of the data. */
export const usualSizes = { ...longSizes, people: 4000, companies: 200, sentences: 16_000, pairs: 5000 };
export const tinySizes = {
  ...{ people: 60, companies: 6, sentences: 200, pairs: 60 },
  ...{ words: 20, tags: 10, traits: 10, sectors: 2, trades: 2 },
};
/** Mean numbers per sentence, person and pair. */
const [WORDS_EACH, TAGS_EACH, TRAITS_EACH] = [8, 4, 8];
/** Shares of the truth that become labels, by query. */
const SEEN = { expresses: 0.3, employs: 0.5, colleagues: 0.5 };

/** Returns the rows of all tables, without labels. */
function tables({ people, companies, sentences, pairs, words, tags, traits, sectors, trades }, { uniform }) {
  const below = (count) => Math.floor(uniform() * count);
  const works = [];
  const staff = Array.from({ length: companies }, () => []);
  for (let person = 0; person < people; person++) {
    const first = below(companies);
    for (const company of [first, (first + 1 + below(companies - 1)) % companies]) {
      works.push({ person, company });
      staff[company].push(person);
    }
  }
  /**
   * From half to one and a half times the mean number. If all had the same number, their weights could not be
   * distinguished from a rule without a body.
   */
  const several = (owner, count, each, of) =>
    Array.from({ length: count }, (_, i) =>
      Array.from({ length: each / 2 + below(each + 1) }, () => ({ [owner]: i, [of.name]: below(of.count) })),
    ).flat();
  const said = Array.from({ length: sentences }, (_, sentence) => ({ sentence, ...works[below(works.length)] }));
  const met = new Map();
  while (met.size < pairs) {
    const among = staff[below(companies)];
    const [one, other] = [among[below(among.length)], among[below(among.length)]];
    if (one !== undefined && one < other) met.set(one * people + other, { one, other });
  }
  const couples = [...met.values()].map((row, pair) => ({ pair, ...row }));
  return {
    said,
    works,
    couples,
    words: several("sentence", sentences, WORDS_EACH, { name: "word", count: words }),
    tags: several("person", people, TAGS_EACH, { name: "tag", count: tags }),
    traits: several("pair", pairs, TRAITS_EACH, { name: "trait", count: traits }),
    trades: Array.from({ length: people }, (_, person) => ({ person, trade: below(trades) })),
    sectors: Array.from({ length: companies }, (_, company) => ({ company, sector: below(sectors) })),
    rivals: Array.from({ length: people }, (_, person) => ({
      first: works[2 * person].company,
      second: works[2 * person + 1].company,
      person,
    })),
  };
}

/**
 * Queries and rules over them. `labels`: per query and row { label, kept }, where `kept` says whether the label is held
 * out.
 */
function rulesOf({ query, relation, weightedRule }, rows, labels) {
  const labelled = (name, list) =>
    list.map((row, i) => ({ ...row, label: labels?.[name][i].label, kept: labels?.[name][i].kept ?? false }));
  const make = (name, list, key) => {
    const own = labelled(name, list);
    const keptKeys = new Set(own.flatMap((row) => (row.kept ? [key.map((k) => row[k]).join()] : [])));
    const options = labels ? { label: "label", holdOut: (row) => keptKeys.has(key.map((k) => row[k]).join()) } : {};
    return query(name, own, { key, ...options });
  };
  const expresses = make("expresses", rows.said, ["sentence"]);
  const employs = make("employs", rows.works, ["person", "company"]);
  const colleagues = make("colleagues", rows.couples, ["pair"]);
  const of = Object.fromEntries(
    ["said", "couples", "words", "tags", "traits", "trades", "sectors", "rivals"].map((name) => [
      name,
      relation(name, rows[name]),
    ]),
  );
  const [e, w, c] = [expresses({ sentence: "s" }), employs({ person: "p", company: "c" }), colleagues({ pair: "k" })];
  const rules = [
    weightedRule({ name: "sentence", head: e, weight: "sentence" }),
    weightedRule({ name: "word", head: e, body: [of.words({ sentence: "s", word: "w" })], weight: ({ w }) => `${w}` }),
    weightedRule({ name: "said", head: w, body: [e, of.said({ sentence: "s", person: "p", company: "c" })], weight: "said" }),
    weightedRule({ name: "unsaid", head: e, body: [w, of.said({ sentence: "s", person: "p", company: "c" })], weight: "unsaid" }),
    weightedRule({
      name: "trade",
      head: w,
      body: [
        of.trades({ person: "p", trade: "t" }),
        employs.exists({ person: "p", company: "c" }),
        of.sectors({ company: "c", sector: "b" }),
      ],
      weight: ({ t, b }) => `${t} in ${b}`,
    }),
    weightedRule({
      name: "tag",
      head: w,
      body: [of.tags({ person: "p", tag: "t" }), employs.exists({ person: "p", company: "c" })],
      weight: ({ t }) => `${t}`,
    }),
    weightedRule({ name: "pair", head: c, weight: "pair" }),
    weightedRule({ name: "trait", head: c, body: [of.traits({ pair: "k", trait: "t" })], weight: ({ t }) => `${t}` }),
    weightedRule({
      name: "one job",
      head: employs.not({ person: "p", company: "d" }),
      body: [of.rivals({ person: "p", first: "c", second: "d" }), w],
      weight: "one job",
    }),
  ];
  /** The rule that is added later: it joins three unknowns. */
  const later = weightedRule({
    name: "together",
    head: c,
    body: [of.couples({ pair: "k", one: "p", other: "q" }), w, employs({ person: "q", company: "c" })],
    semantics: "and",
    weight: "together",
  });
  return { rules, later, queries: { expresses, employs, colleagues } };
}

/** Returns the weight of a name with which the truth is drawn. */
function trueWeights(random) {
  const single = { sentence: -0.6, said: 1.6, unsaid: 0.9, pair: -0.6, "one job": 1.4, together: 0.6 };
  const drawn = new Map();
  return (name) => {
    if (Object.hasOwn(single, name)) return single[name];
    const [mean, scale] = name.startsWith("trade") ? [-0.9, 0.7] : name.startsWith("word") ? [0, 0.6] : [0, 0.5];
    if (!drawn.has(name)) drawn.set(name, mean + scale * random.normal());
    return drawn.get(name);
  };
}

/**
 * A world whose truth is drawn by `draw(graph)`, which resolves to the states of a graph's variables. `open(whole)`
 * makes a knowledge base from it with labels; `whole` says whether the rule that joins three unknowns is included from
 * the start.
 */
export async function makeWorld(api, sizes, seed, draw) {
  const random = randomNumbers(seed);
  const rows = tables(sizes, random);
  const weightOf = trueWeights(random);
  const values = (graph) => Array.from({ length: graph.weightCount }, (_, id) => weightOf(graph.weightState(id).name));
  const bare = rulesOf(api, rows);
  const base = api.knowledgeBase([...bare.rules, bare.later]);
  const graph = base.ground();
  const states = await draw(graph.withWeights(values(graph)));
  const labels = {};
  for (const [name, list] of Object.entries({ expresses: rows.said, employs: rows.works, colleagues: rows.couples }))
    labels[name] = list.map((row) => {
      const { [name]: asked } = bare.queries;
      const key =
        name === "employs"
          ? { person: row.person, company: row.company }
          : name === "expresses"
            ? { sentence: row.sentence }
            : { pair: row.pair };
      return { label: states[base.variable(asked, key)] === 1, kept: random.uniform() >= SEEN[name] };
    });
  const open = (whole = true) => {
    const { rules, later, queries } = rulesOf(api, rows, labels);
    return { kb: api.knowledgeBase(whole ? [...rules, later] : rules), later, queries };
  };
  return { open, values, factors: graph.factorCount };
}

/**
 * Scores the held-out unknowns of all queries. F1: an unknown counts as true if p is above ½. Calibration error: the
 * mean error of the probabilities relative to the labels.
 */
export function scores(kb, queries, answer) {
  let [hits, called, there, error, count] = [0, 0, 0, 0, 0];
  for (const query of Object.values(queries)) {
    for (const { p, label, heldOut } of kb.beliefs(query, answer)) {
      if (!heldOut) continue;
      const [says, is] = [p > 0.5, label === "true"];
      hits += says && is ? 1 : 0;
      called += says ? 1 : 0;
      there += is ? 1 : 0;
    }
    const table = kb.calibration(query, answer);
    error += table.error * table.count;
    count += table.count;
  }
  return { f1: (2 * hits) / (called + there), calibration: error / count };
}
