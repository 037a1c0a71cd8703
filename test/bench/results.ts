import type { Transport } from './options'

/** One figure with what it should be. */
export interface Target {
  name: string
  measured: number
  /** The largest value that meets the target. */
  limit: number
  unit: string
}

export interface CpuCase {
  contender: string
  transport: Transport
  flows: number
  /** Frames per second that the generator sent. */
  sentPerSecond: number
  /** What it was asked for; 0: as fast as it can. */
  rate: number
  packets: number
  /** Of the frames that were sent; null where nobody can tell. */
  dropped: number | null
  /** Over the whole run, the beginning of every flow included. */
  cpuNsPerPacket: number
  /** After every flow has begun. */
  sustainedNsPerPacket: number
}

export interface MemoryCase {
  flows: number
  pssBytes: number
  rssBytes: number
}

/** Everything that one run of the benchmark found; parts that did not run are absent. */
export interface BenchResults {
  machine: { cpu: string; cpus: number; kernel: string; node: string; date: string }
  cpu?: CpuCase[]
  memory?: MemoryCase[]
  main?: { flows: number; cpuPct: number; seconds: number }
  start?: { firstLiveRowMs: number; windowMs: number }
  targets: Target[]
}

export const isMet = ({ measured, limit }: Target): boolean => measured <= limit

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
