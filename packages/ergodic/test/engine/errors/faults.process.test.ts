/**
 * Writes that cannot succeed: killed processes, a full disk, a read-only disk, a size limit, foreign folders, and
 * streams instead of files. Tests without the required rights are skipped with a message. ERGODIC_FAULTS=1 runs 100
 * kills instead of 4.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chownSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { checkWritable, writeWhole } from "../../../src/engine/files/files.ts";

// prepare-tests.mjs builds it before the tests.
const built = new URL("../../../dist/entries/extend.js", import.meta.url);
const root = process.getuid?.() === 0;
const kills = process.env.ERGODIC_FAULTS === "1" ? 100 : 4;

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "faults-"));
});
afterEach(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

/** A program with `writeWhole`, `checkWritable` and `told`, which prints an error's message. */
const program = (body: string): string[] => [
  "--input-type=module",
  "-e",
  `import { checkWritable, writeWhole } from ${JSON.stringify(built.href)};
   const told = (work) => work.then(() => console.log("done"), (error) => console.log(error.message));
   ${body}`,
];

const SIZE = 1_000_000;

const killed = `${kills} processes killed while they save: the file is whole, and the next save clears what they left`;
it(killed, async () => {
  const path = at("model");
  let left = 0;
  for (let k = 0; k < kills; k++) {
    // The processes write quickly or slowly in turn, so that the signal meets every stage. The first one stops in the
    // middle of a save, so that at least one partial file is left.
    const slowly = k % 2 === 0 ? "" : "await new Promise((resolve) => setTimeout(resolve, 1));";
    const stops = `if (byte === 2 && part === 5) await new Promise((resolve) => setTimeout(resolve, 1e9));`;
    const body = `for (let byte = 0; ; byte = (byte + 1) % 256) {
      await writeWhole(${JSON.stringify(path)}, (async function* () {
        for (let part = 0; part < 10; part++) { ${k === 0 ? stops : slowly} yield new Uint8Array(${SIZE / 10}).fill(byte); }
      })());
      if (byte === 1) console.log("at work");
    }`;
    const child = spawn(process.execPath, program(body), { stdio: ["ignore", "pipe", "inherit"] });
    const ended = new Promise<string>((resolve) => child.on("close", (code, signal) => resolve(signal ?? `exit ${code}`)));
    const atWork = new Promise<string>((resolve) => child.stdout.once("data", () => resolve("at work")));
    // A process that fails before it starts work writes the reason to standard error.
    expect(await Promise.race([atWork, ended])).toBe("at work");
    await new Promise((resolve) => setTimeout(resolve, (k * 7) % 23));
    child.kill("SIGKILL");
    expect(await ended).toBe("SIGKILL");
    const seen = readFileSync(path);
    expect([seen.length, seen.every((byte) => byte === seen[0])]).toEqual([SIZE, true]);
    const partials = readdirSync(folder).filter((name) => name.endsWith(".partial"));
    // Each child's first save has cleared the leftovers of the previous one.
    expect(partials.length).toBeLessThanOrEqual(1);
    left += partials.length;
  }
  expect(left).toBeGreaterThan(0);
  await writeWhole(path, Uint8Array.of(1));
  expect(readdirSync(folder)).toEqual(["model"]);
});

/** Mounts a small disk, if the host allows it. */
function disk(): string | undefined {
  mkdirSync(at("disk"));
  const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", at("disk")], { encoding: "utf8" });
  if (status === 0) return at("disk");
  console.error(`skipped: no file system can be mounted here (${(stderr ?? "no mount").trim()})`);
  return undefined;
}

it("keeps the old file on a full disk and saves the result elsewhere", async (context) => {
  const small = disk();
  if (small === undefined) return context.skip();
  try {
    const path = join(small, "model");
    await writeWhole(path, Uint8Array.of(1, 2, 3));
    const error = await writeWhole(path, new Uint8Array(SIZE).fill(7), { keep: true }).catch((thrown: Error) => thrown.message);
    const [, kept] = /: the disk is full; the result is kept in (\S+); move it/.exec(String(error)) ?? [];
    expect(readFileSync(kept).equals(Buffer.alloc(SIZE, 7))).toBe(true);
    rmSync(dirname(kept), { recursive: true });
    expect([...readFileSync(path)]).toEqual([1, 2, 3]);
    expect(readdirSync(small)).toEqual(["model"]);
    execFileSync("mount", ["-o", "remount,ro", small]);
    const fresh = join(small, "new");
    const writes = [() => writeWhole(path, Uint8Array.of(1)), () => checkWritable(path), () => checkWritable(fresh)];
    for (const write of writes) await expect(write()).rejects.toThrow(/the disk is read-only \[FILE_WRITE\]/);
  } finally {
    execFileSync("umount", [small]);
  }
});

