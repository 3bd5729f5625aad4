/**
 * Guards: bounded checks of the bytes of Parquet, Arrow and JPEG files, which run before a library decodes the same
 * bytes.
 *
 * They exist because the libraries trust the numbers in a file. Measured on Node 20:
 *
 * - hyparquet: a Parquet file of 99 bytes that claims a run of 2²⁸ levels makes V8 end the whole process ("Fatal
 *   error"), which no `catch` prevents. parquet-check.ts places the checks between file and decoder: parquet-thrift.ts
 *   reads the footer and page headers, parquet-pages.ts compares counts with the rows, parquet-lengths.ts compares
 *   compressed pages with their sizes, and parquet-runs.ts visits the runs inside pages.
 * - apache-arrow: a file of 482 bytes with one changed number keeps the reader in an endless loop. See arrow-check.ts
 *   and flatbuffer.ts.
 * - jpeg-js: a JPEG of 618 bytes that claims 9990 × 9990 pixels takes 10 s until it is refused; with more scans, the
 *   time grows with their number. See jpeg-claims.ts.
 *
 * The alternative is a child process per untrusted file. It takes 85 ms to start (`node -e ""`), 150 to 360 ms with one
 * of these libraries, and its result has to be copied between processes. The checks take 3 ms for a JPEG of 12 million
 * pixels and 2 ms for 16 MB of Arrow. For a Parquet file of 20,000 rows and 5 columns they take about 1 of 10 ms,
 * because the decoder reuses the pages that they unpack.
 */
export { checkArrow } from "./arrow-check.ts";
export { type JpegFrame, jpegEnds, jpegFrame, jpegMisclaim } from "./jpeg-claims.ts";
export { checkFooter, PageCheck } from "./parquet-check.ts";
