import type { Host } from '../lab/host'
import { Monitor, sum } from '../lab/monitor'
import { processTree } from '../lab/process-tree'
import { frameBytes, interfaceName, measuredCpus } from './bench-link'

/** A running monitor under measurement. */
export interface Running {
  /** The processes whose CPU time counts. */
  pids(): number[]
  /** Frames that it has counted so far, and those that it lost where it tells. Called when all was processed. */
  finish(): Promise<{ packets: number; dropped: number | null }>
}

export interface Contender {
  name: 'netloupe' | 'nethogs' | 'tcpdump'
  start(host: Host, warmUp: () => Promise<unknown>): Promise<Running>
}

const pinned = ['taskset', '-c', measuredCpus]

/** The helper as the command line runs it. The command line's own process is not counted: it does what main does. */
export const netloupe: Contender = {
  name: 'netloupe',
  async start(host, warmUp) {
    const options = { args: ['--interface', interfaceName], intervalMs: 1000, prefix: pinned }
    const monitor = await Monitor.start(host, options)
    await warmUp()
    return {
      pids: () => processTree(monitor.hello.helperPid),
      finish: async () => {
        const { summary } = await monitor.stop()
        const { rxPackets, txPackets } = sum(summary.interfaces)
        const dropped = summary.interfaces.reduce((total, row) => total + row.dropped, 0)
        return { packets: rxPackets + txPackets, dropped }
      },
    }
  },
}

/** `-v 2` prints totals in bytes instead of rates, which tell how many frames it saw; it says nothing of losses. */
export const nethogs: Contender = {
  name: 'nethogs',
  async start(host, warmUp) {
    const [program = '', ...args] = [...pinned, 'nethogs', '-t', '-C', '-v', '2', interfaceName]
    const process = host.spawn(program, args)
    await process.waitFor('its first line', () => true)
    await warmUp()
    await process.waitFor('its first table', (line) => line.startsWith('Refreshing') || undefined)
    return {
      pids: () => processTree(process.pid),
      finish: async () => {
        const lastTable = process.lines.slice(process.lines.lastIndexOf('Refreshing:') + 1)
        const bytes = lastTable.flatMap((line) => line.split('\t').slice(1).map(Number)).reduce((a, b) => a + b, 0)
        await process.kill()
        return { packets: Math.round(bytes / frameBytes), dropped: null }
      },
    }
  },
}

export const tcpdump: Contender = {
  name: 'tcpdump',
  async start(host, warmUp) {
    const [program = '', ...args] = [...pinned, 'tcpdump', '-i', interfaceName, '-w', '/dev/null']
    const process = host.spawn(program, args)
    await process.waitForStderr('listening on')
    await warmUp()
    return {
      pids: () => processTree(process.pid),
      finish: async () => {
        process.signal('SIGINT')
        await process.exit
        const figure = (what: string): number => Number(new RegExp(`(\\d+) packets? ${what}`).exec(process.stderr)?.[1])
        return { packets: figure('captured'), dropped: figure('dropped by kernel') }
      },
    }
  },
}

export const contenders: readonly Contender[] = [netloupe, nethogs, tcpdump]
