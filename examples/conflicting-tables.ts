/**
 * Two tables say when paintings were made, and do not agree. Which year holds? Rules with weights decide: how far each table is to be trusted, by how its
 * rows came about; that a painting was made in one year; and that its painter was alive.
 *
 * Each pair of a painting and a year that some table claims is an unknown, true or false. `knowledgeBase` joins rules and tables to a factor graph, and
 * `infer` gives each unknown its probability, here exactly.
 *
 * Run: ergodic example conflicting-tables
 */
import { fileURLToPath } from "node:url";
import { infer, knowledgeBase, query, relation, weightedRule } from "ergodic";

/** The museum's cards, typed or scanned from handwriting. */
const museum = [
  { painting: "Harbour at dawn", year: 1874, entered: "typed" },
  { painting: "The ferryman", year: 1817, entered: "scanned" },
  { painting: "Two sisters", year: 1903, entered: "scanned" },
  { painting: "Winter road", year: 1888, entered: "typed" },
  { painting: "Market day", year: 1911, entered: "typed" },
];
/** The insurer's list. */
const insurer = [
  { painting: "Harbour at dawn", year: 1874, entered: "typed" },
  { painting: "The ferryman", year: 1871, entered: "typed" },
  { painting: "Two sisters", year: 1908, entered: "typed" },
  { painting: "Winter road", year: 1883, entered: "scanned" },
  { painting: "Market day", year: 1912, entered: "typed" },
];
const painters = [
  { painting: "Harbour at dawn", painter: "A. Holm", born: 1840, died: 1899 },
  { painting: "The ferryman", painter: "A. Holm", born: 1840, died: 1899 },
  { painting: "Two sisters", painter: "M. Brandt", born: 1861, died: 1905 },
  { painting: "Winter road", painter: "A. Holm", born: 1840, died: 1899 },
  { painting: "Market day", painter: "J. Lind", born: 1870, died: 1950 },
];

const rows = [...museum.map((row) => ({ ...row, table: "museum" })), ...insurer.map((row) => ({ ...row, table: "insurer" }))];
const claims = relation("claims", rows);
const lives = relation("lives", painters);
const madeIn = query("madeIn", rows, { key: ["painting", "year"], distinct: true });

/** Log odds that a claim adds, by how it was entered; learning could set them from paintings whose year is known. */
const trust: Readonly<Record<string, number>> = { typed: 1.2, scanned: 0.4 };

const rules = [
  weightedRule({
    name: "few claims hold",
    head: madeIn({ painting: "p", year: "y" }),
    weight: -0.5,
  }),
  weightedRule({
    name: "claimed",
    head: madeIn({ painting: "p", year: "y" }),
    body: [claims({ painting: "p", year: "y", entered: "how", table: "t" })],
    weight: ({ how }) => trust[how],
  }),
  weightedRule({
    name: "one year each",
    head: madeIn.not({ painting: "p", year: "other" }),
    body: [madeIn({ painting: "p", year: "y" }), madeIn.exists({ painting: "p", year: "other" })],
    where: ({ y, other }) => y < other,
    weight: 4,
  }),
  weightedRule({
    name: "painter alive",
    head: madeIn.not({ painting: "p", year: "y" }),
    body: [lives({ painting: "p", born: "from", died: "to" }), madeIn.exists({ painting: "p", year: "y" })],
    where: ({ y, from, to }) => y < from + 12 || y > to,
    weight: 5,
  }),
];

export interface Resolved {
  painting: string;
  year: number;
  p: number;
}

export async function main(print: (line: string) => void = console.log): Promise<Resolved[]> {
  const kb = knowledgeBase(rules);
  print(String(kb.explain()));
  const graph = kb.ground();
  print(String(graph));
  const answer = await infer(graph);
  const best = new Map<string, Resolved>();
  for (const { key, p } of kb.beliefs(madeIn, answer))
    if (p > (best.get(key.painting)?.p ?? 0)) best.set(key.painting, { ...key, p });
  for (const { painting, year, p } of best.values()) print(`${painting.padEnd(16)} ${year}  p = ${p.toFixed(3)}`);
  print("why not 1817 for The ferryman:");
  print(String(kb.why(madeIn, { painting: "The ferryman", year: 1817 }, answer)));
  return [...best.values()];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
