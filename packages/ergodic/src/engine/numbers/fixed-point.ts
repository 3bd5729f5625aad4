/** Unit of 16-bit parameters (Buckwild): they cover ±16 in steps of 2⁻¹¹. */
export const PARAMETER_SCALE = 2 ** -11;
