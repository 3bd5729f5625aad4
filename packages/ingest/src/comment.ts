/** Lines that are not read: those that begin with a mark of the user's. */
import { OptionError } from "ergodic";
import { told } from "./fault.ts";

const encoder = new TextEncoder();

/** @throws OptionError unless `comment` is a text of one line, without blanks at its start, that no quoted field begins with; "" = none */
export function checkComment(comment: unknown, quote = ""): asserts comment is string {
  if (typeof comment === "string" && comment.length > 100)
    throw new OptionError("read", `comment has ${comment.length} characters, but must have at most 100`, "OPTION_RANGE");
  if (typeof comment === "string" && /^(?:\S.*)?$/.test(comment) && !(quote !== "" && comment.startsWith(quote))) return;
  const besides = quote === "" ? "" : ", and not with the quote";
  throw new OptionError(
    "read",
    `comment is ${told(comment)}, but must be a text that lines begin with, like "#", without blanks in front${besides}`,
    "OPTION_RANGE",
  );
}

/** Whether the line at `start` is a comment, where there is a mark of such. */
export function commentTest(comment = ""): (bytes: Uint8Array, start: number) => boolean {
  checkComment(comment);
  const mark = encoder.encode(comment);
  if (mark.length === 0) return () => false;
  return (bytes, start) => {
    for (let i = 0; i < mark.length; i++) if (bytes[start + i] !== mark[i]) return false;
    return true;
  };
}

/** What a line begins with that is hardly data. */
export function commentMark(line: string): string | undefined {
  return /^(?:#+|%+|\/\/|--(?!\d))/.exec(line)?.[0];
}
