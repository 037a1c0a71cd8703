/** One line for the person at the terminal. Always on stderr: stdout belongs to the command's own output. */
export function say(line) {
  process.stderr.write(`netloupe: ${line}\n`)
}

/** Set-up cannot go on. `message` says what is wrong and where, `fix` how to mend it. */
export class SetupError extends Error {
  constructor(message, fix = '', exitCode = 1) {
    super(message)
    this.fix = fix
    this.exitCode = exitCode
  }
}
