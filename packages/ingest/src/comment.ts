/** Comment lines: lines that begin with a mark chosen by the user are not read. */
import { OptionError, type Remark } from "ergodic/data";
import { show, told } from "./fault.ts";

const encoder = new TextEncoder();

/**
 * Checks a comment mark. The mark must be a string on one line, without leading blanks, that cannot begin a quoted
 * field; "" means no mark.
 * @throws OptionError
 */
export function checkComment(comment: unknown, quote = ""): asserts comment is string {
  if (typeof comment === "string" && comment.length > 100)
    throw new OptionError("read", `comment has ${comment.length} characters, but must have at most 100`, "OPTION_RANGE");
  if (typeof comment === "string" && /^(?:\S.*)?$/.test(comment) && !(quote !== "" && comment.startsWith(quote))) return;
  const besides = quote === "" ? "" : ", and must not begin with the quote";
  throw new OptionError(
    "read",
    `comment is ${told(comment)}, but must be the text that comment lines begin with, like "#", without leading blanks${besides}`,
    "OPTION_RANGE",
  );
}

/**
 * Returns a function that tests whether the line that begins at `start` is a comment. The function reports comments to
 * the builder, which counts them.
 */
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

/** Remark about the skipped lines, so that the loss of rows does not go unnoticed. */
export function commentRemark(rows: number, rowCount: number, mark: string): Remark {
  const of = rowCount + rows;
  const message = `${rows} of ${of} lines ${rows === 1 ? "begins" : "begin"} with the comment mark ${show(mark)} and ${rows === 1 ? "was" : "were"} not read`;
  return { kind: "comment", rows, of, message };
}

/**
 * If a line seems to begin with a comment mark rather than data, returns the beginning of the line. Spreadsheet errors
 * such as #N/A are treated as data.
 */
export function commentMark(line: string): string | undefined {
  if (/^#(?:N\/A|NA\b|VALUE!|REF!|DIV\/0!|NUM!|NAME\?|NULL!)/.test(line)) return undefined;
  return /^(?:#+|%+|\/\/|--(?!\d))/.exec(line)?.[0];
}
