/**
 * A saved network's plan: a list of kernel calls, loops and scans, for any number of rows. A plan can come from an
 * untrusted source, so it passes through these modules in order, and nothing runs before all of them accept it:
 *
 * 1. format.ts reads the plan from the file: types, names and counts. buffers.ts lists the buffers that the caller
 * fills and reads.
 * 2. checked-programs.ts fixes the number of rows. check.ts checks that the program stays within its buffers, with
 * loop-code.ts for loops and kernel-rules.ts for kernels: the elements that each reads and writes, its scratch memory
 * and its work. work.ts computes the total work, which ../limits.ts compares with `maxWork`.
 * 3. value-places.ts allocates the intermediate values. home.ts computes the total memory, which ../limits.ts compares
 * with `maxMemory`.
 * 4. network-plan.ts puts the plan into its own memory; live-memories.ts limits the number of such memories. home.ts
 * stores the parameters there, and one program for each batch size.
 * 5. ready-program.ts turns a program into calls of the kernels. If residue.ts finds that the program might expose
 * values of an earlier call, home.ts clears the memory before each call.
 */
export type { OpenBatch } from "./home.ts";
export { NetworkPlan } from "./network-plan.ts";
