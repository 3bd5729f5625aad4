import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CapabilityError, DataError } from "../../src/base/errors.ts";
import { readWhole, writeWhole } from "../../src/base/files.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "files-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("writeWhole", () => {
  it("writes over a file and leaves nothing beside it", async () => {
    const path = join(folder, "model");
    writeFileSync(path, "old");
    await writeWhole(path, Uint8Array.of(1, 2, 3));
    expect([...readFileSync(path)]).toEqual([1, 2, 3]);
    expect(readdirSync(folder)).toEqual(["model"]);
  });

  it("never shows a half-written file, whoever else writes", async () => {
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
    await expect(writeWhole(join(folder, "no", "where"), Uint8Array.of(1))).rejects.toThrow("no such file or folder");
  });

  it("says in a browser what to do instead", async () => {
    vi.stubGlobal("process", undefined);
    try {
      await expect(writeWhole("m.safetensors", Uint8Array.of(1))).rejects.toThrow(CapabilityError);
    } finally {
      vi.unstubAllGlobals();
    }
  });
});

describe("readWhole", () => {
  it("takes a path, a URL, a Blob, and bytes", async () => {
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

  it("names what it could not read, and why", async () => {
    await expect(readWhole(join(folder, "absent"))).rejects.toThrow(
      /absent: cannot be read: no such file or folder \[FILE_READ\]/,
    );
    await expect(readWhole(folder)).rejects.toThrow("it is a folder");
  });
});
