/** @param {Float64Array} x */
export default ([a, b]) => -0.5 * (a * a + b * b);
