/**
 * Runs the commands of a document in this process like a shell: `ergodic …` and `npx ergodic …`, one per line, with `#`
 * for comments. Stated output is compared with standard output. "…" in it matches anything within a line, because times
 * vary between runs.
 */
import { runCommandLine, type Terminal } from "@ergodic/cli";
import colors from "picocolors";

export interface Outcome {
  command: string;
  code: number;
  out: string;
  notes: string;
}

export function commandsOf(code: string): string[] {
  return code.split("\n").filter((line) => /^(npx )?ergodic /.test(line));
}

export async function runCommand(command: string): Promise<Outcome> {
  let out = "";
  let notes = "";
  const plain = colors.createColors(false);
  const terminal: Terminal = {
    out: (text) => void (out += text),
    note: (line) => void (notes += `${line}\n`),
    rewrite: () => {},
    live: false,
    columns: 80,
    paint: { out: plain, note: plain },
    onInterrupt: () => () => {},
    program: "ergodic",
  };
  const words = wordsOf(command.replace(/^npx /, "")).slice(1);
  return { command, code: await runCommandLine(words, terminal), out, notes };
}

/**
 * Splits words like a shell, with single and double quotes and comments. Expansion is not supported, because no
 * document uses it.
 */
function wordsOf(command: string): string[] {
  const words: string[] = [];
  for (const [word] of command.matchAll(/#.*$|(?:'[^']*'|"[^"]*"|[^\s'"#]|(?<=\S)#)+/g)) {
    if (word.startsWith("#")) break;
    words.push(word.replaceAll(/'([^']*)'|"([^"]*)"/g, (_, a?: string, b?: string) => a ?? b ?? ""));
  }
  return words;
}

export function expressionOf(stated: string): RegExp {
  const literal = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${stated.split("…").map(literal).join("[^\\n]*")}$`);
}
