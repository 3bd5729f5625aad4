/** Text of graphs as other programs write it: byte order marks, line ends, binary data and pipes. */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FactorGraph } from "ergodic";
import { describe, expect, it } from "vitest";
import { readBif, readGraphJson, readLibdai, readUai, writeBif, writeGraphJson, writeUai } from "../../src/graphs/index.ts";
import type { Source } from "../../src/index.ts";

const bif = `network rain { }
variable rain { type discrete [ 2 ] { no, yes }; }
variable wet { type discrete [ 2 ] { no, yes }; }
probability ( rain ) { table 0.8, 0.2; }
probability ( wet | rain ) { (no) 0.9, 0.1; (yes) 0.2, 0.8; }
`;
const graph = await readBif({ content: bif });
const formats: [name: string, text: string, read: (source: Source) => Promise<FactorGraph>][] = [
  ["uai", writeUai(graph), readUai],
  ["bif", writeBif(graph), readBif],
  ["fg", "1\n\n1\n0\n2\n2\n0 0.25\n1 0.75\n", readLibdai],
  ["json", writeGraphJson(graph), readGraphJson],
];

describe.each(formats)("%s", (name, text, read) => {
  const named = (content: string | Uint8Array): Source => ({ content, name: `g.${name}` });

  it("is read the same with a byte order mark and with other line ends", async () => {
    const plain = JSON.stringify(await read(named(text)));
    expect(JSON.stringify(await read(named(`\ufeff${text}`)))).toBe(plain);
    expect(JSON.stringify(await read(named(text.replaceAll("\n", "\r\n"))))).toBe(plain);
  });

  it("is refused as UTF-16, with or without a byte order mark", async () => {
    const wide = Buffer.from(text, "utf16le");
    await expect(read(named(Buffer.concat([Buffer.from([0xff, 0xfe]), wide])))).rejects.toThrow(
      `g.${name}: the file is UTF-16 (byte order mark FF FE)`,
    );
    await expect(read(named(wide))).rejects.toThrow(/a zero byte shows that this is not a text file.*\[DATA_FORMAT\]$/);
  });

  it("is refused at the first chunk of an endless stream of zeros", async () => {
    let given = 0;
    const zeros = async function* () {
      for (; given < 1000; given++) yield new Uint8Array(1024);
    };
    await expect(read(zeros())).rejects.toThrow("a zero byte shows that this is not a text file");
    expect(given).toBeLessThan(3);
  });
});

it.skipIf(process.platform === "win32")("reads a graph from a named pipe, as with <(a command)", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ergodic-pipe-"));
  const pipe = join(folder, "graph.uai");
  execFileSync("mkfifo", [pipe]);
  const writer = spawn(process.execPath, [
    "-e",
    "require('fs').writeFileSync(process.argv[1], process.argv[2])",
    pipe,
    writeUai(graph),
  ]);
  try {
    expect(writeUai(await readUai(pipe))).toBe(writeUai(graph));
  } finally {
    writer.kill();
    rmSync(folder, { recursive: true });
  }
});
