/** Less traffic than this (bytes per second) is not blown up to the height of the chart. */
const quietRate = 1000
/** Part of the height that the smaller direction gets at least, so that it can be seen at all. */
const minSide = 0.24
/** Room above the highest point. */
const headroom = 1.12

/** Part of the height above zero while nothing moves. */
const quietUp = 0.72

/**
 * The range of an axis on which what comes in rises from zero and what goes out hangs below it, both in the same scale.
 * Gives the lower end (negative) and the upper end.
 */
export function mirrorRange(maxRx: number, maxTx: number): [number, number] {
  const rx = Math.max(maxRx, 0) * headroom
  const tx = Math.max(maxTx, 0) * headroom
  const whole = Math.max(rx + tx, quietRate)
  const slack = whole - rx - tx
  const up = Math.min(Math.max((rx + slack * quietUp) / whole, minSide), 1 - minSide)
  // The side that is lifted to its minimum makes the whole larger; the other side must still fit.
  const size = Math.max(whole, rx / up, tx / (1 - up))
  return [-size * (1 - up), size * up]
}

/** Distances between grid lines that make round figures in the chosen units: 1, 2, 5 times a prefix, or powers of two. */
export function axisSteps(unitSystem: 'si' | 'iec'): number[] {
  const steps: number[] = []
  if (unitSystem === 'si') {
    for (let power = 1; power <= 1e15; power *= 10) steps.push(power, 2 * power, 5 * power)
  } else {
    // 1, 2, ... 512 of each prefix.
    for (let power = 0; power <= 50; power += 1) steps.push(2 ** power)
  }
  return steps
}

/** The index of `time` in rising `times`, -1 when it is not there. */
export function indexOfTime(times: readonly number[], time: number): number {
  let low = 0
  let high = times.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const found = times[middle] ?? 0
    if (found === time) return middle
    if (found < time) low = middle + 1
    else high = middle - 1
  }
  return -1
}
