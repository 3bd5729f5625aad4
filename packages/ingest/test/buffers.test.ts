/** Bytes from users can be Node's Buffer, which is usually a part of a pool and whose slice() returns a view. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readTable } from "../src/index.ts";

const folder = new URL("./fixtures/", import.meta.url);
const files = readdirSync(folder).filter((name) => /\.(csv|gz|parquet|npy|jsonl|libsvm|vw|arrow|feather)$/.test(name));

/** Result of reading, or the message of its error. */
const read = (content: Uint8Array, name: string): Promise<unknown> =>
  readTable({ content, name }).then(
    ({ columns, rowCount }) => ({ columns, rowCount }),
    (error: Error) => error.message,
  );

describe("a part of a buffer pool, which is read like a separate array", () => {
  it.each(files)("%s", async (name) => {
    const bytes = new Uint8Array(readFileSync(new URL(name, folder)));
    const pool = Buffer.alloc(bytes.length + 21, 0xff);
    pool.set(bytes, 13);
    expect(await read(pool.subarray(13, 13 + bytes.length), name)).toEqual(await read(bytes, name));
  });
});
