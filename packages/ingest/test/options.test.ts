/**
 * Readers without options or with invalid options objects throw the library's error that names the reader, and never an
 * error of JavaScript itself.
 */
import { ErgodicError } from "ergodic";
import { describe, expect, it } from "vitest";
import * as ingest from "../src/index.ts";

type Reader = (source: unknown, options?: unknown) => unknown;
const datasets = ["readCsv", "readTsv", "readJsonLines", "readParquet", "readNpy", "readLibsvm", "readVw", "readImages", "read"];
const tables = ["readTable", "readSparseTable", "readRows", "blocks", "sparseBlocks", "rowBlocks"];
const reader = (name: string): Reader => (ingest as unknown as Record<string, Reader>)[name];
const table = { content: "a,b\n1,2\n3,4\n", name: "t.csv" };

async function refusal(name: string, ...given: [source: unknown, options?: unknown]): Promise<Error> {
  try {
    const found = await reader(name)(...given);
    for await (const _ of found as AsyncIterable<unknown>);
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was refused");
}

describe("readers", () => {
  it.each(["readCsv", "read"])("%s requires a target for a table", async (name) => {
    expect((await refusal(name, table)).message).toBe(
      `${name}: no target was given; name the column to predict, target: one of "a", "b" [OPTION_MISSING]`,
    );
  });

  it.each([...datasets, ...tables])("%s refuses a missing source and missing options", async (name) => {
    expect(await refusal(name, undefined)).toBeInstanceOf(ErgodicError);
  });

  const junk = [null, 5, "target", true, [], () => {}, new Map()];
  it.each([...datasets, ...tables])("%s refuses invalid options objects", async (name) => {
    const source = name === "readImages" ? "there-is-no-such-folder" : table;
    for (const options of junk) {
      const error = await refusal(name, source, options);
      expect(error).toMatchObject({ code: "OPTION_TYPE" });
      expect(error.message).toMatch(new RegExp(`^${name}: .* was given, but must be an object: \\{ `));
    }
  });

  it("readImages refuses anything but a folder's path or a list", async () => {
    for (const from of [null, 5, {}])
      expect((await refusal("readImages", from)).message).toMatch(/is not a folder; give the path of one, or a list/);
  });
});
