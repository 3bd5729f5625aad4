/**
 * node first-draw.mjs POSTERIOR: prints the seconds from the start of loading the library to the first draw of the
 * posterior.
 */
const start = performance.now();
const { dataOf, modelOf } = await import("./posteriors.mjs");
const data = dataOf(process.argv[2]);
const { openErgodic } = await import("./ergodic.mjs");
const { nuts, sample } = await openErgodic();
await sample(await modelOf(process.argv[2]), data, { algorithm: nuts(), chains: 1, warmup: 0, draws: 1, workers: 1 });
console.log((performance.now() - start) / 1000);
process.exit(0);
