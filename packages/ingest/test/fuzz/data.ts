/** Damaged data files of every format, read as tables, as datasets and in blocks. */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { encode as encodePng } from "fast-png";
import { encode as encodeJpeg } from "jpeg-js";
import { type FuzzResult, fuzz, type Target } from "../../../ergodic/test/fuzz/mutate.ts";
import { blocks, read, readImages, readRows, sparseBlocks } from "../../src/index.ts";
import { flatGreyJpeg, plainPng, pngBytes, resealed, unpackedPng } from "../image-bytes.ts";
import { type ParquetColumn, parquetBytes } from "../parquet-bytes.ts";
import { npyBytes } from "../writers.ts";

const fixture = (name: string) => new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));
const encode = (text: string) => new TextEncoder().encode(text);
const gzip = (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes, { level: 1 }));

const csv = `age,work,pay,id\n${Array.from({ length: 30 }, (_, i) => `${20 + i},"a, ""${"xyz"[i % 3]}""",${i % 7 ? (i * 1.5).toFixed(2) : "NA"},r${i}`).join("\n")}\n`;
const jsonl = Array.from({ length: 20 }, (_, i) =>
  JSON.stringify({ a: i / 3, b: "xyz"[i % 3], c: i % 2 === 0, d: i % 5 ? i : null }),
).join("\n");
const libsvm = Array.from({ length: 20 }, (_, i) => `${i % 2 ? 1 : -1} 1:${i} ${2 + (i % 3)}:0.5 9:-1e3 # note`).join("\n");
const vw = Array.from({ length: 20 }, (_, i) => `${i % 2 ? 1 : -1} ${i % 3 ? "1.5" : ""} 'tag|a x:${i} y |b z:0.25`).join("\n");

const parquetColumns: ParquetColumn[] = [
  { name: "double", type: "DOUBLE", values: [0.5, null, -1e30, 2, 5, null] },
  { name: "int", type: "INT32", values: [1, -2, 3, null, 5, 6] },
  { name: "long", type: "INT64", values: [1n, 2n, 3n, 4n, 5n, 6n] },
  { name: "cents", type: "INT32", converted: 5, scale: 2, values: [150, 250, 1, 0, 1, 2] },
  { name: "flag", type: "BOOLEAN", values: [true, false, null, true, true, false] },
  { name: "text", type: "BYTE_ARRAY", converted: 0, values: ["b", "größe", "12", null, "b", "c"] },
  { name: "day", type: "INT32", converted: 6, values: [0, null, 19_787, -1, 5, 6] },
  { name: "when", type: "INT64", converted: 10, values: [0n, 1_709_649_000_500_000n, -1n, 4n, 5n, 6n] },
];
const coded: ParquetColumn = { name: "coded", type: "INT32", values: [1, 2, 3, 4, 5, 6] };
const dictionary = { values: 3, page: [7, 0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 0] };

const idx = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 3, ...Array.from({ length: 24 }, (_, k) => k * 9));
const labels = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 4, 1, 2, 1, 2);
const picture = Array.from({ length: 12 * 10 * 3 }, (_, k) => (k * 7) % 256);
const png = (data: number[], channels: 1 | 3) =>
  plainPng(
    Array.from({ length: 4 }, (_, y) => data.slice(y * 5 * channels, (y + 1) * 5 * channels)),
    channels,
  );
const jpeg = (quality: number) => {
  const data = Uint8Array.from({ length: 16 * 16 * 4 }, (_, k) => (k % 4 === 3 ? 255 : (k * 5) % 256));
  return new Uint8Array(encodeJpeg({ width: 16, height: 16, data }, quality).data);
};

