// The page of error codes (docs/errors.md): the codes in the sources, with the sentences of error-codes.mjs.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { markdownTable } from "../markdown.mjs";
import { errorCodes } from "./error-codes.mjs";

const packages = fileURLToPath(new URL("../../packages/", import.meta.url));

/** Codes of other programs and formats, and names that look like codes. */
const others = new Set([
  ...["BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY", "LZ4_RAW", "ERR_BUFFER_TOO_LARGE", "ERR_MODULE", "MODULE_NOT_FOUND"],
  ...["ERR_DLOPEN_FAILED", "ERR_HTTP_REQUEST_TIMEOUT", "HPE_HEADER_OVERFLOW", "EAI_AGAIN"],
  ...["TYPE_STRING", "FORMAT_NONE", "KIND_CPU"],
]);

/** Codes of one word, besides those of the server's types. */
const words = ["USAGE", "INTERNAL", "WORKER", "SAFETENSORS"];

/** Codes in one source. @param {string} source */
function codesOf(source) {
  const found = [...source.matchAll(/"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"/g)].map(([, code]) => code);
  for (const [, union] of source.matchAll(/export type (?:RequestFault|Refusal) =((?:\s*\|?\s*"\w+")+)/g))
    found.push(...[...union.matchAll(/"(\w+)"/g)].map(([, code]) => code));
  for (const word of words) if (new RegExp(`"${word}"|\\[${word}\\]`).test(source)) found.push(word);
  // Files with a version have codes with their own prefix.
  for (const [, prefix] of source.matchAll(/\bcodes: "([A-Z]+)"/g))
    found.push(`${prefix}_FORMAT`, `${prefix}_KIND`, `${prefix}_VERSION`);
  // Names of branches in ONNX trees are not codes.
  return found.filter((code) => !others.has(code) && !/^(U?INT_\d+|BRANCH_\w+)$/.test(code));
}

/** Codes in the sources with the packages that throw them. */
export function codesInSources() {
  /** @type {Map<string, Set<string>>} */
  const found = new Map();
  for (const name of readdirSync(packages).sort()) {
    const folder = `${packages}${name}/src`;
    const owner = name === "ergodic" ? "ergodic" : `@ergodic/${name}`;
    if (!existsSync(folder)) continue;
    for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      if (!path.endsWith(".ts")) continue;
      for (const code of codesOf(readFileSync(`${folder}/${path}`, "utf8")))
        found.set(code, (found.get(code) ?? new Set()).add(owner));
    }
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Classes of errors. */
const classes = [
  ["`OptionError`", "An option or argument is out of range, of a wrong type, or unknown."],
  ["`DataError`", "A file or a table has invalid content."],
  ["`CapabilityError`", "Two parts do not fit together, such as a model and an algorithm."],
  ["`MemoryLimitError`", "The engine's memory cannot satisfy a request."],
  ["`WorkerError`", "A worker failed; `cause` holds the reason."],
  ["`CompileError`", "The compiler does not support the way in which a model was written."],
  ["`RequestError`, `RefusedError`, `LearnerError`", "A request to a server is faulty, is refused for now, or cannot be learnt."],
];

export function errorsPage() {
  const rows = [...codesInSources()].map(([code, owners]) => {
    const sentence = errorCodes[code];
    if (sentence === undefined) throw new Error(`${code} has no sentence; add one to scripts/reference/error-codes.mjs`);
    const [meaning, remedy] = sentence.replace(/\.$/, "").split("; ");
    return [`\`${code}\``, `${meaning}.`, remedy ? `${remedy[0].toUpperCase()}${remedy.slice(1)}.` : "–", [...owners].join(", ")];
  });
  return `# Error codes

Generated from the sources by \`npm run docs\`; do not edit.

Every error of the library is an \`ErgodicError\`. Its message has the form \`where: what was given, what was expected, what
to do [CODE]\`. \`error.code\` is stable, for programs; the text of messages can change. \`error.where\` names the function, the
option or the place in a file, and \`error.said\` is the rest of the message. If a value has the wrong class, the message
names the class as these documents do, even if a bundler has renamed it.

${markdownTable(["class", "meaning"], classes)}
## Codes

${markdownTable(["code", "meaning", "what to do", "thrown by"], rows)}`;
}
