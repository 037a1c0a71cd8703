import { spawn, type ChildProcessWithoutNullStreams, type SpawnOptionsWithoutStdio } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Writable } from 'node:stream'

const defaultTimeoutMs = 20_000

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

interface Waiter {
  /** Looks at the output; true when it is done. */
  look(): boolean
  fail(why: string): void
}

/**
 * A running program whose standard output is read line by line. Tests wait for lines, never for time: a line that was
 * printed before it is asked for is found too.
 */
export class LabProcess {
  /** Every line of standard output so far. */
  readonly lines: string[] = []
  /** Resolves when the program has ended and its output is read. */
  readonly exit: Promise<Exit>
  private stderrText = ''
  private readonly waiters = new Set<Waiter>()
  private readonly child: ChildProcessWithoutNullStreams
  private readonly title: string
  private ended = false

  constructor(program: string, args: readonly string[], options: SpawnOptionsWithoutStdio = {}) {
    this.title = [program, ...args].join(' ')
    this.child = spawn(program, args, options)
    this.child.stdin.on('error', () => undefined)
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderrText += text
      this.wakeWaiters()
    })
    const stdout = createInterface({ input: this.child.stdout })
    stdout.on('line', (line) => {
      this.lines.push(line)
      this.wakeWaiters()
    })
    const outputRead = new Promise<void>((resolve) => stdout.once('close', resolve))
    this.exit = new Promise<Exit>((resolve, reject) => {
      this.child.once('error', (error) => reject(new Error(`${this.title}: ${error.message}`)))
      this.child.once('close', (code, signal) => void outputRead.then(() => resolve({ code, signal })))
    }).finally(() => {
      this.ended = true
      for (const waiter of this.waiters) if (!waiter.look()) waiter.fail('ended')
    })
    // Whoever awaits `exit` gets the rejection; nobody has to.
    this.exit.catch(() => undefined)
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`${this.title} was not started`)
    return this.child.pid
  }

  get stdin(): Writable {
    return this.child.stdin
  }

  get stderr(): string {
    return this.stderrText
  }

  /**
   * The first value that `pick` finds in a line, beginning with line number `from`. Rejects, with the program's last words,
   * when the program ends or `timeoutMs` pass before that.
   */
  waitFor<T>(what: string, pick: (line: string) => T | undefined, from = 0, timeoutMs = defaultTimeoutMs): Promise<T> {
    let next = from
    return this.waitUntil(
      what,
      () => {
        for (; next < this.lines.length; next += 1) {
          const found = pick(this.lines[next] ?? '')
          if (found !== undefined) return found
        }
        return undefined
      },
      timeoutMs,
    )
  }

  /** Resolves when standard error holds `text`. */
  async waitForStderr(text: string, timeoutMs = defaultTimeoutMs): Promise<void> {
    await this.waitUntil(`"${text}"`, () => (this.stderrText.includes(text) ? true : undefined), timeoutMs)
  }

  /** Asks `find` now and after each output. */
  private waitUntil<T>(what: string, find: () => T | undefined, timeoutMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer)
        this.waiters.delete(waiter)
      }
      const waiter: Waiter = {
        look: () => {
          const found = find()
          if (found === undefined) return false
          finish()
          resolve(found)
          return true
        },
        fail: (why) => {
          finish()
          const lastWords = [...this.lines.slice(-3), this.stderrText.trim().slice(-600)].join('\n')
          reject(new Error(`${this.title}: ${why} while waiting for ${what}\n${lastWords}`))
        },
      }
      const timer = setTimeout(() => waiter.fail(`nothing within ${timeoutMs} ms`), timeoutMs)
      this.waiters.add(waiter)
      if (!waiter.look() && this.ended) waiter.fail('ended')
    })
  }

  /** The first JSON line whose `member` has this value. */
  waitForJson<T>(member: string, value: string, from = 0, timeoutMs = defaultTimeoutMs): Promise<T> {
    return this.waitFor(
      `${member} "${value}"`,
      (line) => {
        const parsed = parseJsonLine(line)
        return parsed?.[member] === value ? (parsed as T) : undefined
      },
      from,
      timeoutMs,
    )
  }

  write(text: string): void {
    this.child.stdin.write(text)
  }

  endInput(): void {
    this.child.stdin.end()
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  /** SIGKILL where the program still runs; resolves when it is gone. */
  async kill(): Promise<Exit> {
    this.child.kill('SIGKILL')
    return this.exit
  }

  private wakeWaiters(): void {
    for (const waiter of [...this.waiters]) waiter.look()
  }
}

/** The object on a line of JSON output, undefined for any other line. */
export function parseJsonLine(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return undefined
  }
}
