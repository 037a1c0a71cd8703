import { describe, expect, it } from 'vitest'
import { ChartHistory } from '../../../electron/monitor/chart-history'

describe('ChartHistory', () => {
  it('keeps the histories of the processes that moved something last', () => {
    const history = new ChartHistory()
    for (let process = 0; process <= 300; process += 1) {
      history.beginTick(1000 * (process + 1), false)
      history.record(0, 1, 1)
      if (process > 0) history.record(process, process, 0)
    }
    const kept = Array.from({ length: 301 }, (_, process) => process).filter((process) =>
      history.read(process).rxRates.some((rate) => rate !== 0),
    )
    expect(kept).toHaveLength(256)
    expect(kept[0]).toBe(0)
    expect(kept.slice(1)).toEqual(Array.from({ length: 255 }, (_, at) => 46 + at))
  })

  it('has at most so many samples, however fast the ticks', () => {
    const history = new ChartHistory()
    for (let count = 1; count <= 7000; count += 1) {
      history.beginTick(count * 10, count % 1000 === 0)
      history.record(0, count, 0)
    }
    const { timesS, rxRates } = history.read(0)
    expect(timesS).toHaveLength(6000)
    expect(rxRates[0]).toBe(1001)
    expect(rxRates.at(-1)).toBeNull()
    expect(rxRates.filter((rate) => rate === null)).toHaveLength(6)
    expect(history.last(0)).toEqual({ timeS: 70, rxRate: null, txRate: null })
  })

  it('takes one sample for one moment, and starts anew when the clock is set back', () => {
    const history = new ChartHistory()
    expect(history.beginTick(2000, false)).toBe(true)
    expect(history.beginTick(2000, false)).toBe(false)
    history.record(0, 5, 6)
    expect(history.last(0)).toEqual({ timeS: 2, rxRate: 5, txRate: 6 })
    history.beginTick(1000, false)
    expect(history.read(0)).toEqual({ timesS: [1], rxRates: [0], txRates: [0] })
  })

  it('reads the same after stale samples were cut off', () => {
    const history = new ChartHistory()
    for (let second = 1; second <= 2000; second += 1) {
      history.beginTick(second * 1000, false)
      if (second % 3 === 0) history.record(7, second, 2 * second)
    }
    const { timesS, rxRates, txRates } = history.read(7)
    expect(rxRates).toEqual(timesS.map((second) => (second % 3 === 0 ? second : 0)))
    expect(txRates).toEqual(timesS.map((second) => (second % 3 === 0 ? 2 * second : 0)))
  })
})
