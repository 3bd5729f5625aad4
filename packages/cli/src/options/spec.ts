import { UsageError } from "../errors.ts";

export type SpecValue = number | boolean | string | Spec;

/**
 * Names with options, as one word on the command line: `adam`, `adam:beta1=0.8,rate=0.01`, `rff:2000,gamma=0.01`.
 *
 *   thing   name [":" part {"," part}]
 *   part    key "=" value  |  value of the thing's main option
 *   value   number | true | false | thing with its options in round brackets: cosineDecay(rate=0.1,updates=1000) | text
 *
 * @throws UsageError for text that does not match
 */
export interface Spec {
  name: string;
  options: Record<string, SpecValue>;
}

/** Parses a spec. `main`: the option that a value without a key sets. */
export function parseSpec(flag: string, text: string, main?: string): Spec {
  const found = /^([A-Za-z]\w*)(?::(.+))?$/s.exec(text.trim());
  if (!found) throw new UsageError(flag, `"${text}" cannot be read; write name or name:option=value,option=value`);
  return { name: found[1], options: parseOptions(flag, found[2] ?? "", main) };
}

function parseOptions(flag: string, text: string, main?: string): Record<string, SpecValue> {
  const options: Record<string, SpecValue> = {};
  for (const part of outsideBrackets(text, ",")) {
    const at = part.indexOf("=");
    const keyed = at > 0 && !part.slice(0, at).includes("(");
    const key = keyed ? part.slice(0, at).trim() : main;
    if (key === undefined) throw new UsageError(flag, `"${part}" names no option; write option=value`);
    if (Object.hasOwn(options, key)) throw new UsageError(flag, `option ${key} is given twice`);
    options[key] = parseValue(flag, (keyed ? part.slice(at + 1) : part).trim());
  }
  return options;
}

function parseValue(flag: string, text: string): SpecValue {
  if (text === "true" || text === "false") return text === "true";
  if (text !== "" && Number.isFinite(Number(text))) return Number(text);
  const nested = /^([A-Za-z]\w*)\((.*)\)$/s.exec(text);
  return nested ? { name: nested[1], options: parseOptions(flag, nested[2]) } : text;
}

/** Splits the text at separators that are not inside brackets. */
export function outsideBrackets(text: string, separator: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = "";
  for (const character of text) {
    if (character === "(") depth++;
    if (character === ")") depth--;
    if (character === separator && depth === 0) {
      parts.push(part);
      part = "";
    } else part += character;
  }
  if (part !== "") parts.push(part);
  return parts;
}
