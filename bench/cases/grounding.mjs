/**
 * grounding: factors per second that a knowledge base creates from tables in memory: three rules, 2.75 million factors
 * of one or two unknowns.
 *
 * Ours starts with relations of strings and ends with a factor graph: numbering of values, indexes, joins, weights by
 * name, factors. The peers have the same tables in memory and write the same factors into tables with SQL, as DeepDive
 * grounds: SQLite uses an index per join, then `CREATE TABLE … AS SELECT`, with a weight's number from a table of
 * distinct names. All sides must create the same number of factors, with equal sums of their unknowns' numbers.
 */
import { randomNumbers, share } from "../data.mjs";
import { openErgodic } from "../ergodic.mjs";
import { openPeer } from "../peer.mjs";
import { sized } from "../size.mjs";

const PEOPLE = sized(200_000, 200);
const PAIRS = sized(500_000, 500);
const WORDS = sized(1_000_000, 1000);
const VOCABULARY = sized(20_000, 20);

function makeData(folder) {
  const random = randomNumbers(21);
  const draw = (count, below) => Int32Array.from({ length: count }, () => Math.floor(random.uniform() * below));
  return {
    folder,
    people: PEOPLE,
    one: draw(PAIRS, PEOPLE),
    other: draw(PAIRS, PEOPLE),
    who: draw(WORDS, PEOPLE),
    word: draw(WORDS, VOCABULARY),
  };
}

const ours = async (problem) => {
  const { knowledgeBase, query, relation, weightedRule } = await openErgodic();
  const names = Array.from({ length: problem.people }, (_, i) => `person ${i}`);
  const words = Array.from({ length: VOCABULARY }, (_, i) => `word ${i}`);
  const texts = (numbers, of) => Array.from(numbers, (number) => of[number]);
  const pairs = relation("pairs", { one: texts(problem.one, names), other: texts(problem.other, names) });
  const says = relation("says", { who: texts(problem.who, names), word: texts(problem.word, words) });
  const likes = query("likes", { who: names }, { key: ["who"] });
  const head = likes({ who: "q" });
  const rules = [
    weightedRule({ name: "words", head, body: [says({ who: "q", word: "w" })], weight: ({ w }) => w }),
    weightedRule({
      name: "alike",
      head,
      body: [likes({ who: "p" }), pairs({ one: "p", other: "q" })],
      where: ({ p, q }) => p !== q,
      weight: "alike",
    }),
    weightedRule({
      name: "reached",
      head,
      body: [pairs({ one: "p", other: "r" }), pairs({ one: "r", other: "q" })],
      where: ({ p, q }) => p !== q,
      weight: "reached",
    }),
  ];
  return {
    name: "ergodic",
    note: (rounds) => `${rounds[0].factors.toLocaleString("en")} factors`,
    async round() {
      const start = performance.now();
      const graph = knowledgeBase(rules).ground();
      const seconds = (performance.now() - start) / 1000;
      let sum = 0;
      for (let i = 0; i < graph.factorCount; i++) for (const variable of graph.factorAt(i).variables) sum += variable;
      return { value: graph.factorCount / seconds / 1e6, factors: graph.factorCount, sum };
    },
  };
};

async function database(script, { folder, ...problem }) {
  const peer = await openPeer(script, share(folder, problem));
  return {
    name: peer.version,
    close: () => peer.close(),
    note: ([{ reading }]) => (reading === undefined ? "" : `and ${reading.toFixed(1)} s more until JavaScript has the factors`),
    async round() {
      const { seconds, factors, ...rest } = await peer.run({});
      return { value: factors / seconds / 1e6, factors, ...rest };
    },
  };
}

export default {
  name: "grounding",
  measures: "million factors a second that rules make of tables in memory, by hash joins",
  metric: "M factors/s",
  better: "more",
  makeData,
  ours,
  peers: (problem) => [
    { name: "SQLite", goal: 1, open: () => database("sqlite_grounding.py", problem) },
    { name: "DuckDB", open: () => database("duckdb_grounding.mjs", problem) },
  ],
  compare: ({ rounds: [mine] }, { rounds: [theirs] }) => ({
    text: `${mine.factors} factors against ${theirs.factors}, sums of their unknowns ${mine.sum} and ${theirs.sum}`,
    passed: mine.factors === theirs.factors && mine.sum === theirs.sum,
  }),
};
