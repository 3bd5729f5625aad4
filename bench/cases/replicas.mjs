/**
 * replicas: what a second worker brings when each has a copy of the model, against one worker. The other end of the trade from hogwild.mjs:
 * the workers never wait for one another's cache lines, but their copies meet only when they are averaged, every half epoch. Each takes twice
 * the rate, since the mean of two moves half as far.
 */
import { twoWorkers } from "./hogwild.mjs";

const AVERAGED = { workers: 2, replicas: 2, averageEvery: 0.5, rate: 0.12, decay: 4 };

export default twoWorkers("replicas", AVERAGED, "on averaged replicas");
