/** The ensemble as nested if-else statements in C, compiled by gcc -O3: microseconds of processor time per row. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { missing, problem, serve } from "./lines.mjs";

const { folder, base, columnCount, rowCount, roundMs } = problem;
const read = (name, Numbers) => new Numbers(new Uint8Array(readFileSync(problem[name])).buffer);
const firstNode = read("firstNode", Uint32Array);
const [feature, left, right] = ["feature", "left", "right"].map((name) => read(name, Int32Array));
const threshold = read("threshold", Float32Array);
const leaves = read("leaves", Float64Array);

function statement(n) {
  if (feature[n] < 0) return `z += ${leaves[left[n]].toExponential(17)};`;
  const isLess = `x[${feature[n]}] < ${threshold[n].toExponential(17)}f`;
  return `if (${isLess}) { ${statement(left[n])} } else { ${statement(right[n])} }`;
}

const treeCount = firstNode.length - 1;
const treeOf = (t) => `static double tree${t}(const float *x) { double z = 0; ${statement(firstNode[t])} return z; }\n`;
const source = `#include <stdio.h>
#include <stdlib.h>
#include <time.h>
${Array.from({ length: treeCount }, (_, t) => treeOf(t)).join("")}
static double predict(const float *x) {
  double z = ${base.toExponential(17)};
  ${Array.from({ length: treeCount }, (_, t) => `z += tree${t}(x);`).join("\n  ")}
  return z;
}
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1e6 + t.tv_nsec * 1e-3;
}
int main(int count, char **names) {
  float *rows = malloc(sizeof(float) * ${rowCount * columnCount});
  double *z = malloc(sizeof(double) * ${rowCount}), before, sum = 0;
  FILE *file = fopen(names[1], "rb");
  if (!file || fread(rows, sizeof(float) * ${columnCount}, ${rowCount}, file) != ${rowCount}) return 1;
  long done = 0;
  for (int i = 0; i < ${rowCount}; i++) z[i] = predict(rows + ${columnCount} * i);
  before = now();
  do {
    for (int i = 0; i < ${rowCount}; i++) z[i] = predict(rows + ${columnCount} * i);
    done += ${rowCount};
  } while (now() - before < ${roundMs} * 1e3);
  double value = (now() - before) / done;
  for (int i = 0; i < ${rowCount}; i++) sum += z[i] * z[i];
  printf("{\\"value\\": %.17g, \\"loss\\": %.17g}\\n", value, sum / ${rowCount});
  return 0;
}
`;
const [file, program] = ["trees.c", "trees"].map((name) => join(folder, name));
writeFileSync(file, source);
try {
  execFileSync("gcc", ["-O3", "-w", "-o", program, file]);
} catch (error) {
  if (error.code !== "ENOENT") throw error;
  missing("gcc");
}
const version = execFileSync("gcc", ["-dumpfullversion"], { encoding: "utf8" }).trim();
await serve(`gcc ${version} -O3`, async () => JSON.parse(execFileSync(program, [problem.rows], { encoding: "utf8" })));
