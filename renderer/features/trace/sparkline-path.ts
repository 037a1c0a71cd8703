import type { RttSample } from '../../../electron/shared/trace'

export interface Sparkline {
  /** SVG path of the answered probes, broken where one was lost. */
  line: string
  /** Where probes were lost, horizontally. */
  lossX: number[]
}

/** A range narrower than this part of the highest time is noise, not blown up to the full height. */
const minRangePart = 0.25

/** Draws the last `capacity` samples, the newest at the right edge. */
export function sparkline(samples: readonly RttSample[], width: number, height: number, capacity: number): Sparkline {
  const answered = samples.flatMap(({ rttMs }) => rttMs ?? [])
  const worst = Math.max(...answered, 0)
  const best = Math.min(...answered, worst)
  // What the least range adds is shared by both sides, so that a steady line runs in the middle.
  const slack = Math.max(0, worst * minRangePart - (worst - best)) / 2
  const highest = worst + slack
  const lowest = best - slack
  const step = width / Math.max(1, capacity - 1)
  const left = width - (samples.length - 1) * step
  const lossX: number[] = []
  let line = ''
  let isBroken = true
  samples.forEach(({ rttMs }, index) => {
    const x = left + index * step
    if (rttMs === null) {
      lossX.push(x)
      isBroken = true
      return
    }
    const y = highest === lowest ? height / 2 : 1 + (height - 2) * (1 - (rttMs - lowest) / (highest - lowest))
    // A lone answer between losses is a point, which a line of no length draws with round caps.
    line += isBroken ? `M${x.toFixed(1)} ${y.toFixed(1)}h0` : `L${x.toFixed(1)} ${y.toFixed(1)}`
    isBroken = false
  })
  return { line, lossX }
}
