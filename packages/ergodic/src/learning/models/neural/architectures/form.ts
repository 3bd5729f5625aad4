import { checkChoice } from "../../../../engine/errors/checks.ts";
import { checkNumber } from "../../../../engine/errors/errors.ts";
import { byImageSize } from "../layers/by-image-size.ts";
import type { Layer } from "../scope.ts";

/**
 * Variant of an architecture. "published": as in the paper, for images of 224 × 224. "small": for images of about 8 to
 * 32 cells in height and width.
 */
export type NetworkForm = "published" | "small";

/** Images with fewer rows or columns than this get the form "small" by default. */
const SMALL_SIDE = 64;

/** Checks the options that all scaled architectures have. @throws OptionError */
export function checkForm(where: string, { width = 1, form }: { width?: number; form?: NetworkForm }): void {
  checkNumber(where, "width", width, { low: 0, open: true });
  if (form !== undefined) checkChoice(where, "form", form, ["published", "small"]);
}

/** Returns the network in the given form. Without a form, the size of the images determines it. */
export const byForm = ({ form }: { form?: NetworkForm }, network: (form: NetworkForm) => Layer): Layer =>
  form === undefined ? byImageSize({ small: network("small"), large: network("published"), side: SMALL_SIDE }) : network(form);
