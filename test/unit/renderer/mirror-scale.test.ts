import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { axisSteps, indexOfTime, mirrorRange } from '../../../renderer/chart/mirror-scale'

const rate = fc.double({ min: 0, max: 1e13, noNaN: true })

describe('the mirrored axis', () => {
  it('has room for both directions, and shows each on a quarter of the height at least', () => {
    fc.assert(
      fc.property(rate, rate, (rx, tx) => {
        const [low, high] = mirrorRange(rx, tx)
        expect(high).toBeGreaterThanOrEqual(rx)
        expect(-low).toBeGreaterThanOrEqual(tx)
        const part = high / (high - low)
        expect(part).toBeGreaterThan(0.23)
        expect(part).toBeLessThan(0.77)
      }),
    )
  })

  it('does not blow up a few bytes to the whole height', () => {
    const [low, high] = mirrorRange(20, 0)
    expect(high - low).toBeGreaterThanOrEqual(1000)
    expect(high).toBeGreaterThan(-low)
  })
})

describe('steps between grid lines', () => {
  it('are round in the chosen units', () => {
    expect(axisSteps('si').slice(0, 7)).toEqual([1, 2, 5, 10, 20, 50, 100])
    expect(axisSteps('iec')).toContain(512 * 1024 ** 2)
    expect(axisSteps('iec')).not.toContain(1000)
  })
})

describe('the index of a time', () => {
  it('is found in any rising list', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat()), fc.nat(), (times, time) => {
        const rising = times.sort((one, other) => one - other)
        expect(indexOfTime(rising, time)).toBe(rising.indexOf(time))
      }),
    )
  })
})
