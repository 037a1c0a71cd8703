import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from './command'
import { Host } from './host'
import { paths } from './paths'

/** One end of a link. Addresses carry their prefix length: `10.1.0.1/24`, `fd00:1::1/64`. */
export interface LinkEnd {
  host: Host
  interface: string
  addresses?: readonly string[]
}

/**
 * Hosts in network namespaces, linked by virtual Ethernet. Everything has a name that no other lab has, and goes away
 * with `close()`, or with the process that made it, however that ends.
 */
export class Lab {
  private hostCount = 0

  private constructor(
    /** `nl-PID-STARTTIME-RANDOM`: prefix of its namespaces, name of its directory. */
    readonly name: string,
    /** For files of the test; removed with the lab. Everybody may enter it. */
    readonly directory: string,
    private readonly janitorProcess: ChildProcess,
  ) {}

  /** Makes an empty lab, after removing what dead runs may have left behind. */
  static async create(): Promise<Lab> {
    await sweepDeadLabs()
    const name = `nl-${process.pid}-${startTimeOf(process.pid) ?? 0}-${randomBytes(2).toString('hex')}`
    const directory = join('/tmp', name)
    mkdirSync(directory, { mode: 0o755 })
    const janitorProcess = spawn(paths.janitor, [name], { stdio: ['pipe', 'inherit', 'inherit'], detached: true })
    janitorProcess.unref()
    return new Lab(name, directory, janitorProcess)
  }

  /** A host without any interface but loopback, which is up. It forwards nothing. */
  async host(label: string): Promise<Host> {
    this.hostCount += 1
    const host = new Host(`${this.name}-${this.hostCount}-${label}`, label)
    await runCommand('ip', ['netns', 'add', host.namespace])
    // Duplicate address detection would keep every new IPv6 address from use for about two seconds.
    await host.run('sysctl', ['-qw', 'net.ipv6.conf.all.accept_dad=0', 'net.ipv6.conf.default.accept_dad=0'])
    await host.ip('link', 'set', 'lo', 'up')
    return host
  }

  /** Joins two hosts with a cable. */
  async link(a: LinkEnd, b: LinkEnd): Promise<void> {
    await a.host.ip(
      ...['link', 'add', a.interface, 'type', 'veth', 'peer', 'name', b.interface, 'netns', b.host.namespace],
    )
    for (const end of [a, b]) {
      for (const address of end.addresses ?? []) await end.host.addAddress(end.interface, address)
      await end.host.ip('link', 'set', end.interface, 'up')
    }
  }

  /** Removes everything; resolves when it is gone. */
  async close(): Promise<void> {
    const gone = new Promise<void>((resolve) => this.janitorProcess.once('exit', () => resolve()))
    this.janitorProcess.ref()
    this.janitorProcess.stdin?.end()
    if (this.janitorProcess.exitCode === null) await gone
  }
}

/** Runs `body` in a new lab that is gone afterwards. */
export async function withLab<T>(body: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = await Lab.create()
  try {
    return await body(lab)
  } finally {
    await lab.close()
  }
}

/** Removes labs whose process is dead, for the case that their janitor was killed with them. */
async function sweepDeadLabs(): Promise<void> {
  const namespaces = (await runCommand('ip', ['netns', 'list'])).split('\n')
  const users = readFileSync('/etc/passwd', 'utf8').split('\n')
  const names = new Set(
    [...namespaces, ...users, ...readdirSync('/tmp')].flatMap((text) => text.match(/^nl-\d+-\d+-[0-9a-f]+/) ?? []),
  )
  for (const name of names) {
    const [, pid, startTime] = name.split('-').map(Number)
    if (startTimeOf(pid ?? 0) !== startTime) await runCommand(paths.janitor, [name])
  }
}

/** Start time of a process in clock ticks since boot, which tells it from a later one with the same pid. */
function startTimeOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // comm may hold spaces and parentheses: fields are counted from the last one. Start time is field 22.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
  } catch {
    return undefined
  }
}
