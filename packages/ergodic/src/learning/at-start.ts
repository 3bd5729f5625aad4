/**
 * Reserves the names of all losses, initialisers and layers, in programs that are not bundled. Bundlers leave this
 * module out.
 */
import { reserveLossNames } from "./models/loss.ts";
import * as losses from "./models/losses/index.ts";
import { reserveInitialisers } from "./models/neural/initialisers.ts";
import { reserveLayerKinds } from "./models/neural/layers/by-kind.ts";
import "../engine/optimise/at-start.ts"; // left out by bundlers
import "../predict/at-start.ts"; // left out by bundlers

reserveLossNames(Object.values(losses).map(({ declaration }) => declaration.name));
reserveInitialisers();
reserveLayerKinds();
