/**
 * Fenced blocks of a document, each with its line, the file that it names and the output that it states.
 *
 * A block of code whose first line is a comment with a path (`// packages/…/x.ts`) is that file. All other blocks of a
 * document form one module, in order. The stated output is a `text` block directly after the code, or else the comments
 * after its `console.log` lines.
 */
import { readFileSync } from "node:fs";

export interface Block {
  language: string;
  code: string;
  /** Line on which the code begins, counted from 1. */
  line: number;
  file: string | undefined;
  output: string | undefined;
}

export interface Document {
  /** Path relative to the root of the repository. */
  path: string;
  blocks: Block[];
}

export function readDocument(root: URL, path: string): Document {
  return { path, blocks: blocksOf(readFileSync(new URL(path, root), "utf8")) };
}

export function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  const fence = /^```(\w*)\n(.*?)^```$/gms;
  let previous: { block: Block; end: number } | undefined;
  for (const found of text.matchAll(fence)) {
    const [whole, language, code] = found;
    const between = previous ? text.slice(previous.end, found.index).trim() : "";
    if (language === "text" && previous && between === "" && previous.block.output === undefined) {
      previous.block.output = code;
      continue;
    }
    const line = text.slice(0, found.index).split("\n").length + 1;
    const block = { language, code, line, file: /^\/\/ ([\w./-]+\.ts)\n/.exec(code)?.[1], output: undefined };
    blocks.push(block);
    previous = { block, end: found.index + whole.length };
  }
  return blocks;
}

/** Stated output of a block of code: its `text` block, or the comments after its console.log lines. */
export function statedOutput({ code, output }: Block): string {
  if (output !== undefined) return output;
  return code
    .split("\n")
    .flatMap((line) => /console\.log\(.*\); \/\/ (.*)$/.exec(line)?.[1] ?? [])
    .map((line) => `${line}\n`)
    .join("");
}
