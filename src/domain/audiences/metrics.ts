/** (adds + drops) / size of the last 24 hours; 0 for an empty audience, whose change has no measure. */
export function volatility(counts: { adds: number; drops: number; size: number }): number {
  return counts.size === 0 ? 0 : (counts.adds + counts.drops) / counts.size;
}
