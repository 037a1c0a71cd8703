import { setTimeout as sleep } from 'node:timers/promises'
import { BenchLink, untilIdle, type Load } from './bench-link'
import { contenders, type Contender } from './contenders'
import type { BenchOptions } from './options'
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
    for (const rate of rates) {
      for (const flows of flowCounts) {
        for (const contender of contenders) {
          const runs: CpuCase[] = []
          for (let run = 0; run < options.repeat; run += 1)
            runs.push(await measureOne(link, contender, { rate, flows, seconds: options.seconds }))
          const middle = median(runs.map(({ cpuNsPerPacket }) => cpuNsPerPacket))
          const result = runs.find(({ cpuNsPerPacket }) => cpuNsPerPacket === middle)
          if (result === undefined) continue
          cases.push(result)
          say(`${contender.name}, ${flows} flows, ${result.sentPerSecond} frames/s: ${middle.toFixed(0)} ns a packet`)
        }
      }
    }
    return cases
  })
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
    flows: load.flows,
    rate: load.rate,
    sentPerSecond: Math.round(sent.packetsPerSecond),
    packets,
    dropped: counted.dropped ?? Math.max(sent.packets - packets, 0),
    cpuNsPerPacket: spent / packets,
    sustainedNsPerPacket: sustained.cpuNs / sustained.packets,
  }
}

/** The ratios that the project promises. */
export function cpuTargets(cases: readonly CpuCase[]): Target[] {
  const find = (contender: string, { rate, flows }: { rate: number; flows: number }): CpuCase | undefined =>
    cases.find((other) => other.contender === contender && other.rate === rate && other.flows === flows)
  const own = cases.filter(({ contender }) => contender === 'netloupe')
  const ratios = (peer: string, limit: number): Target[] =>
    own.flatMap((mine): Target[] => {
      const theirs = find(peer, mine)
      if (theirs === undefined) return []
      const speed = mine.rate === 0 ? 'full speed' : `${mine.rate / 1000}k frames/s`
      return [
        {
          name: `CPU per packet against ${peer}, ${mine.flows} flows, ${speed}`,
          measured: mine.cpuNsPerPacket / theirs.cpuNsPerPacket,
          limit,
          unit: 'times',
        },
      ]
    })
  const growth = rates.flatMap((rate): Target[] => {
    const [few, many] = [find('netloupe', { rate, flows: 10 }), find('netloupe', { rate, flows: 100_000 })]
    if (few === undefined || many === undefined) return []
    const speed = rate === 0 ? 'full speed' : `${rate / 1000}k frames/s`
    const measured = many.cpuNsPerPacket / few.cpuNsPerPacket
    return [{ name: `growth from 10 to 100,000 flows, ${speed}`, measured, limit: 1.5, unit: 'times' }]
  })
  const drops = own
    .filter(({ rate }) => rate === 200_000)
    .map(({ flows, dropped }): Target => ({
      name: `frames dropped at 200k frames/s, ${flows} flows`,
      measured: dropped ?? 0,
      limit: 0,
      unit: 'frames',
    }))
  return [...ratios('nethogs', 0.6), ...ratios('tcpdump', 2), ...growth, ...drops]
}
