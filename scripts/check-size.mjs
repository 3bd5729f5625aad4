// Limits the size of hand-written sources. A file of more than 400 lines, or a function of more than 80, must give a
// reason in a header sentence that begins with "Long because".
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const MOST_LINES = 400;
const MOST_FUNCTION_LINES = 80;
const REASON = /\bLong\s+(\*\s+)?because\b/;

/** Offsets of memory blocks, which are also compiled into the kernels: constants only. */
const TABLES = ["packages/ergodic/src/engine/memory/fields.ts"];

const root = fileURLToPath(new URL("../", import.meta.url));
const files = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard", "packages/*/src/*.ts", "packages/*/src/*.js"],
  {
    cwd: root,
    encoding: "utf8",
  },
)
  .split("\n")
  .filter((file) => file.length > 0 && !file.endsWith(".d.ts") && existsSync(root + file));

/** Returns the comments directly above a node and above its declaration (`const f = () => …`). */
function headerOf(text, node) {
  const owners = [ts.SyntaxKind.VariableDeclaration, ts.SyntaxKind.VariableDeclarationList, ts.SyntaxKind.VariableStatement];
  let header = "";
  for (let at = node; at; at = owners.includes(at.parent?.kind) ? at.parent : undefined)
    for (const { pos, end } of ts.getLeadingCommentRanges(text, at.getFullStart()) ?? []) header += text.slice(pos, end);
  return header;
}

/** @returns {string[]} */
function problemsOf(file) {
  const text = readFileSync(root + file, "utf8");
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const problems = [];
  const lines = text.split("\n").length - 1;
  const comments = [...text.matchAll(/\/\*\*[\s\S]*?\*\//g)].map(([comment]) => comment);
  if (lines > MOST_LINES && !TABLES.includes(file) && !comments.some((comment) => REASON.test(comment)))
    problems.push(`${file}: ${lines} lines, more than ${MOST_LINES}; split it, or say "Long because …" in its header`);
  const visit = (node) => {
    if (ts.isFunctionLike(node) && node.body) {
      const [first, last] = [node.getStart(), node.getEnd()].map((at) => source.getLineAndCharacterOfPosition(at).line + 1);
      if (last - first + 1 > MOST_FUNCTION_LINES && !REASON.test(headerOf(text, node)))
        problems.push(
          `${file}:${first}: a function of ${last - first + 1} lines, more than ${MOST_FUNCTION_LINES}; split it, or say "Long because …" above it`,
        );
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return problems;
}

const problems = files.flatMap(problemsOf);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
