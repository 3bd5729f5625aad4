/** Whether this is `npm run test:slow`, where statistical tests run at full power. */
export const isSlow = process.env.ERGODIC_SLOW === "1";

/**
 * Returns a number of draws, cases or repeats: `usual` in `npm test`, `full` in `npm run test:slow`. The limits of a
 * test must follow from the number, so that its chance of a false alarm is the stated one for both.
 */
export const power = (usual: number, full: number): number => (isSlow ? full : usual);
