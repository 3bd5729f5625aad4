import { power } from "../power.ts";

/** Number of cases and first seed: those that `npm run fuzz` requests, or a hundred and more from seed 1. */
const { ERGODIC_FUZZ_CASES = String(power(120, 1000)), ERGODIC_FUZZ_SEED = "1" } = process.env;
export const wanted = [Number(ERGODIC_FUZZ_CASES), Number(ERGODIC_FUZZ_SEED)] as const;
