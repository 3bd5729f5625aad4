// A module of the user's: the thread evaluates its function.
/** @param {Float64Array} x */
export const cost = ([a, b]) => (a - 3) ** 2 + (b + 4) ** 2;
