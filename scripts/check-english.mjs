// Holds comments to plain English as far as a program can: beginnings without a noun or verb, long lines, and words that have a plainer one (CONTRIBUTING,
// "How to write"). Each count has a budget, which only falls: lower it when you rewrite comments.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const FOLDERS = ["ergodic/src", "ergodic/kernels", "ingest/src", "serve/src", "cli/src", "plots/src"];
/** Longest comment line, in characters. */
const LONGEST = 150;

/** Expressions that have a plainer one, and what to write instead. */
const words = [
  [/\banew\b/, "again; rebuilt"],
  [/\b(?:gives?|given) back\b/, "returns; frees"],
  [/\bgone (?:through|over)\b/, "visited; traversed"],
  [/\bgoes on\b|\bgo on\b/, "continues; resumes"],
  [/\bbeside\b/, "next to"],
  [/\bbut for\b/, "except for"],
  [/\bby itself\b/, "automatically; alone"],
  [/\bso many\b(?! [a-z]+ that\b)/, "as many; this many"],
  [/\bhung? together\b|\bhang together\b/, "depend on each other"],
  [/\bis no [a-z]+ of\b/, "is not a …"],
  [/\bat once\b/, "immediately; simultaneously"],
  [/\bis told\b/, "is reported"],
  [/\bstands (?:in|there|for)\b/, "is in; is there; represents"],
  [/, save (?:for|that|in)\b|\bsave for\b/, "except for"],
];

/** Budgets. */
const MOST = { beginnings: 0, lines: 0, words: 0 };

/** @returns {{ beginnings: string[], lines: string[], words: string[] }} places, by kind of fault */
function faults() {
  const found = { beginnings: [], lines: [], words: [] };
  for (const folder of FOLDERS)
    for (const name of readdirSync(join(root, "packages", folder), { recursive: true, encoding: "utf8" })) {
      if (!/\.(ts|js|mjs)$/.test(name) || name.includes("builds")) continue;
      const path = join("packages", folder, name);
      const text = readFileSync(join(root, path), "utf8");
      if (/^(\/\/|\/\*\*?) ?Generated /.test(text)) continue;
      const lineOf = (at) => `${path}:${text.slice(0, at).split("\n").length}`;
      for (const { 1: body, index } of text.matchAll(/\/\*\*(.*?)\*\//gs))
        if (/^(?:What|Of|Where|Those|Whose)\b/.test(body.replace(/\n\s*\*/g, " ").trim())) found.beginnings.push(lineOf(index));
      for (const [k, line] of text.split("\n").entries()) {
        const comment = /^\s*(?:\/\*\*|\*|\/\/)(.*)$/.exec(line)?.[1].replace(/`[^`]*`/g, "");
        if (comment === undefined) continue;
        if (line.length > LONGEST) found.lines.push(`${path}:${k + 1}`);
        for (const [word, instead] of words)
          if (word.test(comment)) found.words.push(`${path}:${k + 1}: ${word.exec(comment)[0]} (write: ${instead})`);
      }
    }
  return found;
}

let failed = false;
for (const [kind, places] of Object.entries(faults())) {
  if (process.argv.includes("--list")) console.log(`${kind}:\n  ${places.join("\n  ")}`);
  const most = MOST[kind];
  if (places.length > most)
    console.error(`${kind}: ${places.length}, more than the budget of ${most}; node scripts/check-english.mjs --list names them`);
  if (places.length < most) console.error(`${kind}: ${places.length}; lower the budget of ${most} in scripts/check-english.mjs`);
  failed ||= places.length !== most;
}
if (failed) process.exit(1);