it("keeps the old file under a file size limit and reports that the result cannot be kept", () => {
  writeFileSync(at("model"), "old");
  const [node, ...args] = [
    process.execPath,
    ...program(`await told(writeWhole(${JSON.stringify(at("model"))}, new Uint8Array(${SIZE}), { keep: true }))`),
  ];
  const limited = spawnSync("sh", ["-c", 'ulimit -f 100; exec "$0" "$@"', node, ...args], {
    encoding: "utf8",
    env: { ...process.env, TMPDIR: folder },
  });
  const reason = "the file would be larger than the system allows";
  expect(limited.stdout).toContain(
    `model: cannot be written: ${reason}; the result cannot be kept in ${folder} either: ${reason} [FILE_WRITE]`,
  );
  expect(readFileSync(at("model"), "utf8")).toBe("old");
  expect(readdirSync(folder).filter((name) => name.endsWith(".partial"))).toEqual([]);
});

it("reports a file and a folder without write permission", (context) => {
  const nobody = root ? { uid: 65_534, gid: 65_534 } : {};
  if (spawnSync(process.execPath, program(""), nobody).status !== 0) {
    console.error("skipped: another user may not read this folder");
    return context.skip();
  }
  writeFileSync(at("model"), "old", { mode: 0o444 });
  mkdirSync(at("closed"), { mode: 0o555 });
  if (root) for (const name of ["", "model", "closed"]) chownSync(at(name), 65_534, 65_534);
  const [model, below, fresh] = ["model", "closed/model", "new"].map((name) => JSON.stringify(at(name)));
  const body = `for (const path of [${model}, ${below}]) {
    await told(writeWhole(path, Uint8Array.of(1)));
    await told(checkWritable(path));
  }
  await told(checkWritable(${fresh}));`;
  const lines = spawnSync(process.execPath, program(body), { ...nobody, encoding: "utf8" })
    .stdout.trim()
    .split("\n");
  const refused = (name: string): string => `${at(name)}: cannot be written: permission denied [FILE_WRITE]`;
  expect(lines).toEqual([refused("model"), refused("model"), refused("closed/model"), refused("closed/model"), "done"]);
  expect(readFileSync(at("model"), "utf8")).toBe("old");
});

it("writes to the shell's target of /dev/stdout, /dev/fd/1 and /proc/self/fd/1 without replacing it", () => {
  const body = `for (const name of ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"]) {
    await checkWritable(name);
    await writeWhole(name, Array.from({ length: 50 }, () => "text,".repeat(1_000)));
  }`;
  // A socket, a pipe, and a file with existing content.
  expect(spawnSync(process.execPath, program(body), { encoding: "utf8" }).stdout).toHaveLength(3 * 250_000);
  const [node, ...args] = [process.execPath, ...program(body)];
  expect(spawnSync("sh", ["-c", '"$0" "$@" | cat', node, ...args], { encoding: "utf8" }).stdout).toHaveLength(3 * 250_000);
  const file = openSync(at("file"), "w");
  writeSync(file, "before,");
  spawnSync(process.execPath, program(body), { stdio: ["ignore", file, "inherit"] });
  writeSync(file, "after");
  expect(readFileSync(at("file"), "utf8")).toMatch(/^before,(text,){150000}after$/);
  expect(readdirSync(folder)).toEqual(["file"]);
});

it("waits for a slow reader of a non-blocking pipe", () => {
  const body = `process.stdout.write(""); await writeWhole("/dev/stdout", new Uint8Array(1_000_000).fill(65));`;
  const [node, ...args] = [process.execPath, ...program(body)];
  // The reader sleeps after the first byte, while the writer meets a full pipe.
  const reader = "{ dd bs=1 count=1 of=/dev/null 2>/dev/null; sleep 0.1; wc -c; }";
  const slow = spawnSync("sh", ["-c", `"$0" "$@" | ${reader}`, node, ...args], { encoding: "utf8" });
  expect([slow.stdout.trim(), slow.stderr]).toEqual(["999999", ""]);
});
