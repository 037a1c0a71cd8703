/** A probe's round-trip time at a moment; null: no answer. */
export interface LatencySample {
  timeMs: number
  rttMs: number | null
}

/**
 * Columns for uPlot: times in seconds, the hop's times, the connection's own times. `undefined` where a column has nothing
 * to say about that moment, which does not break its line as null does.
 */
export type LatencyColumns = [number[], (number | null | undefined)[], (number | null | undefined)[]]

export function latencyColumns(hop: readonly LatencySample[], own: readonly LatencySample[]): LatencyColumns {
  const merged = [
    ...hop.map((sample) => ({ ...sample, isOwn: false })),
    ...own.map((sample) => ({ ...sample, isOwn: true })),
  ].sort((one, other) => one.timeMs - other.timeMs)
  return [
    merged.map(({ timeMs }) => timeMs / 1000),
    merged.map(({ rttMs, isOwn }) => (isOwn ? undefined : rttMs)),
    merged.map(({ rttMs, isOwn }) => (isOwn ? rttMs : undefined)),
  ]
}

/** A range narrower than this part of the highest time is noise, not blown up to the full height. */
const minRangePart = 0.3
const headroomPart = 0.12

/** The range of the axis, in milliseconds: near the values, but not so near that noise looks like trouble. */
export function latencyRange(values: readonly (number | null | undefined)[]): [number, number] {
  const known = values.filter((value) => value !== null && value !== undefined)
  if (known.length === 0) return [0, 1]
  const highest = Math.max(...known)
  const lowest = Math.min(...known)
  const spread = Math.max(highest - lowest, highest * minRangePart, 0.01)
  const middle = (highest + lowest) / 2
  const half = spread * (0.5 + headroomPart)
  // What would go below zero is given to the top.
  const bottom = Math.max(0, middle - half)
  return [bottom, Math.max(bottom + 2 * half, highest + spread * headroomPart)]
}
