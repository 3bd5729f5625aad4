/**
 * Kernel families: each kernel is in exactly one, families share neither memory nor slots, and errors name the kernels
 * that are not loaded.
 */
import fs from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { afterEach, expect, it, vi } from "vitest";
import { buildFiles } from "../../../src/engine/memory/builds/files.ts";
import { type Family, families, familyOfArrayKernel, familyOfModule, makesCode } from "../../../src/engine/memory/families.ts";
import { loadFamily, probeInstructions } from "../../../src/engine/memory/load.ts";

const builds = ["simd", "relaxed"] as const;
const PLAIN: readonly Family[] = ["sampling", "graphs", "trees"];

afterEach(() => {
  vi.doUnmock("../../../src/engine/memory/load.ts");
  vi.resetModules();
});

const kernelsFolder = new URL("../../../kernels/", import.meta.url);
const sourceFolder = new URL("../../../src/", import.meta.url);

/** Source texts of a folder by path. */
async function sourcesOf(folder: URL): Promise<Map<string, string>> {
  const paths = (await readdir(folder, { recursive: true })).filter((path) => path.endsWith(".ts"));
  return new Map(await Promise.all(paths.map(async (path) => [path, await readFile(new URL(path, folder), "utf8")] as const)));
}

const kernelsOf = async (family: Family): Promise<string[]> =>
  WebAssembly.Module.exports(await loadFamily(family, "simd", true))
    .filter(({ kind }) => kind === "function")
    .map(({ name }) => name);

it("contains each kernel in one family", async () => {
  const names = (await Promise.all(families.map(kernelsOf))).flat();
  expect(names.length).toBeGreaterThan(200);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

it("names a kernel that is in no family", async () => {
  const sources = await sourcesOf(kernelsFolder);
  const listed = new Set<string>();
  for (const text of sources.values())
    for (const [, list, path] of text.matchAll(/^(?:import|export) (\{[^}]*\}|\*(?: as \w+)?) from "(.*)"/gm)) {
      if (list.startsWith("*")) listed.add(path.split("/").at(-1)!);
      for (const [, name] of list.matchAll(/(\w+)(?: as \w+)?/g)) listed.add(name);
    }
  const missing = [...sources].flatMap(([path, text]) =>
    path.startsWith("families/") || path.startsWith("predict/") || listed.has(path.split("/").at(-1)!.slice(0, -3))
      ? []
      : [...text.matchAll(/^export function (\w+)/gm)].flatMap(([, name]) => (listed.has(name) ? [] : [`${path}: ${name}`])),
  );
  expect(missing, "kernels that no file of kernels/families/ exports and no other kernel imports").toEqual([]);
});

it("contains every kernel that the library requests by name", async () => {
  const names = new Set((await Promise.all(families.map(kernelsOf))).flat());
  const missing = [...(await sourcesOf(sourceFolder))].flatMap(([path, text]) =>
    [...text.matchAll(/\b(?:kernel|kernelSlot)\(\s*"(\w+)"|\bkernel: "(\w+)"/g)]
      .map(([, called, named]) => called ?? named)
      // Declarations use the word "own" if their layer chooses the option named "kernel".
      .filter((name) => name !== "own" && !names.has(name) && !(names.has(`${name}F32`) && names.has(`${name}F64`)))
      .map((name) => `${path}: ${name}`),
  );
  expect(missing).toEqual([]);
});

it("recognises a module by its exports, and array kernels by their names", async () => {
  for (const family of families) expect(familyOfModule(await loadFamily(family, "simd", true))).toBe(family);
  expect(familyOfModule(new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)))).toBeUndefined();
  for (const family of ["arrays", "images"] as const)
    for (const name of await kernelsOf(family)) expect(familyOfArrayKernel(name.replace(/F(32|64)$/, "")), name).toBe(family);
});

it("gives each family of each build its own static data and slots", async () => {
  const memory = new Map<number, string>();
  const slots = new Map<number, string>();
  for (const family of families)
    for (const build of builds) {
      // The same build serves both settings, because it has no slots and only constant data.
      if (build === "relaxed" && PLAIN.includes(family)) continue;
      const name = `${family} ${build}`;
      const { data, elements } = await placesOf(family, build);
      for (const [taken, cells] of [
        [memory, data],
        [slots, elements],
      ] as const)
        for (const { from, count } of cells)
          for (let at = from; at < from + count; at++) {
            expect(taken.get(at), `${name} at ${at}`).toBeUndefined();
            taken.set(at, name);
          }
    }
  expect(Math.max(...memory.keys())).toBeLessThan(1 << 20);
  expect(Math.max(...slots.keys())).toBeLessThan(1024);
});

