// Sentences of doc comments, for cells of tables.

/** Whole paragraphs of a comment. @param {string} comment */
export const paragraphs = (comment) =>
  comment
    .replaceAll("\r", "")
    .split(/\n\s*\n/)
    .map((part) => part.trim())
    .filter(Boolean);

/** A comment in one line, without references to files of the sources. @param {string} comment */
export const flat = (comment) =>
  comment
    .replace(/\s+\([\w/-]+\.ts\)/g, "")
    .replace(/\{@link (\w+)\}/g, "`$1`")
    .replace(/\s+/g, " ")
    .trim();

/**
 * Sentences of a text. A sentence ends with a full stop before a capital letter or a quotation mark; abbreviations such
 * as "e.g." are followed by other characters.
 *
 * @param {string} text
 */
export const sentences = (text) =>
  flat(text).split(/(?<=[^.]\.\)?)(?<!\b(?:e\.g|i\.e|al|vs)\.) (?=[A-Z"`(“0-9α-ωΑ-Ω|‖ℓ∂∇]|x: |x is )/);

/** @param {string} text */
export function firstSentence(text) {
  const [first, second] = sentences(paragraphs(text)[0] ?? "");
  return second !== undefined && first.split(" ").length < 4 ? `${first} ${second}` : first;
}

/**
 * Splits the comment of an option into its meaning (one sentence) and its default, if the comment states it.
 *
 * @param {string} comment
 * @returns {{ meaning: string, fallback: string | undefined }}
 */
export function meaningAndDefault(comment) {
  const all = sentences(comment);
  const stated = all.find((sentence) => /^(The default|Default|By default)\b/.test(sentence) && sentence !== all[0]);
  const meaning = all[0] ?? "";
  const inline = /("[^"]*"|\w+\(\)|\w+: \w+|`[^`]*`) \(default\b/.exec(flat(comment))?.[1];
  const within = /(?:, default:?|[.;] Default:?|; default:?) ([^;.]+?)[.;]/.exec(meaning)?.[1];
  const said = stated?.replace(/^(The default|Default|By default)[:,]? /, "").replace(/\.$/, "");
  return { meaning, fallback: said ?? inline ?? within };
}

/** Text as the cell of a table. @param {string} text */
export const cell = (text) => flat(text).replaceAll("|", "\\|");
