/** 16-bit parameters (Buckwild) are whole multiples of this: ±16 in steps of 2⁻¹¹. */
export const PARAMETER_SCALE = 2 ** -11;
