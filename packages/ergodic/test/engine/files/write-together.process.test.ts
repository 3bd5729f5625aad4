/**
 * Files that are saved together: after a fault or crash at any step, either all old or all new ones are there. Also
 * tests the files that a save record can lead to.
 */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import fs, { type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Draws } from "../../../src/bayes/draws/draws.ts";
import { saveDraws } from "../../../src/bayes/draws/save.ts";
import { loadDraws } from "../../../src/bayes/load-draws.ts";
import { pendingFiles, writeTogether } from "../../../src/engine/files/files.ts";
import { partialName } from "../../../src/engine/files/partial.ts";
import { UNFINISHED_SAVE } from "../../../src/engine/files/write-together.ts";
import { example, plain } from "../../bayes/draws/contents.ts";
import { isSlow } from "../../power.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "together-"));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});
const at = (name: string): string => join(folder, name);
const NAMES = ["a", "b", "c"];
const files = (text: string) => NAMES.map((name) => ({ name, content: () => [`${text} ${name}`] }));
const all = (text: string) => NAMES.map((name) => `${text} ${name}`);

/** The state that a reader sees. */
async function seen(): Promise<(string | undefined)[]> {
  const pending = await pendingFiles(folder);
  return NAMES.map((name) => {
    try {
      return readFileSync(pending.get(name) ?? at(name), "utf8");
    } catch {
      return undefined;
    }
  });
}

/** Makes every call that changes a disk fail from the `step`-th on, or only that one. Returns the number of calls. */
async function failingAt(step: number, how: "once" | "from then on"): Promise<() => number> {
  const probe = await fs.open(folder, "r");
  const handles = Object.getPrototypeOf(probe) as FileHandle;
  await probe.close();
  let calls = 0;
  const fails = (): boolean => {
    calls++;
    return how === "once" ? calls === step : calls >= step;
  };
  type Calls = Record<string, (...given: unknown[]) => Promise<unknown>>;
  const spyOn = (on: object, name: string): void => {
    const real = (on as Calls)[name];
    vi.spyOn(on as Calls, name).mockImplementation(function (this: unknown, ...given) {
      // Handles opened for reading never fail.
      if (name === "open" && given[1] === "r") return real.apply(this, given);
      if (fails()) return Promise.reject(Object.assign(new Error("EIO: broken"), { code: "EIO" }));
      return real.apply(this, given);
    });
  };
  for (const name of ["open", "rename", "unlink", "rm"]) spyOn(fs, name);
  for (const name of ["write", "sync", "chmod"]) spyOn(handles, name);
  return () => calls;
}

it("writes all files in order, leaves no other files, and keeps modes and links", async () => {
  mkdirSync(at("below"));
  writeFileSync(at("below/a"), "", { mode: 0o640 });
  chmodSync(at("below/a"), 0o751);
  symlinkSync("below/a", at("a"));
  const order: string[] = [];
  const content = (name: string) => () => {
    order.push(name);
    return ["new ", name];
  };
  await writeTogether(
    pathToFileURL(folder),
    NAMES.map((name) => ({ name, content: content(name) })),
  );
  expect(order).toEqual(NAMES);
  expect(await seen()).toEqual(all("new"));
  expect(readdirSync(folder).sort()).toEqual([...NAMES, "below"].sort());
  expect([lstatSync(at("a")).isSymbolicLink(), statSync(at("below/a")).mode & 0o777]).toEqual([true, 0o751]);
  expect(readdirSync(at("below"))).toEqual(["a"]);
});

it("writes each file completely before the next, and renames none before all are written", async () => {
  await writeTogether(folder, files("old"));
  const found: unknown[] = [];
  const last = {
    name: "c",
    content: () => {
      found.push(readdirSync(folder).filter((name) => name.endsWith(".partial")).length);
      return ["new c"];
    },
  };
  await writeTogether(folder, [...files("new").slice(0, 2), last]);
  expect(found).toEqual([2]);
  const throwing = {
    name: "c",
    content: function* () {
      yield "half";
      throw new Error("mine");
    },
  };
  await expect(writeTogether(folder, [...files("newer").slice(0, 2), throwing])).rejects.toThrow("mine");
  expect(await seen()).toEqual(all("new"));
  expect(readdirSync(folder).sort()).toEqual(NAMES);
});

