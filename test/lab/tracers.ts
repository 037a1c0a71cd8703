import { isIP } from 'node:net'
import type { TraceEvent, TraceSentence, TraceStopReason, PathGraph, TraceHop } from '../../electron/shared/trace'
import type { Host } from './host'
import type { LabProcess } from './lab-process'
import { paths } from './paths'

export type Protocol = 'icmp' | 'udp' | 'tcp'

/** A hop of the headless command line's contract. */
export interface HopMembers extends Pick<
  TraceHop,
  'ttl' | 'sent' | 'received' | 'lost' | 'lossPct' | 'marks' | 'flows' | 'isDestination' | 'quoteChanged' | 'forged'
> {
  addresses: string[]
}

export interface HopLine extends HopMembers {
  type: 'hop'
  round: number
}

export interface TraceSummary {
  type: 'summary'
  destination: string
  reached: boolean
  stopReason: TraceStopReason
  rounds: number
  hops: HopMembers[]
  graph: PathGraph
  events: TraceEvent[]
  sentences: TraceSentence[]
}

/** What any tracer tells of a hop. */
export interface SeenHop {
  /** Everyone who answered; empty for a silent hop. */
  addresses: string[]
  /** `!X` and the like. */
  marks: string[]
}

/** Starts the headless command line's `trace`. */
export function spawnTrace(host: Host, destination: string, args: readonly string[]): LabProcess {
  return host.spawn('node', [paths.headless, 'trace', destination, '--numeric', '--format', 'jsonl', ...args])
}

/** Traces to the end. Rejects, with what it said, when it does not end well. */
export async function trace(host: Host, destination: string, args: readonly string[]): Promise<TraceSummary> {
  return traceSummary(spawnTrace(host, destination, args))
}

export async function traceSummary(process: LabProcess): Promise<TraceSummary> {
  const { code } = await process.exit
  const last = process.lines.at(-1) ?? ''
  if (code !== 0 || !last.startsWith('{"type":"summary"'))
    throw new Error(`trace: exit ${code}\n${process.stderr}\n${last}`)
  return JSON.parse(last) as TraceSummary
}

export function seenHops({ hops }: TraceSummary): SeenHop[] {
  return hops.map(({ addresses, marks }) => ({ addresses, marks: marks.map(({ mark }) => mark) }))
}

const tracerouteLetter: Record<Protocol, string> = { icmp: '-I', udp: '-U', tcp: '-T' }

/** traceroute(8). */
export async function traceroute(host: Host, destination: string, protocol: Protocol, queries = 1): Promise<SeenHop[]> {
  const args = [tracerouteLetter[protocol], '-n', '-q', String(queries), '-w', '1', destination]
  const lines = (await host.run('traceroute', args)).trim().split('\n').slice(1)
  return lines.map((line) => {
    const words = line.trim().split(/\s+/).slice(1)
    return {
      addresses: [...new Set(words.filter((word) => isIP(word) !== 0))],
      marks: [...new Set(words.filter((word) => word.startsWith('!')))],
    }
  })
}

export interface MtrHop {
  /** `''` for a silent hop. */
  address: string
  sent: number
  lossPct: number
}

interface MtrReport {
  report: { hubs: { host: string; Snt: number; 'Loss%': number }[] }
}

const mtrLetter: Record<Protocol, readonly string[]> = { icmp: [], udp: ['--udp'], tcp: ['--tcp', '--port', '80'] }

/** mtr(8). */
export async function mtr(host: Host, destination: string, protocol: Protocol, rounds = 3): Promise<MtrHop[]> {
  const args = ['--json', '--no-dns', '-c', String(rounds), '-i', '0.2', '-G', '1', ...mtrLetter[protocol], destination]
  const { report } = JSON.parse(await host.run('mtr', args)) as MtrReport
  return report.hubs.map((hub) => ({
    address: isIP(hub.host) === 0 ? '' : hub.host,
    sent: hub.Snt,
    lossPct: hub['Loss%'],
  }))
}
