// Merges parts. esbuild makes one part of the code shared by exactly the same entries and on-demand modules: some two
// hundred parts, many of them tiny, and Node takes half a millisecond to find and compile each. Two parts are merged
// here if that costs a page nothing: each of the programs below, as a bundler makes it, loads both at the start, or
// both on demand, or does not contain one of them.
import { dirname, join, relative } from "node:path";
import { rolldown } from "rolldown";

/**
 * Programs of pages: an entry, the names that they import from it, and the modules that they import at run time. A
 * program keeps the parts that it needs separate from those that it does not need.
 */
const PROGRAMS = [
  ["entries/index.js", "Dataset fit linear"],
  ["entries/index.js", "halfNormal model normal nuts sample vector"],
  ["entries/predict.js", "predictor", "linear"],
  ["entries/predict.js", "predictor", "load-network"],
  ["entries/index.js", "Dataset fit linear", "linear-solver newton-cholesky newton hessian training-findings"],
  ["entries/index.js", "Dataset fit linear", "descent training-findings"],
  ["entries/index.js", "Dataset fit network dense relu"],
  ["entries/index.js", "Dataset fit network dense relu", "network"],
  ["entries/index.js", "Ratings fit factorisation"],
  ["entries/index.js", "minimize cmaEs"],
  ["entries/index.js", "model infer gibbs"],
  ["entries/index.js", "predictor", "linear"],
  ["entries/predict.js", "predictor", "factorisation"],
  ["entries/compiler.js", "*"],
  ["join/worker/index.js", "*"],
  ["entries/diagnostics.js", "*"],
];
/**
 * Node loads an entry as a whole, and prediction should start quickly, so only the first programs keep parts separate
 * in the files that it loads.
 */
const PREDICTING = { files: ["entries/predict.js", "predict/at-start.js"], programs: 4 };
/** When a program loads a file: at the start, with the on-demand module, with other on-demand modules, or never. */
const [EARLY, ASKED, LATE, NOWHERE] = [0, 1, 2, 3];
/** Largest number of parts. */
const MOST = 150;

/**
 * @param {ReadonlyMap<string, string>} texts of the files of dist, by path
 * @param {string} dist
 * @param {readonly string[]} inputs files of dist that stay as they are named
 * @param {readonly string[]} apart those of them that are imported as the files that they are
 * @param {readonly string[]} threads those that pages make threads of
 * @returns {Promise<{ path: string, text: string }[]>}
 */
