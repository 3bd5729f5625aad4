/**
 * Makes glosses.tsv from WordNet 3.0: `node scripts/wordnet-extract.mjs FOLDER > glosses.tsv`. FOLDER contains
 * data.noun and index.noun (Debian: /usr/share/wordnet of wordnet-base).
 *
 * Selects 4000 random single-word nouns with one hypernym each, except people and places. Columns: the noun; the words
 * of its gloss up to the first semicolon; the nouns among them; the hypernym's words.
 */
import { readFileSync } from "node:fs";

const COUNT = 4000;
/** Numbers of WordNet's files for locations and persons. */
const LEFT_OUT = new Set([15, 18]);
const small =
  "a an the of in on at to for with by or and that which who is are was be from as used having not one it its any some this especially usually very more most into out can may your you will his her their first two all such other than but when where";

const folder = process.argv[2];
const lines = (name) =>
  readFileSync(`${folder}/${name}`, "latin1")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith(" "));
const nouns = new Set(lines("index.noun").map((line) => line.split(" ")[0]));
for (const word of small.split(" ")) nouns.delete(word);

const synsets = new Map(
  lines("data.noun").map((line) => {
    const [left, gloss] = line.split(" | ");
    const fields = left.trim().split(" ");
    const count = Number.parseInt(fields[3], 16);
    const words = Array.from({ length: count }, (_, k) => fields[4 + 2 * k].toLowerCase());
    const pointers = fields.slice(5 + 2 * count);
    const above = pointers.flatMap((field, k) => (k % 4 === 0 && field === "@" ? [pointers[k + 1]] : []));
    return [fields[0], { words, above, gloss, file: Number(fields[1]) }];
  }),
);
const usable = [...synsets.values()].filter(
  ({ words, above, file }) => above.length === 1 && !LEFT_OUT.has(file) && /^[a-z]+$/.test(words[0]),
);

let state = 7;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const seen = new Set();
const rows = [];
while (rows.length < COUNT) {
  const { words, above, gloss } = usable[Math.floor(random() * usable.length)];
  const [head] = words;
  if (seen.has(head)) continue;
  seen.add(head);
  const said = gloss.split(";")[0].replace(/\([^)]*\)/g, "");
  const tokens = said.toLowerCase().match(/[a-z'-]+/g) ?? [];
  if (tokens.length < 2) continue;
  const candidates = [...new Set(tokens)].filter((word) => nouns.has(word) && word !== head);
  rows.push([head, tokens.join(" "), candidates.join(" "), synsets.get(above[0]).words.join(" ")].join("\t"));
}
process.stdout.write(`noun\tgloss\tcandidates\thypernyms\n${rows.join("\n")}\n`);
