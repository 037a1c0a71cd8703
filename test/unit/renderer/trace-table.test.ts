import { describe, expect, it } from 'vitest'
import { hopAddress, traceHop } from './trace-samples'
import { hopRows } from '../../../renderer/features/trace/hop-rows'
import { lossTone } from '../../../renderer/features/trace/loss-tone'
import { sparkline } from '../../../renderer/features/trace/sparkline-path'
import { asText, placeText } from '../../../renderer/features/trace/trace-words'
import type { AddressInfo, RttSample } from '../../../electron/shared/trace'

describe('the lines of the table', () => {
  it('are one for a silent hop and one for every address of others', () => {
    const rows = hopRows([traceHop(1, []), traceHop(2, ['a', 'b'])])
    expect(rows.map(({ key, isFirst }) => [key, isFirst])).toEqual([
      ['1:', true],
      ['2:a', true],
      ['2:b', false],
    ])
  })

  it('keep their order when another address answers more often', () => {
    const hop = traceHop(2, [], { addresses: [hopAddress('b', [1]), hopAddress('a', [0])] })
    expect(hopRows([hop]).map(({ address }) => address)).toEqual(['a', 'b'])
  })

  it('show the times of the hop first, then those of each further address', () => {
    const second = { ...hopAddress('b', [1]), avgMs: 7 }
    const hop = traceHop(2, [], { avgMs: 5, addresses: [hopAddress('a', [0]), second] })
    expect(hopRows([hop]).map(({ rtt }) => rtt.avgMs)).toEqual([5, 7])
  })

  it('are not without end', () => {
    const many = Array.from({ length: 60 }, (_, index) => `10.0.0.${index}`)
    expect(hopRows([traceHop(1, many)]).length).toBeLessThan(10)
  })
})

describe('loss', () => {
  const tones = (...losses: (number | null)[]) => {
    const hops = losses.map((lossPct, index) =>
      lossPct === null
        ? traceHop(index + 1, [], { lossPct: 100, lost: 10 })
        : traceHop(index + 1, ['a'], { lossPct, lost: lossPct }),
    )
    return hops.map((hop) => lossTone(hops, hop))
  }

  it('in the middle is harmless when later hops lose nothing', () => {
    expect(tones(0, 40, 0)).toEqual(['none', 'harmless', 'none'])
  })

  it('that stays to the end is a loss at every hop that shows it', () => {
    expect(tones(0, 20, 22, 21)).toEqual(['none', 'lost', 'lost', 'lost'])
  })

  it('of a hop that never answers is harmless as long as others follow', () => {
    expect(tones(0, null, 0, null)).toEqual(['none', 'harmless', 'none', 'lost'])
  })

  it('of very few probes may be chance', () => {
    expect(tones(1)).toEqual(['slight'])
  })
})

describe('a sparkline', () => {
  const samples = (...rtts: (number | null)[]): RttSample[] =>
    rtts.map((rttMs, round) => ({ round, timeMs: round, rttMs, address: '' }))

  it('ends at the right edge and breaks where a probe was lost', () => {
    const { line, lossX } = sparkline(samples(10, 20, null, 10), 99, 20, 100)
    expect(line.match(/M/g)).toHaveLength(2)
    expect(line).toContain('M99.0')
    expect(lossX).toEqual([98])
  })

  it('runs in the middle when times are steady', () => {
    expect(sparkline(samples(50, 50), 99, 20, 100).line).toBe('M98.0 10.0h0L99.0 10.0')
  })

  it('of nothing is nothing', () => {
    expect(sparkline([], 99, 20, 100)).toEqual({ line: '', lossX: [] })
  })
})

describe('what is known of an address', () => {
  const info = (change: Partial<AddressInfo>): AddressInfo => ({
    address: '198.51.100.1',
    kind: 'public',
    name: '',
    asNumber: null,
    asName: '',
    place: null,
    ...change,
  })
  const place = { region: '', latitude: 0, longitude: 0, isPlausible: true, countryCode: 'DE', country: 'Germany' }

  it('is its place, or else its kind', () => {
    expect(placeText(info({ place: { ...place, city: 'Bonn' } }))).toBe('Bonn, DE')
    expect(placeText(info({ place: { ...place, city: '' } }))).toBe('Germany')
    expect(placeText(info({ kind: 'private' }))).toBe('Private network')
    expect(placeText(info({}))).toBe('')
    expect(placeText(undefined)).toBe('')
  })

  it('is its autonomous system', () => {
    expect(asText(info({ asNumber: 64_500, asName: 'Example Net' }))).toBe('AS64500 Example Net')
    expect(asText(info({ asNumber: 64_500 }))).toBe('AS64500')
    expect(asText(info({}))).toBe('')
  })
})
