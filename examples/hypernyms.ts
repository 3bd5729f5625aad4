/**
 * Which word of a gloss says what a noun is? "A tool with a long handle for moving earth" is a tool, not a handle. A knowledge base learns it from glosses of
 * WordNet whose answer is known, and answers for nouns that it has not seen.
 *
 * Each pair of a noun and a noun of its gloss is an unknown. One rule: features of the place of the word in the gloss add up, a weight a feature. The truth is
 * WordNet's pointers to hypernyms, which no feature reads; nouns, not pairs, are kept back. Against it a pattern: the last noun of the gloss's first phrase.
 * F1 is best at a threshold of about half of itself, so pairs count from 0.3 on.
 *
 * Data: examples/wordnet, an extract of WordNet 3.0 under its licence.
 *
 * Run: ergodic example hypernyms
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { fit, infer, knowledgeBase, lbfgs, query, relation, weightedRule } from "ergodic";
import { murmur3 } from "ergodic/extend";
import { pseudoLikelihood } from "ergodic/graphs";

const THRESHOLD = 0.3;
const phraseEnd = /^(of|that|which|who|with|in|for|used|to|from|by|having|on|at|or|and|as|when|where|whose|is)$/;

interface Pair {
  noun: string;
  word: string;
  is: boolean;
  /** What the pattern says. */
  pattern: boolean;
  features: string[];
}

function pairsOf(line: string): Pair[] {
  const [noun, gloss, candidates, hypernyms] = line.split("\t").map((field) => field.split(" "));
  const cut = gloss.findIndex((word, k) => k > 0 && phraseEnd.test(word));
  const end = cut < 0 ? gloss.length : cut;
  const nouns = candidates.filter((word) => word !== "");
  const last = nouns.findLast((word) => gloss.lastIndexOf(word, end - 1) >= 0);
  return nouns.map((word, k) => {
    const at = gloss.indexOf(word);
    const pattern = word === last;
    const place = pattern ? "last of the first phrase" : at < end ? "in the first phrase" : "behind it";
    const [before = "start", after = "end"] = [gloss[at - 1], gloss[at + 1]];
    const features = [
      ...[
        place,
        `noun ${Math.min(k, 4)}`,
        `word ${Math.min(at, 6)}`,
        word,
        `${word}, ${place}`,
        `before: ${before}`,
        `after: ${after}`,
      ],
      ...[`after: ${after}, ${place}`, `ends in ${word.slice(-3)}, ${place}`, `${noun[0].slice(-3)} is ${word}`],
      ...[
        `begins ${gloss[0]}, ${pattern}`,
        `begins ${gloss[0]} ${gloss[1]}, ${pattern}`,
        `phrase of ${Math.min(end, 6)}, ${pattern}`,
      ],
      `noun ${Math.min(k, 3)} of ${Math.min(nouns.length, 5)}, ${pattern}`,
      ...(noun[0].endsWith(word) ? ["the noun ends in it"] : []),
    ];
    return { noun: noun[0], word, is: hypernyms.includes(word), pattern, features };
  });
}

/** Three in ten nouns, by their letters. */
function keptBack(noun: string): boolean {
  const bytes = new TextEncoder().encode(noun);
  return murmur3(bytes, 0, bytes.length, 0) < 0.3 * 2 ** 32;
}

function f1(pairs: readonly Pair[], says: (pair: Pair) => boolean): number {
  const right = pairs.filter((pair) => pair.is && says(pair)).length;
  return (2 * right) / (pairs.filter((pair) => pair.is).length + pairs.filter(says).length);
}

export async function main(
  print: (line: string) => void = console.log,
): Promise<{ learned: number; pattern: number; error: number }> {
  const file = readFileSync(new URL("wordnet/glosses.tsv", import.meta.url), "utf8");
  const pairs = file.trimEnd().split("\n").slice(1).flatMap(pairsOf);
  const features = pairs.flatMap(({ noun, word, features }) => features.map((feature) => ({ noun, word, feature })));
  const has = relation("has", features);
  const isA = query("isA", pairs, { key: ["noun", "word"], label: "is", holdOut: ({ noun }) => keptBack(String(noun)) });
  const head = isA({ noun: "n", word: "w" });
  const kb = knowledgeBase([
    weightedRule({ name: "features", head, body: [has({ noun: "n", word: "w", feature: "f" })], weight: ({ f }) => f }),
    weightedRule({ name: "few are", head, weight: "few are" }),
  ]);
  const graph = kb.ground();
  print(String(graph));
  const { weights } = await fit(graph, { algorithm: pseudoLikelihood(), rule: lbfgs(), epochs: 100, l2: 6e-4 });
  const answer = await infer(graph.setWeights(weights));

  const test = pairs.filter(({ noun }) => keptBack(noun));
  const believed = new Map(kb.beliefs(isA, answer).map(({ key, p }) => [`${key.noun} ${key.word}`, p]));
  const learned = f1(test, ({ noun, word }) => believed.get(`${noun} ${word}`)! > THRESHOLD);
  const pattern = f1(test, (pair) => pair.pattern);
  print(`F1 on ${test.length} pairs of nouns that were kept back: ${learned.toFixed(3)}, the pattern ${pattern.toFixed(3)}`);
  const calibration = kb.calibration(isA, answer);
  print(String(calibration));
  const { noun, word } = test.find((pair) => pair.is && pair.pattern)!;
  print(`why ${noun} is a ${word}:`);
  print(String(kb.why(isA, { noun, word }, answer).slice(0, 3)));
  return { learned, pattern, error: calibration.error };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
