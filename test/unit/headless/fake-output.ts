import { Output } from '../../../electron/headless/output'

type ErrorListener = (error: NodeJS.ErrnoException) => void

/** An `Output` whose streams are strings. */
export class FakeOutput {
  stdout = ''
  stderr = ''
  readonly output: Output
  #listeners: ErrorListener[] = []

  constructor(terminal?: { columns: number; rows: number }) {
    this.output = new Output(
      {
        write: (text) => {
          this.stdout += text
          return true
        },
        on: (_event, listener) => this.#listeners.push(listener),
        isTTY: terminal !== undefined,
        ...terminal,
      },
      {
        write: (text) => {
          this.stderr += text
          return true
        },
        on: () => undefined,
      },
    )
  }

  get lines(): Record<string, unknown>[] {
    return this.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  /** Whoever read the output has gone. */
  breakPipe(): void {
    for (const listener of this.#listeners) listener(Object.assign(new Error('EPIPE'), { code: 'EPIPE' }))
  }
}
