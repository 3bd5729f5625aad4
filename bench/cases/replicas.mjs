/**
 * replicas: benefit of a second worker when each worker has a copy of the model, against one worker. This is the
 * opposite trade-off to hogwild.mjs: workers never wait for each other's cache lines, but their copies are only
 * averaged every half epoch. Each worker uses twice the rate, because the mean of two copies moves half as far.
 */
import { twoWorkers } from "./hogwild.mjs";

const AVERAGED = { workers: 2, replicas: 2, averageEvery: 0.5, rate: 0.12, decay: 4 };

export default twoWorkers("replicas", AVERAGED, "on averaged replicas");
