import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CapabilityError, DataError, OptionError } from "../../../src/engine/errors/errors.ts";
import { checkWritable, readBlocks, readWhole, writeWhole } from "../../../src/engine/files/files.ts";
import { partialName } from "../../../src/engine/files/partial.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "files-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const bytes = Uint8Array.of(1, 2, 3);
const at = (name: string): string => join(folder, name);
const root = process.getuid?.() === 0;
const modeOf = (path: string): number => statSync(path).mode & 0o7777;

/** Makes `done` run at every flush of a file or folder, until the returned function is called. */
async function flushing(done: (handle: FileHandle) => Promise<void>): Promise<() => void> {
  const probe = await open(folder, "r");
  const handles = Object.getPrototypeOf(probe) as FileHandle;
  await probe.close();
  const spy = vi.spyOn(handles, "sync").mockImplementation(function (this: FileHandle) {
    return done(this);
  });
  return () => spy.mockRestore();
}

/** Creates a device node for this test. Undefined, with a message, if the host does not allow it. */
function device(name: string, minor: number): string | undefined {
  try {
    execFileSync("mknod", [at(name), "c", "1", String(minor)], { stdio: "pipe" });
    return at(name);
  } catch (error) {
    console.error(`skipped: no device node can be made here (${String(error).split("\n")[0]})`);
    return undefined;
  }
}

