import { withLab } from '../lab/lab'
import { BenchLink, untilIdle } from './bench-link'
import { netloupe } from './contenders'
import { cpuNsOf, memoryOf } from './process-usage'
import type { MemoryCase, Target } from './results'

const limits = [
  { flows: 1_000, megabytes: 24 },
  { flows: 100_000, megabytes: 80 },
] as const

/** Memory of the helper's processes while it holds that many live flows. */
export async function measureMemory(say: (line: string) => void): Promise<MemoryCase[]> {
  return withLab(async (lab) => {
    const link = await BenchLink.create(lab)
    const cases: MemoryCase[] = []
    for (const { flows } of limits) {
      const blast = await link.prepare({ transport: 'udp', flows, rate: 100_000, seconds: 3 })
      const running = await netloupe.start(link.capturing, () => link.warmUp())
      blast.go()
      await blast.done()
      await untilIdle(() => cpuNsOf(running.pids()))
      const usage = memoryOf(running.pids())
      await running.finish()
      cases.push({ flows, ...usage })
      say(`helper with ${flows} flows: ${(usage.pssBytes / 1e6).toFixed(1)} MB`)
    }
    return cases
  })
}

export function memoryTargets(cases: readonly MemoryCase[]): Target[] {
  return cases.flatMap(({ flows, pssBytes }): Target[] => {
    const limit = limits.find((entry) => entry.flows === flows)
    if (limit === undefined) return []
    return [
      { name: `helper memory (PSS), ${flows} flows`, measured: pssBytes / 1e6, limit: limit.megabytes, unit: 'MB' },
    ]
  })
}