describe.each(["once", "from then on"] as const)("disk that fails %s, at every step", (how) => {
  // A first save fails at the same steps as a later one, so one kind of failure suffices for it.
  it.each(how === "once" || isSlow ? ["old", undefined] : ["old"])(
    "leaves the files of one complete save (before it: %s)",
    async (before) => {
      const outcomes = new Set<string>();
      for (let step = 1; ; step++) {
        rmSync(folder, { recursive: true });
        mkdirSync(folder);
        if (before !== undefined) await writeTogether(folder, files(before));
        const calls = await failingAt(step, how);
        const error = await writeTogether(folder, files("new")).catch((thrown: Error) => thrown);
        const count = calls();
        vi.restoreAllMocks();
        const found = await seen();
        const old = before === undefined ? [undefined, undefined, undefined] : all(before);
        expect([old, all("new")], `step ${step}`).toContainEqual(found);
        outcomes.add(`${error === undefined ? "told as done" : "refused"}, ${found[0] === "new a" ? "new" : "old"}`);
        if (error === undefined) expect(found).toEqual(all("new"));
        else expect(error.message).toMatch(/cannot be written: .*\[FILE_WRITE\]$/);
        // A completed save leaves no partial files. After a crash, this living process still appears to be at work.
        const left = readdirSync(folder).filter((name) => !NAMES.includes(name));
        if (how === "once" && !(error && found[0] === "new a"))
          expect(left.filter((name) => !name.endsWith(".partial"))).toEqual([]);
        await writeTogether(folder, files("next"));
        expect(await seen()).toEqual(all("next"));
        expect(readdirSync(folder)).not.toContain(UNFINISHED_SAVE);
        if (count < step) break;
      }
      expect([...outcomes].sort()).toEqual(["refused, new", "refused, old", "told as done, new"]);
    },
  );
});

/** Place of the draws according to the error. */
const keptIn = (error: unknown): string => /the result is kept in (\S+); move it/.exec(String(error))![1];

it("reads draws after a crash between two renames, and loses nothing if the next save fails too", async () => {
  const draws = example();
  const { content } = draws;
  const fewer = new Draws({
    ...content,
    chains: 1,
    values: Object.fromEntries(Object.entries(content.values).map(([name, x]) => [name, x.slice(0, x.length / 2)])),
    transitions: content.transitions.slice(0, 12),
  });
  await saveDraws(fewer, folder);
  const { rename } = fs;
  let renames = 0;
  vi.spyOn(fs, "rename").mockImplementation((from, to) => {
    // Partial files of the record and of the first file.
    if (String(to).startsWith(folder) && ++renames > 2)
      return Promise.reject(Object.assign(new Error("EIO: broken"), { code: "EIO" }));
    return rename(from, to);
  });
  const error = await saveDraws(draws, pathToFileURL(folder)).catch((thrown: Error) => thrown.message);
  vi.restoreAllMocks();
  rmSync(join(keptIn(error), ".."), { recursive: true });
  expect(readdirSync(folder)).toContain(UNFINISHED_SAVE);
  const read = async () => {
    for (const from of [folder, join(folder, "draws.json"), pathToFileURL(folder)])
      expect(plain((await loadDraws(from)).content)).toEqual(plain(content));
  };
  await read();
  const odd = {
    ...content,
    quantities: [{ name: "a__", shape: [], kind: "parameter" as const }],
    values: { a__: new Float64Array(6) },
  };
  await expect(saveDraws(new Draws(odd), folder)).rejects.toThrow(/cannot be the name of a column/);
  await read();
  const { open } = fs;
  vi.spyOn(fs, "open").mockImplementation((path, ...rest) => {
    if (String(path).startsWith(folder)) return Promise.reject(Object.assign(new Error("ENOSPC: full"), { code: "ENOSPC" }));
    return open(path, ...rest);
  });
  const again = await saveDraws(fewer, folder).catch((thrown: Error) => thrown.message);
  vi.restoreAllMocks();
  rmSync(join(keptIn(again), ".."), { recursive: true });
  await read();
  await saveDraws(fewer, folder);
  expect((await loadDraws(folder)).chains).toBe(1);
  expect(readdirSync(folder).sort()).toEqual(["chain_1.csv", "draws.json"]);
});

