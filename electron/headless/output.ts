/**
 * Standard output and standard error of the command line.
 */
import type { Degraded, Failure } from '../shared/errors'

export type Format = 'table' | 'jsonl'

interface Stream {
  write(text: string): boolean
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

export class Output {
  readonly #abandoned: Promise<void>
  #isAbandoned = false

  constructor(
    private readonly stdout: Stream,
    private readonly stderr: Stream,
  ) {
    this.#abandoned = new Promise((resolve) => {
      stdout.on('error', () => {
        this.#isAbandoned = true
        resolve()
      })
    })
    stderr.on('error', () => undefined)
  }

  /** Settles when nobody reads the output any more (`| head`): a reason to end quietly. */
  get abandoned(): Promise<void> {
    return this.#abandoned
  }

  /** Size of the terminal, null when the output is none. */
  get terminal(): { columns: number; rows: number } | null {
    if (this.stdout.isTTY !== true) return null
    return { columns: this.stdout.columns ?? 80, rows: this.stdout.rows ?? 24 }
  }

  line(value: object): void {
    this.text(`${JSON.stringify(value)}\n`)
  }

  text(text: string): void {
    if (!this.#isAbandoned) this.stdout.write(text)
  }

  /** One line for people. */
  complain(sentence: string): void {
    this.stderr.write(`netloupe: ${printable(sentence)}\n`)
  }

  complainOf({ message, fix }: Failure): void {
    this.complain(fix === '' ? message : `${message} ${fix}`)
  }
}

/** What is missing, with the fix that several reasons share said once. */
export function problemSentences(reasons: readonly Degraded[]): string[] {
  const details = new Map<string, string[]>()
  for (const { detail, fix } of reasons) details.set(fix, [...(details.get(fix) ?? []), detail])
  return [...details].map(([fix, sentences]) => [...sentences, fix].join(' ').trim())
}

/**
 * Text that is safe on a terminal. A process chooses its own name, which may hold escape sequences that redraw the
 * screen or answer as if typed.
 */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- these are what it is about
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
}
