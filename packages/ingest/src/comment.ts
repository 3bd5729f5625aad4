/** Lines that are not read: those that begin with a mark of the user's. */
import { OptionError, type Remark } from "ergodic";
import { show, told } from "./fault.ts";

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

/** Whether the line at `start` is a comment, where there is a mark of such; the builder counts those that are. */
export function commentTest(
  comment = "",
  builder: { skipComments(count: number, mark: string): void },
): (bytes: Uint8Array, start: number) => boolean {
  checkComment(comment);
  const mark = encoder.encode(comment);
  if (mark.length === 0) return () => false;
  return (bytes, start) => {
    for (let i = 0; i < mark.length; i++) if (bytes[start + i] !== mark[i]) return false;
    builder.skipComments(1, comment);
    return true;
  };
}

/** Lines that were left out, so that nobody loses rows to a mark without being told. */
export function commentRemark(rows: number, rowCount: number, mark: string): Remark {
  const of = rowCount + rows;
  const message = `${rows} of ${of} lines ${rows === 1 ? "begins" : "begin"} with the comment mark ${show(mark)} and ${rows === 1 ? "was" : "were"} not read`;
  return { kind: "comment", rows, of, message };
}

/** What a line begins with that is hardly data: an error of a spreadsheet is. */
export function commentMark(line: string): string | undefined {
  if (/^#(?:N\/A|NA\b|VALUE!|REF!|DIV\/0!|NUM!|NAME\?|NULL!)/.test(line)) return undefined;
  return /^(?:#+|%+|\/\/|--(?!\d))/.exec(line)?.[0];
}
