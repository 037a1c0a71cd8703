import { readdirSync, readFileSync } from 'node:fs'

/**
 * CPU time of a set of processes so far, in nanoseconds: the time that utime and stime of /proc/PID/stat tell in steps of
 * 10 ms, read from the schedstat of every thread, where it has no steps.
 */
export function cpuNsOf(pids: readonly number[]): number {
  let total = 0
  for (const pid of pids) {
    for (const task of listOrEmpty(`/proc/${pid}/task`))
      total += Number(readOrEmpty(`/proc/${pid}/task/${task}/schedstat`).split(' ')[0])
  }
  return total
}

export interface MemoryUsage {
  /** Proportional: shared pages are divided among those who share them. */
  pssBytes: number
  rssBytes: number
}

/** Memory of a set of processes now. */
export function memoryOf(pids: readonly number[]): MemoryUsage {
  const usage = { pssBytes: 0, rssBytes: 0 }
  for (const pid of pids) {
    const rollup = readOrEmpty(`/proc/${pid}/smaps_rollup`)
    const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0)
    usage.pssBytes += kilobytes('Pss') * 1024
    usage.rssBytes += kilobytes('Rss') * 1024
  }
  return usage
}

/** A process may end between being listed and being read. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function listOrEmpty(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
