import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { describe, expect, it, vi } from 'vitest'
import { endProcess, systemProcessPorts, type ProcessPorts } from '../../../electron/main/process-end'
import type { Owner } from '../../../electron/shared/helper-messages'

const bootS = 1_700_000_000
/** 500 s after boot. */
const startTicks = 50_000
const startTimeMs = (bootS + 500) * 1000

const owner: Owner = {
  ownerId: 3,
  pid: 4321,
  startTimeMs,
  parentPid: 1,
  name: 'curl',
  exe: '/usr/bin/curl',
  commandLine: 'curl',
  uid: 1000,
  user: 'ada',
  cgroup: '',
  exited: false,
}

/** proc_pid_stat(5): the start time is field 22; `comm` may hold anything. */
function stat(comm: string, ticks: number): string {
  const fields = Array.from({ length: 49 }, (_, index) => (index === 18 ? ticks : 1000 + index))
  return `4321 (${comm}) S ${fields.join(' ')}\n`
}

function ports(changes: Partial<ProcessPorts> & { stat?: string } = {}) {
  const kill = vi.fn<ProcessPorts['kill']>()
  const all: ProcessPorts = {
    readText: (path) =>
      path === '/proc/stat' ? `cpu 1 2\nbtime ${bootS}\n` : (changes.stat ?? stat('curl', startTicks)),
    kill,
    ownPid: 99,
    ...changes,
  }
  return { all, kill }
}

const systemError = (code: string) => Object.assign(new Error(code), { code })

describe('ending a process', () => {
  it.each([
    [false, 'SIGTERM'],
    [true, 'SIGKILL'],
  ])('sends the signal to the incarnation that was shown (force: %s)', (force, signal) => {
    const { all, kill } = ports()
    expect(endProcess(owner, force, all)).toEqual({ ok: true })
    expect(kill.mock.calls).toEqual([[4321, signal]])
  })

  it('reads the start time behind a name that looks like fields', () => {
    const { all, kill } = ports({ stat: stat('a) S 1 2 (b', startTicks) })
    expect(endProcess(owner, false, all)).toEqual({ ok: true })
    expect(kill).toHaveBeenCalled()
  })

  it.each([startTicks + 200, startTicks - 200, 0])(
    'spares another process with the same pid (started at %s)',
    (ticks) => {
      const { all, kill } = ports({ stat: stat('curl', ticks) })
      expect(endProcess(owner, true, all)).toMatchObject({ ok: false, failure: { code: 'processGone' } })
      expect(kill).not.toHaveBeenCalled()
    },
  )

  it.each<[string, Owner | null, string]>([
    ['one that is not known', null, 'processGone'],
    ['one that has exited', { ...owner, exited: true }, 'processGone'],
    ['init', { ...owner, pid: 1 }, 'protectedProcess'],
    ['the process group of the app, which pid 0 would mean', { ...owner, pid: 0 }, 'protectedProcess'],
    ['everything, which pid -1 would mean', { ...owner, pid: -1 }, 'protectedProcess'],
    ['Netloupe itself', { ...owner, pid: 99 }, 'ownProcess'],
  ])('refuses %s', (_, whom, code) => {
    const { all, kill } = ports()
    expect(endProcess(whom, true, all)).toMatchObject({ ok: false, failure: { code } })
    expect(kill).not.toHaveBeenCalled()
  })

  it('does not signal when the start time cannot be read', () => {
    const { all, kill } = ports({ stat: 'nonsense' })
    expect(endProcess(owner, false, all)).toMatchObject({ ok: false, failure: { code: 'endFailed' } })
    expect(kill).not.toHaveBeenCalled()
  })

  it.each([
    ['ESRCH', 'processGone'],
    ['EPERM', 'notPermitted'],
    ['EINVAL', 'endFailed'],
  ])('explains %s', (systemCode, code) => {
    const { all } = ports({
      kill: () => {
        throw systemError(systemCode)
      },
    })
    expect(endProcess(owner, false, all)).toMatchObject({ ok: false, failure: { code } })
  })

  it('finds no process where /proc has none', () => {
    const { all } = ports({
      readText: () => {
        throw systemError('ENOENT')
      },
    })
    expect(endProcess(owner, false, all)).toMatchObject({ ok: false, failure: { code: 'processGone' } })
  })

  it('ends a real process, and only with its real start time', async () => {
    const child = spawn('sleep', ['60'])
    await once(child, 'spawn')
    try {
      const pid = child.pid ?? 0
      // Independent of the code under test: seconds of uptime at which it started, against the clock of now.
      const uptimeS = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0])
      const startedS = Number(/.*\) (?:\S+ ){19}(\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]) / 100
      const real: Owner = { ...owner, pid, startTimeMs: Date.now() - (uptimeS - startedS) * 1000 }
      const early = { ...real, startTimeMs: real.startTimeMs - 5000 }
      expect(endProcess(early, true, systemProcessPorts)).toMatchObject({ failure: { code: 'processGone' } })
      expect(endProcess(real, false, systemProcessPorts)).toEqual({ ok: true })
      const [, signal] = (await once(child, 'exit')) as [number | null, string]
      expect(signal).toBe('SIGTERM')
    } finally {
      child.kill('SIGKILL')
    }
  })
})
