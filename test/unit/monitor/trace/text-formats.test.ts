import { describe, expect, it } from 'vitest'
import { asCsv, asJson, asMtr, asTraceroute } from '../../../../electron/monitor/trace/text-formats'
import { joinView } from '../../../../electron/monitor/trace/trace-view'
import { TraceRun } from '../../../../electron/monitor/trace/trace-run'
import {
  defaultTraceOptions,
  type AddressInfo,
  type TraceOptions,
  type TraceView,
} from '../../../../electron/shared/trace'
import { runRounds, SimulatedNetwork, type SimulatedHop } from './simulated-network'

const destination = '198.51.100.9'
const names: Record<string, string> = { '192.0.2.1': 'gateway', '198.51.100.9': 'host.example' }

function info(address: string): AddressInfo {
  const place = {
    city: 'Bonn',
    region: '',
    countryCode: 'DE',
    country: 'Germany',
    latitude: 50.7,
    longitude: 7.1,
    isPlausible: true,
  }
  return {
    address,
    kind: 'documentation',
    name: names[address] ?? '',
    asNumber: address === destination ? 64_500 : null,
    asName: address === destination ? 'Example, "the" network' : '',
    place: address === destination ? place : null,
  }
}

function viewOf(hops: SimulatedHop[], rounds: number, options: Partial<TraceOptions> = {}): TraceView {
  const run = new TraceRun({ ...defaultTraceOptions, host: 'host.example', rounds, ...options }, destination, 0)
  runRounds(run, new SimulatedNetwork(hops, destination), rounds)
  return joinView({ traceKey: 3, limits: [], failure: null, connectionRtts: [] }, run.snapshot(), info)
}

const hops: SimulatedHop[] = [
  { addresses: ['192.0.2.1'], rttMs: 0.219 },
  { addresses: [], rttMs: 0 },
  { addresses: ['203.0.113.5', '203.0.113.6'], rttMs: 5.5 },
  { addresses: [destination], rttMs: 12.25 },
]

describe('the text of traceroute', () => {
  it('has a line per hop with three times, names once and stars for silence', () => {
    expect(asTraceroute(viewOf(hops, 3), { numeric: false })).toBe(
      [
        'traceroute to host.example (198.51.100.9), 30 hops max, 60 byte packets',
        ' 1  gateway (192.0.2.1)  0.219 ms  0.219 ms  0.219 ms',
        ' 2  * * *',
        ' 3  203.0.113.5 (203.0.113.5)  5.500 ms  5.500 ms  5.500 ms',
        ' 4  host.example (198.51.100.9)  12.250 ms  12.250 ms  12.250 ms',
        '',
      ].join('\n'),
    )
  })

  it('repeats the host where another one answered in between', () => {
    const view = viewOf(hops, 2, { flows: 2, packetBytes: 100, maxTtl: 12 })
    const [head, ...lines] = asTraceroute(view, { numeric: true }).split('\n')
    expect(head).toBe('traceroute to host.example (198.51.100.9), 12 hops max, 100 byte packets')
    expect(lines[2]).toBe(' 3  203.0.113.5  5.500 ms 203.0.113.6  5.500 ms 203.0.113.5  5.500 ms 203.0.113.6  5.500 ms')
  })

  it('ends a refused path with the mark', () => {
    const refused = [...hops.slice(0, 1), { addresses: ['203.0.113.5'], rttMs: 5.5, icmp: [3, 13] as const }]
    const text = asTraceroute(viewOf(refused, 1), { numeric: true })
    expect(text).toContain('\n 2  203.0.113.5  5.500 ms !X\n')
  })
})

describe('the text of mtr', () => {
  it('lines up as mtr 0.95 prints it', () => {
    const lines = asMtr(viewOf(hops, 2), 'vm', { numeric: true }).split('\n')
    expect(lines[0]).toBe('Start: 1970-01-01T00:00:00+0000')
    expect(lines[1]).toBe('HOST: vm                          Loss%   Snt   Last   Avg  Best  Wrst StDev')
    expect(lines[2]).toBe('  1.|-- 192.0.2.1                  0.0%     2    0.2   0.2   0.2   0.2   0.0')
    expect(lines[3]).toBe('  2.|-- ???                       100.0     2    0.0   0.0   0.0   0.0   0.0')
  })

  it('lists the other branches of a hop below it', () => {
    const lines = asMtr(viewOf(hops, 2, { flows: 2 }), 'vm', { numeric: true }).split('\n')
    expect(lines.slice(4, 6)).toEqual([
      '  3.|-- 203.0.113.5                0.0%     4    5.5   5.5   5.5   5.5   0.0',
      '    |  `|-- 203.0.113.6',
    ])
  })
})

describe('tables and programs', () => {
  it('get one line per hop and address, quoted where needed', () => {
    const lines = asCsv(viewOf(hops, 2, { flows: 2 })).split('\r\n')
    expect(lines[0]).toMatch(/^ttl,address,name,/)
    expect(lines.map((line) => line.split(',')[0])).toEqual(['ttl', '1', '2', '3', '3', '4', ''])
    expect(lines[5]).toContain(',64500,"Example, ""the"" network",Bonn,Germany,true,true,4,4,0,4,12.25,')
  })

  it('get everything as JSON, with the attributions that the databases ask for', () => {
    const parsed = JSON.parse(asJson(viewOf(hops, 1))) as { hops: unknown[]; attributions: string[]; traceKey?: number }
    expect(parsed.hops).toHaveLength(4)
    expect(parsed.attributions.join()).toContain('CC BY 4.0')
    expect(parsed.traceKey).toBeUndefined()
  })
})
