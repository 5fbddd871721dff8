// Places for labels beside what they name, none on another.

/** Labels that touch, and so move together. */
interface Cluster {
  readonly members: readonly number[];
  /** Where its first label is. */
  readonly start: number;
}

/**
 * Moves labels apart, each as little as its neighbours let it, and keeps their order.
 *
 * @param wanted Where each would best be.
 * @param gap From one to the next, at least.
 * @param from The least place; the labels have to have room between it and `to`.
 */
export function spreadLabels(wanted: readonly number[], gap: number, from: number, to: number): number[] {
  const order = [...wanted.keys()].toSorted((a, b) => at(wanted, a) - at(wanted, b));
  const clusters: Cluster[] = [];
  for (const label of order) {
    let cluster = settle([label]);
    for (let last = clusters.at(-1); last !== undefined && end(last) > cluster.start; last = clusters.at(-1)) {
      clusters.pop();
      cluster = settle([...last.members, ...cluster.members]);
    }
    clusters.push(cluster);
  }
  const places = [...wanted];
  for (const { members, start } of clusters)
    for (const [i, label] of members.entries()) places[label] = start + i * gap;
  return places;

  /** The place of a cluster that is nearest to what its labels want. */
  function settle(members: readonly number[]): Cluster {
    const best = members.reduce((sum, label, i) => sum + at(wanted, label) - i * gap, 0) / members.length;
    return { members, start: Math.max(from, Math.min(best, to - (members.length - 1) * gap)) };
  }

  function end({ members, start }: Cluster): number {
    return start + members.length * gap;
  }
}

function at(values: readonly number[], i: number): number {
  return values[i] ?? NaN;
}
