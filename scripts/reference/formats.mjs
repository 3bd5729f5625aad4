// The page of file formats (docs/formats.md): the registry of readers, their options, and the functions that read and write.
import { markdownTable } from "../markdown.mjs";
import { optionsTable } from "./options.mjs";
import { commentOf, exportsOf, objectIn, optionsOf, optionsOfType, signatureLine, signaturesOf } from "./program.mjs";
import { firstSentence, sentences } from "./text.mjs";

/** @typedef {import("./program.mjs").Entry} Entry */

/** Readers of the formats of the registry, and the types of their options. */
const readers = {
  csv: { reader: "readCsv", options: "CsvOptions" },
  tsv: { reader: "readTsv", options: "CsvOptions" },
  jsonl: { reader: "readJsonLines", options: "JsonLinesOptions" },
  parquet: { reader: "readParquet", options: "ParquetOptions" },
  npy: { reader: "readNpy", options: "NpyOptions" },
  idx: { reader: "readIdxDataset", options: "IdxOptions" },
  libsvm: { reader: "readLibsvm", options: "LibsvmOptions" },
  vw: { reader: "readVw", options: "VwOptions" },
};

/** @param {string} name */
function readerOf(name) {
  if (!Object.hasOwn(readers, name)) throw new Error(`the format ${name} has no reader in scripts/reference/formats.mjs`);
  return readers[/** @type {keyof typeof readers} */ (name)];
}

/** Options of every format, and of `read` only. */
const shared = [
  ["Options of datasets made from tables", "DatasetOptions"],
  ["Options of datasets made from sparse rows", "SparseDatasetOptions"],
  ["Options of datasets made from arrays", "ArrayDatasetOptions"],
  ["Options of all datasets", "LikeOptions"],
  ["Options of all sources", "SourceOptions"],
];

/** Formats of factor graphs. */
const graphs = [
  ["UAI", ".uai", "`readUai`", "`writeUai`"],
  ["UAI evidence", ".evid", "`readUaiEvidence`", "`writeUaiEvidence`"],
  ["UAI answers", ".MAR, .MAP, .PR", "–", "`writeUaiAnswer`"],
  ["BIF, Bayesian networks", ".bif", "`readBif`", "`writeBif`"],
  ["libDAI", ".fg", "`readLibdai`", "–"],
  ["DimmWitted", "a folder", "`readDimmWitted`", "`writeDimmWitted`"],
  ["JSON", ".json", "`readGraphJson`", "`writeGraphJson`"],
];

/** Formats of draws. */
const draws = [
  ["CSV of CmdStan", "a folder of `chain_1.csv` …", "`loadDraws`", "`saveDraws(draws, folder)`"],
  ["JSON", "`draws.json`", "`loadDraws`", '`saveDraws(draws, folder, { format: "json" })`'],
  ["Arrow IPC", "`.arrow`", "`readDrawsArrow`", "`writeDrawsArrow`"],
];

/** Functions of an entry point as a list. @param {Entry} entry */
function functions(entry) {
  return [...exportsOf(entry)]
    .filter(([, symbol]) => signaturesOf(symbol).length > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, symbol]) => {
      const lines = signaturesOf(symbol).map((signature) => `\`${signatureLine(name, signature)}\``);
      return `- ${lines.join(" or ")}: ${firstSentence(commentOf(symbol))}\n`;
    })
    .join("");
}

export function formatsPage() {
  const registry = objectIn("packages/ingest/src/formats.ts", "formats");
  const rows = [...registry].map(([name, { comment, text }]) => {
    const [what, detection = ""] = sentences(comment);
    const extensions = [...(/extensions: \[([^\]]*)\]/.exec(text)?.[1].matchAll(/"(\w+)"/g) ?? [])];
    return [
      `[\`${name}\`](#${name})`,
      what,
      extensions.map(([, extension]) => `\`.${extension}\``).join(" "),
      detection.replace(/^Detected by /, "").replace(/\.$/, ""),
      `\`${readerOf(name).reader}\``,
    ];
  });
  rows.push([
    "[images](#images)",
    "PNG and JPEG files, in a folder per class.",
    "`.png` `.jpg` `.jpeg`",
    "the path of a folder or of an image",
    "`readImages`",
  ]);
  /** @type {Map<string, string>} */
  const shown = new Map();
  const sections = [...registry.keys()].map((name) => {
    const { options } = readerOf(name);
    const before = shown.get(options);
    shown.set(options, name);
    const table = before ? `As for [\`${before}\`](#${before}).\n` : optionsTable(optionsOfType("@ergodic/ingest", options));
    return `### ${name}\n\n${table}`;
  });
  const types = shared.map(([title, type]) => `### ${title}\n\n${optionsTable(optionsOfType("@ergodic/ingest", type))}`);
  const own = optionsOfType("@ergodic/ingest", "BlockOptions").filter(({ name }) =>
    ["format", "fileNames", "rows"].includes(name),
  );
  const duckdb = exportsOf("@ergodic/ingest").get("duckdb");
  const database = duckdb && optionsOf(signaturesOf(duckdb)[0]);
  return `# File formats

Generated from the registry of readers by \`npm run docs\`; do not edit. [Reading files](reading-files.md) explains,
with examples, how \`@ergodic/ingest\` reads tables.

## Tables, rows and images

\`read(source, options)\` reads all formats of this table. The option \`format\` names the format. Without this option, the
extension decides (\`.gz\` is ignored), or else the first bytes or the first line. Gzip is unpacked, whatever the file's name.

${markdownTable(["format", "content", "extensions", "detected by", "reader"], rows)}
${functions("@ergodic/ingest")}
## Options by format

${sections.join("\n")}
### images

${optionsTable(optionsOfType("@ergodic/ingest", "ImageOptions"))}
## Options of several formats

${types.join("\n")}
### Options of readers that choose the format

${optionsTable(own)}
## Databases

${database ? `\`duckdb\` opens a database that reads files by SQL.\n\n${optionsTable(database.options)}` : ""}
## Factor graphs

The readers and writers are in \`@ergodic/ingest/graphs\`. A program calls the reader of the format; the command line takes
the format from the extension, or from \`--format\`.

${markdownTable(["format", "extension", "reader", "writer"], graphs)}
${functions("@ergodic/ingest/graphs")}
## Draws

\`saveDraws\` and \`loadDraws\` are in \`ergodic\`. \`writeDrawsArrow\` and \`readDrawsArrow\` are in \`@ergodic/ingest/draws\` and need
the package apache-arrow.

${markdownTable(["format", "file", "reader", "writer"], draws)}
${functions("@ergodic/ingest/draws")}`;
}
