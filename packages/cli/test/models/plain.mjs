/** @param {Float64Array} x */
export default (x) => -0.5 * x[0] ** 2;