it("keeps the old draws on a full disk and saves the new ones elsewhere", async (context) => {
  const small = at("disk");
  mkdirSync(small);
  const mount = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", small], { encoding: "utf8" });
  if (mount.status !== 0) {
    console.error(`skipped: no file system can be mounted here (${(mount.stderr ?? "no mount").trim()})`);
    return context.skip();
  }
  try {
    const draws = example();
    const { content } = draws;
    const count = 4000;
    const large = new Draws({
      ...content,
      count,
      quantities: [{ name: "x", shape: [], kind: "parameter" }],
      values: { x: Float64Array.from({ length: 2 * count }, Math.sin) },
      fields: [],
      transitions: new Float64Array(0),
    });
    for (const format of ["csv", "json"] as const) {
      await saveDraws(draws, join(small, "out"), { format });
      const error = await saveDraws(large, join(small, "out"), { format: "csv" }).catch((thrown: Error) => thrown.message);
      expect(error).toMatch(/: the disk is full; the result is kept/);
      const kept = keptIn(error);
      expect(plain((await loadDraws(kept)).content)).toEqual(plain(large.content));
      rmSync(join(kept, ".."), { recursive: true });
      expect(plain((await loadDraws(join(small, "out"))).content)).toEqual(plain(content));
      const names = format === "csv" ? ["chain_1.csv", "chain_2.csv", "draws.json"] : ["draws.json"];
      expect(readdirSync(join(small, "out")).sort()).toEqual(names);
    }
  } finally {
    spawnSync("umount", [small]);
  }
});

describe("save records", () => {
  it("lead only to partial files in their own folder", async () => {
    const outside = mkdtempSync(join(tmpdir(), "outside-"));
    try {
      const partial = await partialName("a");
      writeFileSync(join(outside, partial), "theirs");
      writeFileSync(at("plain"), "no file under way");
      mkdirSync(at("folder.partial"));
      for (const [name, target] of [
        ["a", join(outside, partial)],
        ["a", `../${partial}`],
        ["../a", partial],
        ["a", "plain"],
        ["a", "folder.partial"],
        ["a", "none.partial"],
        [".", partial],
        ["..", partial],
        ["a", 7],
      ]) {
        writeFileSync(at(UNFINISHED_SAVE), JSON.stringify({ [String(name)]: target }));
        expect([...(await pendingFiles(folder))], `${String(name)}: ${String(target)}`).toEqual([]);
      }
      await writeTogether(folder, files("new"));
      expect(readFileSync(join(outside, partial), "utf8")).toBe("theirs");
      expect(readdirSync(folder).sort()).toEqual([...NAMES, "folder.partial", "plain"].sort());
    } finally {
      rmSync(outside, { recursive: true });
    }
  });

  it.each(["", "{", "null", "[]", "7", '"a"', '{"a":{}}'])(
    "are ignored if damaged (%s), and removed by the next save",
    async (text) => {
      writeFileSync(at("a"), "old a");
      writeFileSync(at(UNFINISHED_SAVE), text);
      expect([...(await pendingFiles(folder))]).toEqual([]);
      await writeTogether(folder, files("new"));
      expect(readdirSync(folder).sort()).toEqual(NAMES);
    },
  );

  it("are not needed for one file", async () => {
    const rename = vi.spyOn(fs, "rename");
    await writeTogether(folder, files("new").slice(0, 1));
    expect(rename).toHaveBeenCalledTimes(1);
  });
});

it.each<[unknown, RegExp]>([
  [7, /^save: the file to write is 7, but must be a path, a file: URL or the handle of a file/],
  [new URL("https://example.org/out"), /is the URL https:\/\/example\.org\/out, but must be a path, a file: URL/],
])("refuses %s as a folder", async (to, message) => {
  await expect(writeTogether(to as string, files("new"))).rejects.toThrow(message);
});
