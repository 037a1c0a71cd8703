/**
 * Ends a process that the user chose, and only that one: a pid may belong to another process by the time of the click.
 */
import { readFileSync } from 'node:fs'
import { fail } from '../shared/errors'
import type { Owner } from '../shared/helper-messages'
import type { ActionResult } from '../shared/ipc-schema'

export interface ProcessPorts {
  /** A file of /proc as text; throws when it is not there. */
  readText(path: string): string
  /** As `process.kill`. */
  kill(pid: number, signal: NodeJS.Signals): void
  /** Netloupe's own pid. */
  ownPid: number
}

export const systemProcessPorts: ProcessPorts = {
  readText: (path) => readFileSync(path, 'utf8'),
  kill: (pid, signal) => void process.kill(pid, signal),
  ownPid: process.pid,
}

/** USER_HZ, the unit of times in /proc/<pid>/stat; 100 on every architecture that Electron runs on. */
const ticksPerSecond = 100
/** `btime` has whole seconds only, and the helper may have rounded the other way. */
const startToleranceMs = 1500

/**
 * Sends SIGTERM, or SIGKILL with `force`, to the incarnation that `owner` names. Synchronous on purpose: nothing runs
 * between the check of the start time and the signal, so a reused pid would have to come up within microseconds.
 */
export function endProcess(
  owner: Owner | null,
  force: boolean,
  ports: ProcessPorts = systemProcessPorts,
): ActionResult {
  if (owner === null || owner.exited) return fail('processGone', 'The process has already ended.')
  const { pid, name } = owner
  if (pid === ports.ownPid) {
    return fail('ownProcess', 'This is Netloupe itself.', 'Close its window to end it.')
  }
  if (pid <= 1) return fail('protectedProcess', `Process ${pid} keeps the system running and is not ended from here.`)
  try {
    if (Math.abs(startTimeMs(pid, ports) - owner.startTimeMs) > startToleranceMs) {
      return fail('processGone', `${name} has ended; its number ${pid} now belongs to another process.`)
    }
    ports.kill(pid, force ? 'SIGKILL' : 'SIGTERM')
    return { ok: true }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : ''
    if (code === 'ENOENT' || code === 'ESRCH') return fail('processGone', `${name} has already ended.`)
    if (code === 'EPERM' || code === 'EACCES') {
      return fail(
        'notPermitted',
        `${name} belongs to ${owner.user === '' ? `user ${owner.uid}` : owner.user}, whose processes you may not end.`,
        `sudo kill ${force ? '-KILL ' : ''}${pid}`,
      )
    }
    return fail('endFailed', `${name} could not be ended: ${error instanceof Error ? error.message : String(error)}.`)
  }
}

/** Unix time at which a process started, from proc_pid_stat(5) `starttime` and proc_stat(5) `btime`. */
function startTimeMs(pid: number, ports: ProcessPorts): number {
  const stat = ports.readText(`/proc/${pid}/stat`)
  // The name in parentheses may hold spaces and parentheses itself; the fields after the last one are safe to split.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const startTicks = Number(fields[19])
  const bootS = Number(/^btime (\d+)$/m.exec(ports.readText('/proc/stat'))?.[1])
  if (!Number.isFinite(startTicks) || !Number.isFinite(bootS)) throw new Error('its start time cannot be read')
  return bootS * 1000 + (startTicks * 1000) / ticksPerSecond
}
