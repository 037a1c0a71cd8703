import type { Host } from './host'
import type { LabProcess } from './lab-process'
import { paths } from './paths'

/** Options of the `blast` tool (test/lab/tools/blast/main.cpp). */
export interface BlastOptions {
  interface: string
  destinationMac: string
  /** IPv4 address of the first flow; later flows take the next ports, then the next addresses. */
  source: string
  destination: string
  sourceMac?: string
  port?: number
  tcp?: boolean
  /** Outermost tag first. */
  vlan?: readonly number[]
  /** Bytes per frame. */
  size?: number
  flows?: number
  /** Frames per second; absent: as fast as it can. */
  rate?: number
  count?: number
  seconds?: number
  cpu?: number
}

export interface BlastDone {
  packets: number
  bytes: number
  seconds: number
  packetsPerSecond: number
}

/** Frames on their way out of a host. */
export class Blast {
  constructor(private readonly process: LabProcess) {}

  get pid(): number {
    return this.process.pid
  }

  /** Resolves when the frames are built; they leave with `go`. */
  async ready(): Promise<void> {
    await this.process.waitForJson('event', 'ready', 0, 60_000)
  }

  go(): void {
    this.process.write('go\n')
  }

  /** What was sent, when it is through. */
  done(timeoutMs = 120_000): Promise<BlastDone> {
    return this.process.waitForJson('event', 'done', 0, timeoutMs)
  }

  /** Ends it early. */
  stop(): Promise<BlastDone> {
    this.process.signal('SIGTERM')
    return this.done()
  }
}

/** Makes a generator ready on a host. */
export function startBlast(host: Host, { vlan = [], tcp = false, ...options }: BlastOptions): Blast {
  const args = Object.entries(options).flatMap(([name, value]) => [
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    String(value),
  ])
  const tags = vlan.flatMap((id) => ['--vlan', String(id)])
  return new Blast(host.spawn(paths.blast, ['--wait', ...args, ...tags, ...(tcp ? ['--tcp'] : [])]))
}
