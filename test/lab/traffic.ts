import type { Host } from './host'
import type { Exit, LabProcess } from './lab-process'
import { paths } from './paths'

export type TrafficKind = 'tcp-server' | 'tcp-client' | 'udp-server' | 'udp-client'

/** Options of the `traffic` tool (test/lab/tools/traffic/main.cpp), by the same names. */
export interface TrafficOptions {
  port: number
  bind?: string
  connect?: string
  source?: string
  sourcePort?: number
  /** Bytes of payload. */
  send?: number
  receive?: number
  /** Bytes per second. */
  rate?: number
  /** Bytes per write; the payload of a datagram. */
  chunk?: number
  repeat?: number
  wait?: boolean
  hold?: boolean
  reset?: boolean
  unconnected?: boolean
}

export interface OpenEvent {
  pid: number
  localAddress: string
  localPort: number
  remoteAddress: string
  remotePort: number
}

export interface DoneEvent {
  pid: number
  sentBytes: number
  receivedBytes: number
}

/** One running end of a conversation. */
export class Traffic {
  constructor(private readonly process: LabProcess) {}

  get pid(): number {
    return this.process.pid
  }

  get exit(): Promise<Exit> {
    return this.process.exit
  }

  /** A server listens. */
  ready(): Promise<{ pid: number; address: string; port: number }> {
    return this.process.waitForJson('event', 'ready')
  }

  /** The first socket is open. */
  opened(): Promise<OpenEvent> {
    return this.process.waitForJson('event', 'open')
  }

  /** Every byte was sent and received. */
  done(timeoutMs = 60_000): Promise<DoneEvent> {
    return this.process.waitForJson('event', 'done', 0, timeoutMs)
  }

  /** Lets traffic that was started with `wait` begin. */
  go(): void {
    this.process.write('go\n')
  }

  /** Lets traffic that was started with `hold` close its socket; resolves when its process is gone. */
  async release(): Promise<Exit> {
    this.process.endInput()
    return this.process.exit
  }

  /** Ends it as SIGKILL does: the kernel closes its sockets. */
  kill(): Promise<Exit> {
    return this.process.kill()
  }
}

/** Starts one end of a conversation on a host. */
export function startTraffic(host: Host, kind: TrafficKind, options: TrafficOptions): Traffic {
  const args = Object.entries(options).flatMap(([name, value]) => {
    const option = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    if (typeof value === 'boolean') return value ? [option] : []
    return [option, String(value)]
  })
  return new Traffic(host.spawn(paths.traffic, [kind, ...args]))
}
