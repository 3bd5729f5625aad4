/**
 * A saved network's plan: a list of kernel calls, loops and scans, for any number of rows. A plan can come from a stranger, so it
 * passes through these modules in order, and nothing runs before all of them accept it:
 *
 * 1. format.ts reads the plan from the file: types, names and counts. buffers.ts lists what the caller supplies and receives.
 * 2. checked-programs.ts fixes the number of rows. check.ts holds the program for that many rows to its buffers, with loop-code.ts for loops
 *    and kernel-rules.ts for kernels: what each reads and writes, its scratch memory and its work. work.ts adds the work up, which
 *    ../limits.ts compares with `maxWork`.
 * 3. value-places.ts finds places for the intermediate values. home.ts adds up the bytes, which ../limits.ts compares with `maxMemory`.
 * 4. network-plan.ts puts the plan into a memory of its own, of which live-memories.ts allows a bounded number. home.ts stores the parameters
 *    and one program for each size of batch there.
 * 5. ready-program.ts turns a program into calls of the kernels. If residue.ts finds that the program might show values of an earlier call,
 *    home.ts clears the memory before each call.
 */
export type { OpenBatch } from "./home.ts";
export { NetworkPlan } from "./network-plan.ts";