/** Reads the file as rows, as a dataset with any target column, and in blocks. */
function table(
  name: string,
  bytes: Uint8Array,
  options: { seal?: Target["seal"]; target?: string | number; sparse?: boolean; labels?: Uint8Array } = {},
): Target[] {
  const { seal, target, sparse = false, labels } = options;
  const chosen = target === undefined ? (labels === undefined ? {} : { labels }) : { target, impute: "mean" as const };
  const source = (content: Uint8Array) => ({ content, name });
  const sealed = seal === undefined ? {} : { seal };
  const drain = async (content: Uint8Array) => {
    const parts = sparse ? sparseBlocks(source(content), { rows: 4 }) : blocks(source(content), { rows: 4 });
    for await (const _ of parts);
  };
  return [
    { name, bytes, ...sealed, read: (content) => readRows(source(content)) },
    {
      name: `${name} as a dataset`,
      bytes,
      ...sealed,
      read: async (content) => (await read(source(content), chosen)).dispose(),
    },
    { name: `${name} in blocks`, bytes, ...sealed, read: drain },
  ];
}

function image(name: string, bytes: Uint8Array, seal?: Target["seal"]): Target {
  const read = async (content: Uint8Array) => {
    const images = [
      { source: content, name, label: "a" },
      { source: content, name, label: "b" },
    ];
    (await readImages(images, { size: [3, 3] })).dispose();
  };
  return { name, bytes, read, ...(seal === undefined ? {} : { seal }) };
}

export const targets: readonly Target[] = [
  ...table("a.csv", encode(csv), { target: "age" }),
  ...table("a.csv.gz", encode(csv), { target: "age", seal: gzip }),
  ...table("a.tsv", encode(csv.replaceAll(",", "\t")), { target: "age" }),
  ...table("a.jsonl", encode(jsonl), { target: "a" }),
  ...table("a.libsvm", encode(libsvm), { sparse: true }),
  ...table("a.vw", encode(vw), { sparse: true }),
  ...["f8", "i8", "u1", "fortran", "big-endian", "cube", "version2"].flatMap((name) =>
    table(`${name}.npy`, fixture(`${name}.npy`), { target: 0 }),
  ),
  ...table(
    "a.npy.gz",
    npyBytes(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      false,
    ),
    { target: 0, seal: gzip },
  ),
  ...table("a.parquet", parquetBytes(parquetColumns, { groupRows: 4 }), { target: "long" }),
  ...table("a.parquet", parquetBytes(parquetColumns.slice(0, 3), { codec: "gzip" }), { target: "long" }),
  ...table("a.parquet", parquetBytes(parquetColumns.slice(1, 4), { codec: "snappy" }), { target: "long" }),
  ...table(
    "a.parquet",
    parquetBytes([coded, { ...coded, name: "again" }], { tampered: { encoding: 8, page: [2, 3, 0b100100, 0b1001], dictionary } }),
    { target: "again" },
  ),
  ...table("a.idx", idx, { labels }),
  ...table("a.idx.gz", idx, { seal: gzip, labels }),
  image("grey.png", png(picture, 1), resealed),
  image("colour.png", png(picture, 3), resealed),
  image("deep.png", pngBytes({ width: 3, height: 1, depth: 16, colour: 0, rows: [[255, 255, 1, 1, 1, 130]] }), resealed),
  image(
    "bits.png",
    pngBytes({ width: 5, height: 1, depth: 2, colour: 0, rows: [[0b00011011, 0b01000000]], transparency: [0, 1] }),
    resealed,
  ),
  image(
    "palette.png",
    pngBytes({
      width: 3,
      height: 1,
      depth: 4,
      colour: 3,
      rows: [[0x10, 0x20]],
      palette: [1, 2, 3, 4, 5, 6, 7, 8, 9],
      transparency: [9],
    }),
    resealed,
  ),
  image(
    "interlaced.png",
    encodePng({ width: 12, height: 10, channels: 3, depth: 8, data: Uint8Array.from(picture) }, { interlace: "Adam7" }),
    resealed,
  ),
  image(
    "unpacked.png",
    Uint8Array.from([0, 0, 0, 5, 0, 0, 0, 4, 8, 2, 0, 0, 0, ...Array.from({ length: 64 }, (_, k) => (k % 16 ? k : k % 5))]),
    unpackedPng,
  ),
  image("flat.jpg", flatGreyJpeg(20)),
  image("colour.jpg", jpeg(50)),
  image("grey.jpg", fixture("grey.jpg")),
  image("progressive.jpg", fixture("progressive.jpg")),
];

export function run(cases: number, seed: number): Promise<FuzzResult> {
  return fuzz(targets, cases, seed);
}
