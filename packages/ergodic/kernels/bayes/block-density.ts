/**
 * Log densities derived from another log density: restricted to a few coordinates, or raised to a power.
 *
 * blockDensity(model, x, gradient) → log density at u, after u[coordinates] is set to x. model: a BLOCK_DENSITY block
 * (bayes/fields.ts). x: f64[count]; its values stay in u. GRADIENT: f64[dimension of u], scratch. gradient: f64[count],
 * the gradient with respect to these coordinates. The gradient is written only if WANTED is 1. The gradient must not
 * overlap x.
 *
 * powerDensity(model, x, gradient) → β ℓ(x), with the gradient multiplied by β. model: a POWER_DENSITY block. ℓ(x) is
 * stored in LIKELIHOOD. With β = 0, the result is 0 wherever ℓ is finite. Exact except for the products.
 */
import {
  BLOCK_DENSITY_SLOT, BLOCK_DENSITY_MODEL, BLOCK_DENSITY_POINT, BLOCK_DENSITY_GRADIENT, BLOCK_DENSITY_COORDINATES, BLOCK_DENSITY_COUNT,
  BLOCK_DENSITY_WANTED, POWER_DENSITY_SLOT, POWER_DENSITY_MODEL, POWER_DENSITY_COUNT, POWER_DENSITY_POWER_F64, POWER_DENSITY_LIKELIHOOD_F64,
} from "../../src/bayes/fields";

export function blockDensity(model: usize, x: usize, gradient: usize): f64 {
  const point = <usize>load<u32>(model, BLOCK_DENSITY_POINT), whole = <usize>load<u32>(model, BLOCK_DENSITY_GRADIENT);
  const coordinates = <usize>load<u32>(model, BLOCK_DENSITY_COORDINATES), count = <usize>load<u32>(model, BLOCK_DENSITY_COUNT);
  for (let i: usize = 0; i < count; i++) store<f64>(point + (<usize>load<u32>(coordinates + (i << 2)) << 3), load<f64>(x + (i << 3)));
  const value = call_indirect<f64>(load<u32>(model, BLOCK_DENSITY_SLOT), load<u32>(model, BLOCK_DENSITY_MODEL), <u32>point, <u32>whole);
  if (load<u32>(model, BLOCK_DENSITY_WANTED)) {
    for (let i: usize = 0; i < count; i++) store<f64>(gradient + (i << 3), load<f64>(whole + (<usize>load<u32>(coordinates + (i << 2)) << 3)));
  }
  return value;
}

export function powerDensity(model: usize, x: usize, gradient: usize): f64 {
  const power = load<f64>(model, POWER_DENSITY_POWER_F64);
  const value = call_indirect<f64>(load<u32>(model, POWER_DENSITY_SLOT), load<u32>(model, POWER_DENSITY_MODEL), <u32>x, <u32>gradient);
  store<f64>(model, value, POWER_DENSITY_LIKELIHOOD_F64);
  const end = gradient + (<usize>load<u32>(model, POWER_DENSITY_COUNT) << 3);
  for (; gradient < end; gradient += 8) store<f64>(gradient, power * load<f64>(gradient));
  return power * value;
}
