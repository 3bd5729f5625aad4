import type { LearnedGraph } from "ergodic/graphs";
import { inCommandLineTerms } from "../errors.ts";
import type { Terminal } from "../terminal.ts";

/** Formats one line per finding about a run, with advice. Serious findings are highlighted. */
export function findingsText(findings: LearnedGraph["findings"], paint: Terminal["paint"]["out"]): string {
  const lines = findings.map(({ serious, text, advice }) => {
    const line = `${text}; ${inCommandLineTerms(advice)}`;
    return serious ? paint.bold(paint.yellow(line)) : line;
  });
  return lines.map((line) => `${line}\n`).join("");
}
