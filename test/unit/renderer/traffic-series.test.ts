import { beforeEach, describe, expect, it } from 'vitest'
import { fake, settle } from './fake-window'
import { seriesUntil, TrafficSeries } from '../../../renderer/state/traffic-series.svelte'

describe('a traffic series', () => {
  beforeEach(() => {
    fake.handlers['chart.query'] = () => ({ timesS: [100, 101], rxRates: [1, 2], txRates: [3, 4] })
  })

  const sample = (timeS: number, subject = 0) =>
    fake.emit('chart', { subject, sample: { timeS, rxRate: timeS, txRate: null } })

  it('is continued by the samples of its subject', async () => {
    const traffic = new TrafficSeries()
    traffic.follow(0)
    await settle()
    sample(102)
    sample(103, 9)
    expect(traffic.series).toEqual({ timesS: [100, 101, 102], rxRates: [1, 2, 102], txRates: [3, 4, null] })
  })

  it('takes no sample twice that the answer contains', async () => {
    const traffic = new TrafficSeries()
    traffic.follow(0)
    sample(101)
    await settle()
    sample(101)
    expect(traffic.series?.timesS).toEqual([100, 101])
  })

  it('forgets what is older than the chart', async () => {
    const traffic = new TrafficSeries()
    traffic.follow(0)
    await settle()
    sample(701)
    expect(traffic.series?.timesS).toEqual([101, 701])
  })

  it('releases its subject', async () => {
    const traffic = new TrafficSeries()
    const stop = traffic.follow(3)
    await settle()
    stop()
    expect(fake.requests.at(-1)).toEqual({ name: 'chart.release', params: { subject: 3 } })
    sample(102, 3)
    expect(traffic.series).toBeNull()
  })

  it('is not overwritten by a late answer after it was stopped', async () => {
    const traffic = new TrafficSeries()
    traffic.follow(3)()
    await settle()
    expect(traffic.series).toBeNull()
  })

  it('can be cut at a moment', () => {
    const series = { timesS: [1, 2, 3], rxRates: [1, null, 3], txRates: [4, 5, 6] }
    expect(seriesUntil(series, 2)).toEqual({ timesS: [1, 2], rxRates: [1, null], txRates: [4, 5] })
    expect(seriesUntil(series, 9)).toBe(series)
  })
})