export async function mergeParts(texts, dist, inputs, apart, threads) {
  const programs = await Promise.all(PROGRAMS.map((program) => placesIn(program, texts, dist, apart)));
  /** @type {Map<string, import("rolldown").ModuleInfo>} */
  const modules = new Map();
  const reached = (id, seen = new Set()) => {
    if (!seen.has(id)) for (const next of modules.get(id)?.importedIds ?? []) reached(next, seen.add(id));
    return seen.add(id);
  };
  /** @type {Map<string, number>} */
  let parts;
  const bundle = await rolldown({
    input: Object.fromEntries(inputs.map((path) => [relative(dist, path).replace(/\.js$/, ""), path])),
    plugins: [
      filesOf(texts, apart),
      {
        name: "parts",
        buildEnd() {
          for (const id of this.getModuleIds()) modules.set(id, this.getModuleInfo(id));
          const places = placesOf(modules, programs);
          const training = reached(join(dist, "entries/index.js"));
          const predicting = new Set(PREDICTING.files.flatMap((file) => [...reached(join(dist, file))]));
          const asked = new Set([...modules.values()].flatMap(({ dynamicallyImportedIds }) => dynamicallyImportedIds));
          const isPart = (id) => !inputs.includes(id) && !asked.has(id) && (training.has(id) || predicting.has(id));
          const inThreads = threads.map((path) => reached(path));
          const inThread = (id) => inThreads.map((thread) => Number(thread.has(id))).join("");
          // Bundlers include the modules and threads that a file names even if nobody calls the code that requests
          // them, so such a file stays alone.
          const alone = (id) => (/new Worker\(|\bimport\(/.test(texts.get(id)) ? id : "");
          const told = (id) => places(id).slice(0, predicting.has(id) ? PREDICTING.programs : undefined);
          const keyOf = (id) => [told(id), training.has(id), predicting.has(id), inThread(id), alone(id)].join(" ");
          parts = partsOf(new Map([...modules.keys()].filter(isPart).map((id) => [id, keyOf(id)])), modules);
        },
      },
    ],
  });
  const { output } = await bundle.generate({
    format: "esm",
    comments: { legal: false, annotation: true, jsdoc: false },
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
    entryFileNames: "[name].js",
    hashCharacters: "hex",
    chunkFileNames: ({ name }) => `parts/${name.replace(/-[0-9A-Z]{8}$/, "")}-[hash].js`,
    codeSplitting: {
      groups: Array.from({ length: MOST }, (_, part) => ({
        name: "chunk",
        priority: MOST - part,
        test: (id) => parts.get(id) === part,
      })),
    },
  });
  await bundle.close();
  return output.map(({ fileName, code }) => ({ path: join(dist, fileName), text: code }));
}

/**
 * Assigns each file the number of its part: one part for all files of a key, or several if a part would import itself
 * through others. Imported parts have lower numbers, because rolldown puts imported files into a part unless an earlier
 * part has them.
 *
 * @param {ReadonlyMap<string, string>} keys by file
 * @param {ReadonlyMap<string, import("rolldown").ModuleInfo>} modules
 */
function partsOf(keys, modules) {
  /** @type {{ key: string, imported: Set<object> }[]} */
  const parts = [];
  const partOf = new Map();
  const reaches = (from, to, seen = new Set()) =>
    from === to || (!seen.has(from) && [...from.imported].some((next) => reaches(next, to, seen.add(from))));
  const place = (id) => {
    if (partOf.has(id)) return partOf.get(id);
    partOf.set(id, undefined);
    const own = modules.get(id).importedIds.filter((next) => keys.has(next));
    const imported = new Set(own.map(place));
    const key = keys.get(id);
    const isFree = (part) => ![...imported].some((next) => next !== part && reaches(next, part));
    let part = parts.find((one) => one.key === key && isFree(one));
    if (!part) parts.push((part = { key, imported: new Set() }));
    for (const next of imported) if (next !== part) part.imported.add(next);
    partOf.set(id, part);
    return part;
  };
  for (const id of keys.keys()) place(id);
  if (parts.length > MOST) throw new Error(`${parts.length} parts, but ${MOST} are foreseen`);
  const numbers = new Map();
  const number = (part) => {
    if (numbers.has(part)) return;
    for (const next of part.imported) number(next);
    numbers.set(part, numbers.size);
  };
  for (const part of parts) number(part);
  return new Map([...partOf].map(([id, part]) => [id, numbers.get(part)]));
}

/**
 * Returns, for each file, when each program loads it. A file that a program does not contain costs nothing next to a
 * file that imports it.
 */
function placesOf(modules, programs) {
  const importers = new Map([...modules.keys()].map((id) => [id, []]));
  for (const [id, { importedIds }] of modules) for (const imported of importedIds) importers.get(imported)?.push(id);
  const each = programs.map((program) => {
    const known = new Map(program);
    const place = (id) => {
      if (!known.has(id)) {
        known.set(id, NOWHERE);
        known.set(id, Math.min(NOWHERE, ...importers.get(id).map(place)));
      }
      return known.get(id);
    };
    return place;
  });
  return (id) => each.map((place) => place(id)).join("");
}

/** Returns the same for the files of one program. @returns {Promise<Map<string, number>>} */
async function placesIn([entry, names, asked], texts, dist, apart) {
  const exported = names === "*" ? "*" : `{ ${names.split(" ").join(", ")} }`;
  const program = join(dist, "program.js");
  const known = new Map([...texts, [program, `export ${exported} from "./${entry}";`]]);
  const bundle = await rolldown({ input: program, plugins: [filesOf(known, apart)] });
  const { output } = await bundle.generate({ format: "esm" });
  await bundle.close();
  const chunks = new Map(output.map((chunk) => [chunk.fileName, chunk]));
  const loaded = (chunk, seen = new Set()) => {
    if (chunk && !seen.has(chunk)) for (const next of chunk.imports) loaded(chunks.get(next), seen.add(chunk));
    return chunk ? seen.add(chunk) : seen;
  };
  const wanted = asked?.split(" ") ?? [];
  const isAsked = ({ facadeModuleId }) => wanted.some((name) => new RegExp(`/${name}-[0-9A-Z]{8}\\.js$`).test(facadeModuleId));
  if (output.filter(isAsked).length < wanted.length) throw new Error(`"${names}" of ${entry} never asks for all of ${asked}`);
  /** @type {Map<string, number>} */
  const places = new Map();
  for (const [place, first] of [
    [LATE, output],
    [ASKED, output.filter(isAsked)],
    [EARLY, output.filter(({ facadeModuleId }) => facadeModuleId === program)],
  ])
    for (const chunk of first.flatMap((one) => [...loaded(one)]))
      for (const [id, { renderedLength }] of Object.entries(chunk.modules)) if (renderedLength > 0) places.set(id, place);
  return places;
}

/** Loads files from memory; files in `apart` stay external. */
const filesOf = (texts, apart) => ({
  name: "files of dist",
  resolveId(source, importer) {
    if (!importer) return source;
    const path = join(dirname(importer), source);
    return apart.includes(path) ? { id: path, external: "relative", moduleSideEffects: true } : path;
  },
  load: (id) => ({ code: texts.get(id), moduleSideEffects: apart.includes(id) }),
});
