/**
 * Splits a list at its commas, except within brackets: "x,b[1,2],friends(a,b)" has three parts. If brackets are not
 * balanced, they are ordinary characters of the names, and every comma separates.
 */
export function listParts(text: string): string[] {
  const parts = [""];
  const open: string[] = [];
  for (const character of text) {
    if (character === "," && open.length === 0) parts.push("");
    else parts[parts.length - 1] += character;
    if (closing.has(character)) open.push(closing.get(character)!);
    else if (closers.has(character) && open.pop() !== character) return text.split(",");
  }
  return open.length === 0 ? parts : text.split(",");
}

const closing = new Map([
  ["(", ")"],
  ["[", "]"],
  ["{", "}"],
]);
const closers = new Set(closing.values());
