/** Returns centred ranks, from −½ for the lowest value to ½ for the highest. Equal values share their mean rank. */
export function centredRanks(values: Float64Array): Float64Array {
  const order = Array.from(values.keys()).sort((i, j) => (values[i] < values[j] ? -1 : values[i] > values[j] ? 1 : i - j));
  const ranks = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && values[order[to]] === values[order[from]]) to++;
    for (let k = from; k < to; k++) ranks[order[k]] = (from + to - 1) / 2 / Math.max(1, order.length - 1) - 0.5;
    from = to;
  }
  return ranks;
}