it("has one build for families without relaxed instructions, which use no slots", async () => {
  const sources = new Map<string, string>();
  const kernels = new URL("../../../kernels/", import.meta.url).href;
  const read = async (path: string): Promise<void> => {
    if (sources.has(path)) return;
    const text = await readFile(new URL(`${path}.ts`), "utf8");
    sources.set(path, text);
    for (const [, name] of text.matchAll(/from "(\.[^"]+)"/g)) {
      const imported = new URL(name, path).href;
      if (imported.startsWith(kernels)) await read(imported);
    }
  };
  for (const family of PLAIN) {
    expect((await placesOf(family, "simd")).elements).toEqual([]);
    await read(`${kernels}families/${family}`);
  }
  expect(sources.size).toBeGreaterThan(20);
  for (const [path, text] of sources) expect(text, path).not.toContain("RELAXED");
});

it("stores each build as a file with the same bytes, and no other files", async () => {
  const folder = new URL("../../../src/engine/memory/builds/", import.meta.url);
  const all = Object.entries(buildFiles);
  expect(all).toHaveLength(2 * families.length);
  const named = all.filter(([name]) => !PLAIN.some((family) => name === `${family}-relaxed`));
  for (const family of PLAIN) expect(buildFiles[`${family}-relaxed`]).toEqual(buildFiles[`${family}-simd`]);
  for (const [name, { file, sharedAt }] of named) {
    const [family, build] = name.split("-") as [Family, string];
    const { bytes } = await builtOf(family, build);
    expect(bytes.equals(await readFile(new URL(file, folder))), name).toBe(true);
    expect(bytes[sharedAt], name).toBe(3);
  }
  const found = (await readdir(folder)).filter((name) => name.endsWith(".wasm"));
  expect(found.toSorted()).toEqual(named.map(([, { file }]) => file).toSorted());
  const shipped = await readdir(new URL("../../../dist/engine/memory/builds/", import.meta.url));
  expect(shipped.toSorted()).toEqual(found.toSorted());
});

it.each([true, false])(
  "loads the same kernels from files or, if they are missing, from modules; shared memory: %s",
  async (shared) => {
    const read = vi.spyOn(fs, "readFileSync");
    const names = async (): Promise<string[]> =>
      WebAssembly.Module.exports(await loadFamily("graphs", "relaxed", shared)).map(({ name }) => name);
    const fromFile = await names();
    expect(read.mock.results.map(({ type, value }) => [type, (value as Uint8Array).length])).toEqual([
      ["return", (await builtOf("graphs", "simd")).bytes.length],
    ]);
    read.mockImplementation(() => {
      throw new Error("no such file");
    });
    expect(await names()).toEqual(fromFile);
    expect(read).toHaveBeenCalledTimes(2);
    read.mockRestore();
  },
);

it("reads only the requested build of a family", async () => {
  // Node 20 compiles relaxed instructions only after this query.
  expect(probeInstructions().best).toBe("relaxed");
  const read = vi.spyOn(fs, "readFileSync");
  for (const family of families)
    for (const build of builds) {
      read.mockClear();
      await loadFamily(family, build, true);
      const { file } = buildFiles[`${family}-${PLAIN.includes(family) ? "simd" : build}`];
      expect(read.mock.calls.map(([path]) => String(path).split("/").at(-1))).toEqual([file]);
    }
  read.mockRestore();
});

it("ships the plain single-thread build of each family as a file, except families that generate code", async () => {
  const folder = new URL("../../../dist/kernels/", import.meta.url);
  const wanted = families.filter((family) => !makesCode(family));
  expect((await readdir(folder)).toSorted()).toEqual(wanted.map((family) => `${family}.wasm`).toSorted());
  expect(wanted).not.toContain("sampling");
  for (const family of wanted) {
    const { bytes, sharedAt } = await builtOf(family, "simd");
    // One flag of the limits marks a maximum, and another marks shared memory.
    expect(bytes[sharedAt]).toBe(3);
    bytes[sharedAt] = 1;
    expect(bytes.equals(await readFile(new URL(`${family}.wasm`, folder))), family).toBe(true);
  }
});