describe("writeWhole", () => {
  it("replaces a file and leaves no other files", async () => {
    const path = join(folder, "model");
    writeFileSync(path, "old");
    await writeWhole(path, Uint8Array.of(1, 2, 3));
    expect([...readFileSync(path)]).toEqual([1, 2, 3]);
    expect(readdirSync(folder)).toEqual(["model"]);
  });

  it("never shows a half-written file while others write too", async () => {
    const path = join(folder, "model");
    const contents = [0, 1, 2, 3].map((k) => new Uint8Array(500_000).fill(k));
    await writeWhole(path, contents[0]);
    const writing = Promise.all(contents.map((bytes) => writeWhole(path, bytes)));
    let done = false;
    writing.then(() => {
      done = true;
    });
    let looks = 0;
    while (!done) {
      const seen = await readWhole(path);
      expect(seen.length).toBe(500_000);
      expect(seen.every((byte) => byte === seen[0])).toBe(true);
      looks++;
    }
    expect(looks).toBeGreaterThan(0);
    expect(readdirSync(folder)).toEqual(["model"]);
  });

  it("keeps the old file and cleans up when it fails", async () => {
    const path = join(folder, "taken");
    mkdirSync(path);
    await expect(writeWhole(path, Uint8Array.of(1))).rejects.toThrow(DataError);
    await expect(writeWhole(path, Uint8Array.of(1))).rejects.toThrow(/taken: cannot be written: .* \[FILE_WRITE\]/);
    expect(readdirSync(folder)).toEqual(["taken"]);
    await expect(writeWhole(join(folder, "no", "where"), Uint8Array.of(1))).rejects.toThrow(
      `the folder ${join(folder, "no")} does not exist`,
    );
  });

  it("explains the alternative in a browser", async () => {
    vi.stubGlobal("process", undefined);
    try {
      await expect(writeWhole("m.safetensors", Uint8Array.of(1))).rejects.toThrow(CapabilityError);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it("accepts parts of text and bytes as they arrive", async () => {
    async function* parts(): AsyncGenerator<string | Uint8Array> {
      yield "é";
      yield bytes;
      yield "";
      yield "end";
    }
    await writeWhole(at("model"), parts());
    expect([...readFileSync(at("model"))]).toEqual([0xc3, 0xa9, 1, 2, 3, 101, 110, 100]);
  });

  it("writes data larger than one write call", async () => {
    const long = new Uint8Array(70_000_000);
    for (let i = 0; i < long.length; i += 1_000_003) long[i] = i % 251;
    await writeWhole(at("model"), long);
    expect(readFileSync(at("model")).equals(long)).toBe(true);
  });

  it("writes through the descriptors of another process", async (context) => {
    if (!existsSync("/proc/self/fd")) {
      console.error("skipped: this host shows no descriptors of other processes");
      return context.skip();
    }
    const made = openSync(at("theirs"), "w");
    const other = spawn("sleep", ["60"], { stdio: ["ignore", "ignore", "ignore", "ignore", "ignore", "ignore", made] });
    closeSync(made);
    await writeWhole(`/proc/${other.pid}/fd/6`, bytes);
    other.kill();
    expect([...readFileSync(at("theirs"))]).toEqual([...bytes]);
  });

  it("throws the error of its parts and keeps the old file", async () => {
    writeFileSync(at("model"), "old");
    function* parts(): Generator<string> {
      yield "new";
      throw new RangeError("no more");
    }
    for (const name of ["model", "new"]) await expect(writeWhole(at(name), parts(), { keep: true })).rejects.toThrow(RangeError);
    expect(readFileSync(at("model"), "utf8")).toBe("old");
    expect(readdirSync(folder)).toEqual(["model"]);
  });

  it("keeps the mode and the owner of the replaced file", async () => {
    // Writes by users other than root clear the set-uid and set-gid bits.
    for (const mode of [0o600, 0o640, 0o666, 0o755, 0o711, 0o701, ...(root ? [0o4755, 0o2711] : [])]) {
      writeFileSync(at("model"), "old");
      const owners = [
        [1234, 4321],
        [0, 4321],
        [1234, 0],
      ];
      for (const [uid, gid] of root ? owners : [[]]) {
        if (root) chownSync(at("model"), uid, gid);
        // A change of owner clears some mode bits.
        chmodSync(at("model"), mode);
        await writeWhole(at("model"), bytes);
        expect(modeOf(at("model"))).toBe(mode);
        expect(readFileSync(at("model"))).toHaveLength(3);
        if (root) expect([statSync(at("model")).uid, statSync(at("model")).gid]).toEqual([uid, gid]);
      }
    }
    writeFileSync(at("other"), "");
    await writeWhole(at("new"), bytes);
    expect(modeOf(at("new"))).toBe(modeOf(at("other")));
  });

  it("accepts a file: URL as a path, and refuses invalid paths", async () => {
    await checkWritable(pathToFileURL(at("a b")));
    await writeWhole(pathToFileURL(at("a b")), bytes);
    expect(readFileSync(at("a b"))).toHaveLength(3);
    const wanted = 'but must be a path, a file: URL or the handle of a file: write "model.safetensors" [OPTION_TYPE]';
    for (const [junk, shown] of [
      [new URL("https://example.org/model"), "the URL https://example.org/model"],
      [undefined, "undefined"],
      [null, "null"],
      [7, "7"],
      [{ path: "model" }, "an object of path"],
      [["model"], "an array of 1"],
      [bytes, "of type Uint8Array"],
    ] as const) {
      await expect(writeWhole(junk as never, bytes)).rejects.toThrow(`save: the file to write is ${shown}, ${wanted}`);
      await expect(checkWritable(junk as never)).rejects.toThrow(OptionError);
    }
    await expect(writeWhole(new URL("file://elsewhere/model"), bytes)).rejects.toThrow(/cannot be written: .*\[FILE_WRITE\]$/);
    expect(readdirSync(folder)).toEqual(["a b"]);
  });

  it("applies the umask of the process to a new file and its partial file", async () => {
    const before = process.umask();
    try {
      for (const mask of [0o000, 0o022, 0o027, 0o077]) {
        process.umask(mask);
        const seen: number[] = [];
        function* parts(): Generator<Uint8Array> {
          seen.push(modeOf(at(readdirSync(folder).find((name) => name.endsWith(".partial"))!)));
          yield bytes;
        }
        await writeWhole(at("model"), parts());
        expect([...seen, modeOf(at("model"))]).toEqual([0o666 & ~mask, 0o666 & ~mask]);
        rmSync(at("model"));
      }
    } finally {
      process.umask(before);
    }
  });

  it("flushes the file before it renames it, and then flushes the folder", async () => {
    mkdirSync(at("below"));
    symlinkSync("below/model", at("link"));
    const shown = (): string => (existsSync(at("link")) ? readFileSync(at("link"), "utf8") : "none");
    const seen: [string, string][] = [];
    const restore = await flushing(async (handle) => {
      const found = await handle.stat();
      const name = readdirSync(folder, { recursive: true, encoding: "utf8" }).find(
        (each) => lstatSync(at(each)).ino === found.ino,
      );
      seen.push([found.isFile() ? String(name).replace(/model\..*\.partial$/, "partial") : String(name), shown()]);
    });
    try {
      await writeWhole(at("link"), ["one"]);
      await writeWhole(at("link"), ["two"]);
    } finally {
      restore();
    }
    expect(seen).toEqual([
      ["below/partial", "none"],
      ["below", "one"],
      ["below/partial", "one"],
      ["below", "two"],
    ]);
  });

  it("reports a failed flush and keeps the old file, but ignores folders that cannot be flushed", async () => {
    const failing = (kind: "isFile" | "isDirectory", code: string) =>
      flushing(async (handle) => {
        if ((await handle.stat())[kind]()) throw Object.assign(new Error(`${code}: flush`), { code });
      });
    writeFileSync(at("model"), "old");
    for (const code of ["EIO", "ENOSPC"]) {
      const restore = await failing("isFile", code);
      await expect(writeWhole(at("model"), bytes))
        .rejects.toThrow(/model: cannot be written: .*\[FILE_WRITE\]$/)
        .finally(restore);
      expect(readFileSync(at("model"), "utf8")).toBe("old");
      expect(readdirSync(folder)).toEqual(["model"]);
    }
    const broken = await failing("isDirectory", "EIO");
    await expect(writeWhole(at("model"), bytes))
      .rejects.toThrow(/model: cannot be written: EIO: flush \[FILE_WRITE\]$/)
      .finally(broken);
    for (const code of ["EINVAL", "EPERM", "ENOTSUP"]) {
      const restore = await failing("isDirectory", code);
      await writeWhole(at("model"), [code]).finally(restore);
      expect(readFileSync(at("model"), "utf8")).toBe(code);
    }
  });

  it("never makes private content readable for others, even while it writes", async () => {
    writeFileSync(at("model"), "old", { mode: 0o600 });
    const seen: number[] = [];
    function* parts(): Generator<Uint8Array> {
      const partial = readdirSync(folder).find((name) => name.endsWith(".partial"));
      seen.push(modeOf(at(partial!)));
      yield bytes;
    }
    await writeWhole(at("model"), parts());
    expect(seen).toEqual([0o600]);
  });

  it("follows links to a file, to a link, to a missing file, and from another folder", async () => {
    mkdirSync(at("below"));
    writeFileSync(at("below/file"), "old", { mode: 0o600 });
    symlinkSync("below/file", at("link"));
    symlinkSync(at("link"), at("link of link"));
    symlinkSync("below/new", at("dangling"));
    await writeWhole(at("link of link"), bytes);
    await writeWhole(at("dangling"), bytes);
    for (const name of ["link", "link of link", "dangling"]) expect(lstatSync(at(name)).isSymbolicLink()).toBe(true);
    expect(readlinkSync(at("dangling"))).toBe("below/new");
    for (const name of ["file", "new"]) expect([...readFileSync(at(`below/${name}`))]).toEqual([...bytes]);
    expect(modeOf(at("below/file"))).toBe(0o600);
    expect(readdirSync(at("below")).sort()).toEqual(["file", "new"]);
    symlinkSync("b", at("a"));
    symlinkSync("a", at("b"));
    await expect(writeWhole(at("a"), bytes)).rejects.toThrow(/its links form a loop \[FILE_WRITE\]/);
  });

  it("writes through a FIFO without replacing it", async () => {
    execFileSync("mkfifo", [at("fifo")]);
    const reading = readWhole(at("fifo"));
    await writeWhole(at("fifo"), new Uint8Array(200_000).fill(7));
    const read = await reading;
    expect([read.length, read.every((byte) => byte === 7)]).toEqual([200_000, true]);
    expect(statSync(at("fifo")).isFIFO()).toBe(true);
    expect(readdirSync(folder)).toEqual(["fifo"]);
    const reader = open(at("fifo"), "r");
    function* parts(): Generator<Uint8Array> {
      for (let k = 0; k < 100; k++) yield new Uint8Array(100_000);
    }
    const refused = expect(writeWhole(at("fifo"), parts())).rejects.toThrow(/its reader has closed it \[FILE_WRITE\]/);
    await (await reader).close();
    await refused;
  });

  it("writes through a device without replacing it, and reports its errors", async (context) => {
    const [none, full] = [device("null", 3), device("full", 7)];
    if (none === undefined || full === undefined) return context.skip();
    await writeWhole(none, bytes);
    await expect(writeWhole(full, bytes)).rejects.toThrow(/full: cannot be written: the disk is full \[FILE_WRITE\]/);
    symlinkSync("null", at("link"));
    await writeWhole(at("link"), bytes);
    for (const path of [none, full]) expect(statSync(path).isCharacterDevice()).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(["full", "link", "null"]);
  });

  it("creates missing folders on request", async () => {
    await writeWhole(at("a/b/model"), bytes, { folders: true });
    expect(readdirSync(at("a/b"))).toEqual(["model"]);
    await expect(writeWhole(at("a/b/model/c"), bytes, { folders: true })).rejects.toThrow(/a part of the path is not a folder/);
  });

  it("writes a file with a name of the maximum length", async () => {
    for (const name of ["m".repeat(255), "é".repeat(127)]) {
      await writeWhole(at(name), bytes);
      await writeWhole(at(name), bytes);
      expect(readdirSync(folder)).toEqual([name]);
      rmSync(at(name));
    }
    await expect(writeWhole(at("m".repeat(256)), bytes)).rejects.toThrow(/the name is too long/);
    await expect(writeWhole("", bytes)).rejects.toThrow(/no such file or folder/);
    await expect(writeWhole(at("new/"), bytes)).rejects.toThrow(/a part of the path is not a folder/);
  });

  it("names the folder that is removed while it writes", async () => {
    mkdirSync(at("gone"));
    const content = (async function* () {
      yield bytes;
      rmSync(at("gone"), { recursive: true });
    })();
    await expect(writeWhole(at("gone/file"), content)).rejects.toThrow(
      `file: cannot be written: the folder ${at("gone")} does not exist; make it first, or give another path [FILE_WRITE]`,
    );
  });

  it("saves content in the temporary folder if it cannot write it, and reports the place", async () => {
    const path = at("no/where");
    const kept: string[] = [];
    for (const content of [bytes, Uint8Array.of(9)]) {
      const error = await writeWhole(path, content, { keep: true }).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(DataError);
      const { message, code } = error as DataError;
      const [, folder, place] =
        /where: cannot be written: the folder (\S+) does not exist; the result is kept in (\S+where); move it/.exec(message)!;
      expect(folder).toBe(at("no"));
      expect([code, place.startsWith(tmpdir())]).toEqual(["FILE_WRITE", true]);
      expect([...readFileSync(place)]).toEqual([...content]);
      if (process.platform !== "win32") expect(modeOf(join(place, ".."))).toBe(0o700);
      kept.push(place);
    }
    // Uses one place per file, however often it fails.
    expect(kept[1]).toBe(kept[0]);
    // A place that another user has taken in the meantime must not hold private content.
    if (root) {
      chownSync(join(kept[0], ".."), 1234, 1234);
      const other = await writeWhole(path, bytes, { keep: true }).catch((thrown: Error) => thrown.message);
      const [, place] = /is kept in (\S+where); move it/.exec(String(other))!;
      expect(place).not.toBe(kept[0]);
      expect([...readFileSync(kept[0])]).toEqual([9]);
      rmSync(join(place, ".."), { recursive: true });
    }
    rmSync(join(kept[0], ".."), { recursive: true });
    const again = await writeWhole(path, bytes, { keep: true }).catch((thrown: Error) => thrown.message);
    const [, moved] = /is kept in (\S+where); move it/.exec(String(again))!;
    expect([...readFileSync(moved)]).toEqual([...bytes]);
    rmSync(join(moved, ".."), { recursive: true });
    const missing = `${path}: cannot be written: the folder ${at("no")} does not exist; make it first, or give another path [FILE_WRITE]`;
    await expect(writeWhole(path, bytes)).rejects.toThrow(new DataError(path, missing.slice(path.length + 2, -13), "FILE_WRITE"));
    vi.stubEnv("TMPDIR", at("none"));
    try {
      const both = writeWhole(at("no/place"), bytes, { keep: true });
      await expect(both).rejects.toThrow(/; the result cannot be kept in .*none either: no such file or folder \[FILE_WRITE\]$/);
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

describe("half-written files of killed processes", () => {
  /** Id of a process that has ended. */
  const dead = Number(execFileSync(process.execPath, ["-p", "process.pid"], { encoding: "utf8" }));
  const as = (name: string, pid: number): string => name.replace(`.${process.pid}-`, `.${pid}-`);
  const elsewhere = (name: string): string => name.replace(/-[0-9a-f]{8}-/, "-00000000-");
  const old = (name: string, hours = 25): string => {
    // biome-ignore lint/plugin: the age of a file
    const then = Date.now() / 1000 - hours * 3600;
    utimesSync(at(name), then, then);
    return name;
  };
  const made = async (name: string, change: (name: string) => string = (same) => same): Promise<string> => {
    const partial = change(await partialName(name));
    writeFileSync(at(partial), "half");
    return partial;
  };

  it("are removed at the next save, except those of living processes", async () => {
    const gone = [
      await made("model", (name) => as(name, dead)),
      old(await made("model", (name) => elsewhere(as(name, dead)))),
      old(await made("model", elsewhere)),
    ];
    const left = [
      await made("model"),
      old(await made("model")),
      await made("model", (name) => as(name, process.ppid)),
      await made("model", (name) => elsewhere(as(name, dead))),
      old(await made("model", (name) => elsewhere(as(name, dead))), 23),
      await made("another", (name) => as(name, dead)),
      await made("model.2", (name) => as(name, dead)),
      await made("model", () => "model.notes.partial"),
      await made("model", () => `model.${dead}.partial`),
    ];
    expect(new Set([...gone, ...left]).size).toBe(12);
    await writeWhole(at("model"), bytes);
    expect(readdirSync(folder).sort()).toEqual([...left, "model"].sort());
    await writeWhole(at("another"), bytes);
    expect(existsSync(at(left[5]))).toBe(false);
  });

  it.skipIf(process.platform !== "linux")("are removed if their killed process is still a zombie", async () => {
    // The shell becomes a program that never waits for the shell's child.
    const parent = spawn("sh", ["-c", "sleep 1000 & echo $!; exec sleep 1000"], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      const [told] = (await once(parent.stdout, "data")) as [Buffer];
      const pid = Number(told.toString());
      const status = (): string => readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1][0];
      const partial = await made("model", (name) => as(name, pid));
      await writeWhole(at("model"), bytes);
      expect(readdirSync(folder).sort()).toEqual([partial, "model"].sort());
      process.kill(pid, "SIGKILL");
      await expect.poll(status).toBe("Z");
      await writeWhole(at("model"), bytes);
      expect(readdirSync(folder)).toEqual(["model"]);
    } finally {
      parent.kill("SIGKILL");
    }
  });

  it.skipIf(process.platform !== "linux")(
    "are kept if the name of a living process resembles the state of a dead one",
    async () => {
      symlinkSync(execFileSync("sh", ["-c", "command -v sleep"], { encoding: "utf8" }).trim(), at("a) Z"));
      const living = spawn(at("a) Z"), ["1000"]);
      try {
        await once(living, "spawn");
        await expect.poll(() => readFileSync(`/proc/${living.pid}/stat`, "utf8")).toContain("(a) Z) ");
        const partial = await made("model", (name) => as(name, living.pid!));
        await writeWhole(at("model"), bytes);
        expect(readdirSync(folder).sort()).toEqual(["a) Z", partial, "model"].sort());
      } finally {
        living.kill("SIGKILL");
      }
    },
  );

  it("are kept if their process belongs to another user", async () => {
    const kill = vi.spyOn(process, "kill").mockImplementation(() => {
      throw Object.assign(new Error("kill EPERM"), { code: "EPERM" });
    });
    const partial = await made("model", (name) => as(name, dead));
    await writeWhole(at("model"), bytes);
    kill.mockRestore();
    expect(readdirSync(folder).sort()).toEqual([partial, "model"].sort());
  });
});

describe("checkWritable", () => {
  it("reports errors in advance and leaves no files", async () => {
    writeFileSync(at("file"), "old", { mode: 0o600 });
    symlinkSync("missing/file", at("dangling"));
    const before = statSync(at("file"));
    for (const [path, message] of [
      ["", /: cannot be written: no such file or folder \[FILE_WRITE\]/],
      [folder, /it is a folder/],
      [
        at("no/such/where"),
        new RegExp(
          `where: cannot be written: the folder ${at("no/such")} does not exist; make it first, or give another path \\[`,
        ),
      ],
      [at("dangling"), new RegExp(`dangling: cannot be written: the folder ${at("missing")} does not exist; make it`)],
      [at("file/below"), /a part of the path is not a folder/],
      [at("new/"), /a part of the path is not a folder/],
    ] as const)
      await expect(checkWritable(path), path).rejects.toThrow(message);
    for (const name of ["file", "new"]) await checkWritable(at(name));
    expect(readdirSync(folder).sort()).toEqual(["dangling", "file"]);
    const after = statSync(at("file"));
    expect([after.ino, after.mtimeMs, after.mode]).toEqual([before.ino, before.mtimeMs, before.mode]);
  });

  it("checks the nearest existing folder if missing folders would be created", async () => {
    writeFileSync(at("file"), "");
    await checkWritable(at("a/b/c"), { folders: true });
    await checkWritable(at("c"), { folders: true });
    await expect(checkWritable(at("file/b/c"), { folders: true })).rejects.toThrow(/a part of the path is not a folder/);
    await expect(checkWritable(at("a/b/c"))).rejects.toThrow(/the folder \S+b does not exist/);
    expect(readdirSync(folder)).toEqual(["file"]);
  });

  it("opens neither FIFOs nor devices", async () => {
    execFileSync("mkfifo", [at("fifo")]);
    // Opening it would wait forever for a reader.
    await checkWritable(at("fifo"));
    await checkWritable("/dev/null");
    expect(readdirSync(folder)).toEqual(["fifo"]);
  });

  it("explains the alternative in a browser", async () => {
    vi.stubGlobal("process", undefined);
    try {
      await expect(checkWritable("m.safetensors")).rejects.toThrow(CapabilityError);
    } finally {
      vi.unstubAllGlobals();
    }
  });
});

describe("readWhole", () => {
  it("accepts a path, a URL, a Blob, and bytes", async () => {
    const path = join(folder, "bytes");
    writeFileSync(path, Uint8Array.of(7, 8));
    const data = Uint8Array.of(7, 8);
    for (const from of [
      path,
      pathToFileURL(path),
      new URL("data:application/octet-stream;base64,Bwg="),
      new Blob([data]),
      data,
    ]) {
      expect([...(await readWhole(from))]).toEqual([7, 8]);
    }
  });

  it("names the unreadable source and the reason", async () => {
    await expect(readWhole(join(folder, "absent"))).rejects.toThrow(
      /absent: cannot be read: no such file or folder \[FILE_READ\]/,
    );
    await expect(readWhole(folder)).rejects.toThrow("it is a folder");
  });

  it("fetches http and https addresses, whole and in blocks", async () => {
    const asked: string[] = [];
    vi.stubGlobal("fetch", async (from: string | URL) => {
      asked.push(String(from));
      return new Response(Uint8Array.of(7, 8));
    });
    try {
      for (const from of ["http://host/bytes", "https://host/bytes", new URL("https://host/bytes")]) {
        expect([...(await readWhole(from))]).toEqual([7, 8]);
        const blocks: number[] = [];
        for await (const block of readBlocks(from, 9)) blocks.push(...block);
        expect(blocks).toEqual([7, 8]);
      }
    } finally {
      vi.unstubAllGlobals();
    }
    expect(asked).toEqual(["http", "http", "https", "https", "https", "https"].map((kind) => `${kind}://host/bytes`));
  });

  it("refuses missing resources of a server, whole and in blocks", async () => {
    const server = createServer((_, response) => response.writeHead(404).end("no such file"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/run.checkpoint`;
    const refused = /run\.checkpoint: cannot be read: the server answered 404 Not Found \[FILE_READ\]$/;
    await expect(readWhole(address)).rejects.toThrow(refused);
    await expect(readBlocks(address, 9).next()).rejects.toThrow(refused);
    server.close();
  });

  it("cancels transfers that are no longer read, and reports answers of the server", async () => {
    const ended: string[] = [];
    const body = (name: string, parts: number) =>
      new ReadableStream({
        pull(controller) {
          if (parts-- > 0) controller.enqueue(Uint8Array.of(parts));
          else controller.close();
        },
        cancel: () => void ended.push(name),
      });
    const fetching = vi.spyOn(globalThis, "fetch");
    try {
      fetching.mockResolvedValueOnce(new Response(body("whole", 3)));
      const found: number[] = [];
      for await (const block of readBlocks("http://none.example/a", 9)) found.push(...block);
      expect([found, ended]).toEqual([[2, 1, 0], []]);
      fetching.mockResolvedValueOnce(new Response(body("stopped", 9)));
      for await (const _ of readBlocks("http://none.example/a", 9)) break;
      fetching.mockResolvedValueOnce(new Response(body("refused", 9), { status: 500 }));
      await expect(readBlocks("http://none.example/a", 9).next()).rejects.toThrow(/the server answered 500/);
      expect(ended).toEqual(["stopped", "refused"]);
      fetching.mockResolvedValueOnce(new Response(body("refused whole", 9), { status: 500, statusText: "Sorry" }));
      await expect(readWhole("http://none.example/a")).rejects.toThrow(
        "http://none.example/a: cannot be read: the server answered 500 Sorry [FILE_READ]",
      );
      expect(ended).toEqual(["stopped", "refused", "refused whole"]);
      fetching.mockResolvedValueOnce(new Response(null, { status: 404 }));
      await expect(readWhole("http://none.example/a")).rejects.toThrow("the server answered 404 ");
    } finally {
      fetching.mockRestore();
    }
  });
});

it.skipIf(process.platform === "win32")("refuses devices, which can be endless, whole, in blocks and behind links", async () => {
  const root = mkdtempSync(join(tmpdir(), "devices-"));
  const link = join(root, "endless");
  symlinkSync("/dev/zero", link);
  const blocks = async (from: string): Promise<void> => {
    for await (const _ of readBlocks(from, 16));
  };
  for (const from of ["/dev/zero", link])
    for (const read of [readWhole, blocks])
      await expect(read(from)).rejects.toThrow(
        `${from}: cannot be read: it is a device, but must be a file or a pipe [FILE_READ]`,
      );
  rmSync(root, { recursive: true });
});
