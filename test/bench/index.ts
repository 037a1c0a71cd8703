/** `npm run bench`: the figures of the README's table, from one run on one machine. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import { whyNoWindow } from '../lab/app'
import { whyNoLab } from '../lab/lab-support'
import { paths } from '../lab/paths'
import { buildTools } from '../lab/tools'
import { cpuTargets, measureCpu } from './cpu'
import { measureMemory, memoryTargets } from './memory'
import { parseBenchOptions, type BenchOptions } from './options'
import { report } from './report'
import type { BenchResults } from './results'
import { measureMainProcess, measureStart, windowTargets } from './window'

/** Progress goes to stderr: stdout is the report. */
const say = (line: string): void => console.error(line)

async function measure(options: BenchOptions): Promise<BenchResults> {
  const results: BenchResults = {
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown CPU',
      cpus: cpus().length,
      kernel: release(),
      node: process.versions.node,
      date: new Date().toISOString(),
    },
    targets: [],
  }
  const parts = new Set(options.parts)
  const noWindow = whyNoWindow()
  for (const part of ['main', 'start'] as const)
    if (parts.has(part) && noWindow !== undefined) {
      say(`SKIPPED ${part}: ${noWindow}`)
      parts.delete(part)
    }
  if (parts.has('cpu')) results.cpu = await measureCpu(options, say)
  if (parts.has('memory')) results.memory = await measureMemory(say)
  if (parts.has('main')) results.main = await measureMainProcess(4 * options.seconds)
  if (parts.has('start')) results.start = await measureStart()
  results.targets = [
    ...cpuTargets(results.cpu ?? []),
    ...memoryTargets(results.memory ?? []),
    ...windowTargets(results),
  ]
  return results
}

async function main(): Promise<number> {
  const noLab = whyNoLab()
  if (noLab !== undefined) {
    say(`The benchmark cannot run here: ${noLab}.`)
    return 1
  }
  let options: BenchOptions
  try {
    options = parseBenchOptions(process.argv.slice(2))
  } catch (error) {
    say(error instanceof Error ? error.message : String(error))
    return 2
  }
  await buildTools()
  const results = await measure(options)
  mkdirSync(paths.testResults, { recursive: true })
  const file = join(paths.testResults, 'bench.json')
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
  console.log(report(results))
  console.log(`\nThe same as JSON: ${file}`)
  return 0
}

process.exitCode = await main()
