/** A string, which is left as it is, or a number that JSON does not have. */
const WORDS = /"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g;

const inJson: Readonly<Record<string, string>> = { NaN: "null", "-NaN": "null", Infinity: "1e999", "-Infinity": "-1e999" };

/**
 * Parses JSON in which numbers can be NaN, Infinity and -Infinity, as XGBoost writes it. NaN becomes null. @throws
 * SyntaxError
 */
export function parseLoose(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!/NaN|Infinity/.test(text)) throw error;
    return JSON.parse(text.replace(WORDS, (word) => inJson[word] ?? word));
  }
}
