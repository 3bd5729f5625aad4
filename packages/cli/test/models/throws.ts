import { normal } from "ergodic";
import type { ModelContext } from "ergodic/bayes";

interface Nothing {
  boom: number;
}

export default ({ param }: ModelContext): void => {
  param("mu", normal(0, 1));
  (null as unknown as Nothing).boom;
};
