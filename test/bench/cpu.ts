import { setTimeout as sleep } from 'node:timers/promises'
import { BenchLink, untilIdle, type Load } from './bench-link'
import { contenders, type Contender } from './contenders'
import type { BenchOptions, Transport } from './options'
import { cpuNsOf } from './process-usage'
import { median, type CpuCase, type Target } from './results'
import { withLab } from '../lab/lab'

const rates = [200_000, 0]
const flowCounts = [10, 1_000, 100_000]

/** Within these every flow has begun; what follows is the sustained cost. */
const rampSeconds = 2

/** CPU time per packet of the helper and of its peers under the same load, one after the other. */
export async function measureCpu(options: BenchOptions, say: (line: string) => void): Promise<CpuCase[]> {
  return withLab(async (lab) => {
    const link = await BenchLink.create(lab)
    const cases: CpuCase[] = []
    for (const load of loads(options)) {
      for (const contender of contenders) {
        const runs: CpuCase[] = []
        for (let run = 0; run < options.repeat; run += 1) runs.push(await measureOne(link, contender, load))
        const middle = median(runs.map(({ sustainedNsPerPacket }) => sustainedNsPerPacket))
        const result = runs.find(({ sustainedNsPerPacket }) => sustainedNsPerPacket === middle)
        if (result === undefined) continue
        cases.push(result)
        const whole = result.cpuNsPerPacket.toFixed(0)
        say(
          `${contender.name}, ${load.transport}, ${load.flows} flows, ${result.sentPerSecond} frames/s: ` +
            `${middle.toFixed(0)} ns a packet sustained, ${whole} over the whole run`,
        )
      }
    }
    return cases
  })
}

function loads({ transports, seconds }: BenchOptions): Load[] {
  return transports.flatMap((transport) =>
    rates.flatMap((rate) => flowCounts.map((flows) => ({ transport, rate, flows, seconds }))),
  )
}

async function measureOne(link: BenchLink, contender: Contender, load: Load): Promise<CpuCase> {
  const blast = await link.prepare({ ...load, seconds: rampSeconds + load.seconds })
  let warmedUp = 0
  const running = await contender.start(link.capturing, async () => {
    warmedUp = (await link.warmUp()).packets
  })
  const cpuNs = (): number => cpuNsOf(running.pids())
  const before = cpuNs()
  blast.go()
  await sleep(rampSeconds * 1000)
  const ramped = { cpuNs: cpuNs(), packets: await link.receivedPackets() }
  const sent = await blast.done()
  const sustained = { cpuNs: cpuNs() - ramped.cpuNs, packets: (await link.receivedPackets()) - ramped.packets }
  await untilIdle(cpuNs)
  const spent = cpuNs() - before
  const counted = await running.finish()
  const packets = Math.max(counted.packets - warmedUp, 0)
  return {
    contender: contender.name,
    transport: load.transport,
    flows: load.flows,
    rate: load.rate,
    sentPerSecond: Math.round(sent.packetsPerSecond),
    packets,
    dropped: counted.dropped ?? Math.max(sent.packets - packets, 0),
    cpuNsPerPacket: spent / packets,
    sustainedNsPerPacket: sustained.cpuNs / sustained.packets,
  }
}

const describe = ({ transport, rate }: { transport: Transport; rate: number }): string =>
  `${transport}, ${rate === 0 ? 'full speed' : `${rate / 1000}k frames/s`}`

/** The ratios that the project promises: of the sustained cost, so that the length of a run decides nothing. */
export function cpuTargets(cases: readonly CpuCase[]): Target[] {
  const find = (contender: string, { transport, rate, flows }: Omit<Load, 'seconds'>): CpuCase | undefined =>
    cases.find(
      (other) =>
        other.contender === contender && other.transport === transport && other.rate === rate && other.flows === flows,
    )
  const own = cases.filter(({ contender }) => contender === 'netloupe')
  const ratios = (peer: string, limit: number): Target[] =>
    own.flatMap((mine): Target[] => {
      const theirs = find(peer, mine)
      if (theirs === undefined) return []
      return [
        {
          name: `CPU per packet against ${peer}, ${mine.flows} flows, ${describe(mine)}`,
          measured: mine.sustainedNsPerPacket / theirs.sustainedNsPerPacket,
          limit,
          unit: 'times',
        },
      ]
    })
  const growth = own
    .filter(({ flows }) => flows === 100_000)
    .flatMap((many): Target[] => {
      const few = find('netloupe', { ...many, flows: 10 })
      if (few === undefined) return []
      const measured = many.sustainedNsPerPacket / few.sustainedNsPerPacket
      return [{ name: `growth from 10 to 100,000 flows, ${describe(many)}`, measured, limit: 1.5, unit: 'times' }]
    })
  const drops = own
    .filter(({ rate }) => rate === 200_000)
    .map((mine): Target => ({
      name: `frames dropped, ${mine.flows} flows, ${describe(mine)}`,
      measured: mine.dropped ?? 0,
      limit: 0,
      unit: 'frames',
    }))
  return [...ratios('nethogs', 0.6), ...ratios('tcpdump', 2), ...growth, ...drops]
}