it("loads all kernels in Node, and otherwise names a kernel that is not loaded", async () => {
  const { openEngine } = await fresh(false);
  const engine = await openEngine({ families: ["training"] });
  expect(engine.kernel("log", false)(1)).toBe(0);
  expect(() => engine.kernel("gemmF32", false)).toThrow(
    "the kernel gemmF32 has not been loaded: it is in none of the families training",
  );
  expect(() => engine.kernelSlot("log", true)).toThrow("has not been loaded for deterministic runs");
  await expect(engine.run([{ kernel: "nutsRun", args: [] }], { workers: 1, deterministic: false })).rejects.toThrow(
    "nutsRun has not been loaded",
  );
  await openEngine({ families: ["arrays", "training"], deterministic: true });
  expect(() => engine.kernel("gemmF32", false)).toThrow();
  expect(engine.kernel("gemmF32", true)).toBeTypeOf("function");
});

it("uses modules compiled by the host and loads no others", async () => {
  const training = await loadFamily("training", "simd", false);
  const { openEngine } = await fresh(false);
  const engine = await openEngine({ kernels: [training] });
  await openEngine({ families: ["training"], deterministic: true });
  expect(engine.describe().build).toBe("simd-own");
  expect(engine.kernel("log", true)(1)).toBe(0);
  await expect(openEngine({ families: ["arrays"] })).rejects.toThrow("give it ergodic/kernels/arrays.wasm too");
  for (const family of ["coordinate", "sampling", "hessian"] as const)
    await expect(openEngine({ families: [family] })).rejects.toThrow("do it on a host that allows this");
  for (const family of ["images", "graphs"] as const)
    await expect(openEngine({ families: [family] })).rejects.toThrow(`give it ergodic/kernels/${family}.wasm too`);
});

it("loads no others in Node either, although all are available", async () => {
  const training = await loadFamily("training", "simd", false);
  const { openEngine } = await fresh(true);
  const engine = await openEngine({ kernels: [training] });
  expect(await openEngine()).toBe(engine);
  expect(engine.kernel("log", false)(1)).toBe(0);
  expect(() => engine.kernel("gemmF32", false)).toThrow("has not been loaded");
});

it("refuses modules once memory is shared", async () => {
  const training = await loadFamily("training", "simd", false);
  const { openEngine } = await fresh(false);
  (await import("../../../src/engine/memory/memory.ts")).engineMemory();
  await expect(openEngine({ kernels: training })).rejects.toThrow("the memory is already shared");
});

/** Imports a separate engine. With `all` false, no kernels are bundled, as in a web page. */
async function fresh(all: boolean) {
  vi.resetModules();
  vi.doMock("../../../src/engine/memory/load.ts", async (original) => ({ ...(await original<object>()), hasAllKernels: all }));
  return await import("../../../src/engine/memory/engine.ts");
}

interface Range {
  readonly from: number;
  readonly count: number;
}

/** Returns a module and the position of its flag for shared memory. */
async function builtOf(family: Family, build: string): Promise<{ bytes: Buffer; sharedAt: number }> {
  const { base64 } = (await import(`../../../src/engine/memory/builds/${family}-${build}.ts`)) as { base64: string };
  return { bytes: gunzipSync(Buffer.from(base64, "base64")), sharedAt: buildFiles[`${family}-${build}`].sharedAt };
}

/** Finds the positions of static data and function references in the text of a module. */
async function placesOf(family: Family, build: string): Promise<{ data: Range[]; elements: Range[] }> {
  const { bytes } = await builtOf(family, build);
  let at = 8;
  const number = (): number => {
    for (let [value, shift] = [0, 0]; ; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const data: Range[] = [];
  const elements: Range[] = [];
  while (at < bytes.length) {
    const section = bytes[at++];
    const end = number() + at;
    if (section === 9 || section === 11)
      for (let segments = number(); segments > 0; segments--) {
        // An active segment: flags 0, i32.const, its address, end.
        expect([bytes[at], bytes[at + 1]]).toEqual([0, 0x41]);
        at += 2;
        const from = number();
        at++;
        const count = number();
        (section === 9 ? elements : data).push({ from, count });
        if (section === 11) at += count;
        else for (let i = 0; i < count; i++) number();
      }
    at = end;
  }
  return { data, elements };
}
