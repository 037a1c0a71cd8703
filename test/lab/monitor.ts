import type { Host, WireTotals } from './host'
import type { Exit, LabProcess } from './lab-process'
import { paths } from './paths'

const defaultIntervalMs = 200

export interface HelloLine {
  type: 'hello'
  helperPid: number
  helperVersion: string
  interfaces: unknown[]
}

export interface InterfaceLine extends WireTotals {
  name: string
  linkType: string
  dropped: number
}

export interface ProcessLine extends WireTotals {
  pid: number
  name: string
  exe: string
  user: string
  rxRate: number
  txRate: number
}

export interface FlowLine extends WireTotals {
  protocol: string
  localAddress: string
  localPort: number
  remoteAddress: string
  remotePort: number
  interface: string
  state: string
  /** Null without an owner. */
  pid: number | null
  process: string | null
  attribution: 'exact' | 'relaxed' | 'none'
  reason: string
}

export interface TotalsLine {
  timeMs: number
  /** False where capture is not permitted. */
  measured: boolean
  interfaces: InterfaceLine[]
  processes: ProcessLine[]
  unattributed: WireTotals & { reasons: Record<string, number> }
  flows?: FlowLine[]
}

export interface TickLine extends TotalsLine {
  type: 'tick'
}

export interface SummaryLine extends TotalsLine {
  type: 'summary'
}

export interface MonitorOptions {
  /** Options of `monitor`, such as `--interface`, `eth0`. */
  args?: readonly string[]
  intervalMs?: number
  /** Put before `node`, such as `setpriv` and its options. */
  prefix?: readonly string[]
  env?: NodeJS.ProcessEnv
  /** A copy of the command line that others may read. */
  headless?: string
}

/** A running `headless monitor`, read through the command line's contract alone. */
export class Monitor {
  private constructor(
    readonly process: LabProcess,
    readonly hello: HelloLine,
    private readonly intervalMs: number,
  ) {}

  /** Starts it on a host; resolves with its first tick, when capture is on. */
  static async start(host: Host, options: MonitorOptions = {}): Promise<Monitor> {
    const process = spawnMonitor(host, options)
    const hello = await process.waitForJson<HelloLine>('type', 'hello')
    await process.waitForJson('type', 'tick')
    return new Monitor(process, hello, options.intervalMs ?? defaultIntervalMs)
  }

  /** The first tick from now on that `accepts`. */
  tick(what: string, accepts: (tick: TickLine) => boolean, timeoutMs = 20_000): Promise<TickLine> {
    return this.process.waitFor(
      what,
      (line) => {
        const tick = asLine<TickLine>(line, 'tick')
        return tick !== undefined && accepts(tick) ? tick : undefined
      },
      this.process.lines.length,
      timeoutMs,
    )
  }

  /**
   * A tick that holds all that was on the wire before this call: the kernel hands over a block of frames, and the helper
   * reports, with a delay of less than two intervals; and its owners are looked up. Ticks tell their time; counting them
   * would take those for new that were printed before the call and not yet read.
   */
  async settled(): Promise<TickLine> {
    const after = Date.now() + 2 * this.intervalMs
    return this.tick(
      'a later tick without pending look-ups',
      ({ timeMs, unattributed }) => timeMs >= after && unattributed.reasons['pending'] === undefined,
    )
  }

  /** Ends it as Ctrl+C does. */
  async stop(): Promise<{ summary: SummaryLine; exit: Exit }> {
    this.process.signal('SIGINT')
    const exit = await this.process.exit
    return { summary: summaryOf(this.process), exit }
  }
}

/** Starts `headless monitor` on a host without waiting for anything. */
export function spawnMonitor(host: Host, options: MonitorOptions = {}): LabProcess {
  const { args = [], intervalMs = defaultIntervalMs, prefix = [], env, headless = paths.headless } = options
  const command = [
    ...prefix,
    'node',
    headless,
    'monitor',
    '--format',
    'jsonl',
    '--interval',
    String(intervalMs),
    ...args,
  ]
  const [program = '', ...rest] = command
  return host.spawn(program, rest, env === undefined ? {} : { env })
}

/** The summary that a monitor ended with. */
export function summaryOf(process: LabProcess): SummaryLine {
  const summary = asLine<SummaryLine>(process.lines.at(-1) ?? '', 'summary')
  if (summary === undefined) throw new Error(`the last line is no summary: ${process.lines.at(-1)}\n${process.stderr}`)
  return summary
}

/** Sum over rows. */
export function sum(rows: readonly WireTotals[]): WireTotals {
  const total = { rxBytes: 0, txBytes: 0, rxPackets: 0, txPackets: 0 }
  for (const row of rows)
    for (const member of ['rxBytes', 'txBytes', 'rxPackets', 'txPackets'] as const) total[member] += row[member]
  return total
}

function asLine<T>(line: string, type: string): T | undefined {
  // Ticks with many flows are long: only the wanted kind is parsed.
  if (!line.startsWith(`{"type":"${type}"`)) return undefined
  return JSON.parse(line) as T
}
