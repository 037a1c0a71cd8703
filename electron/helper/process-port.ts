/**
 * The helper as a child process: how it is started, and its three pipes. Knows nothing of what is said over them.
 */
import { spawn, type StdioOptions } from 'node:child_process'
import { constants } from 'node:fs'
import { access, lstat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { fail, succeed, type Failure, type Outcome } from '../shared/errors'

export interface ProcessListener {
  data(chunk: Uint8Array): void
  /** One line of what the helper tells people on its standard error. */
  log(line: string): void
  /** Called once, after the last data. `failure` says what was unusual about the end. */
  exited(exit: { code: number | null; signal: string | null; failure: Failure | null }): void
}

/** A started process with its pipes. Nothing here throws when the process has gone meanwhile. */
export interface HelperProcess {
  write(bytes: Uint8Array): void
  /** Closes its standard input, which asks the helper to go. */
  closeInput(): void
  kill(): void
}

export type StartProcess = (listener: ProcessListener) => HelperProcess

export interface HelperProgram {
  /** Absolute path of the binary. */
  path: string
  /** An open pcap or pcapng file (or pipe) to read instead of capturing; becomes descriptor 3 of the helper. */
  readFd?: number
}

/** How long a helper that has exited may leave its pipes open (through a child that hangs) before it counts as gone. */
const drainMs = 1000

/** Refuses what is not plainly our own executable file, before it is run and perhaps gets capabilities. */
export async function checkProgram(path: string): Promise<Outcome<null>> {
  const stat = await lstat(path).catch(() => null)
  if (stat === null) {
    return fail('helperMissing', `The helper is not at ${path}.`, 'Build it with: npm run build')
  }
  if (!stat.isFile()) {
    return fail('helperNotAFile', `The helper at ${path} is not a regular file.`, 'Build it again with: npm run build')
  }
  const ownUid = process.getuid?.() ?? 0
  if ((stat.mode & constants.S_IWOTH) !== 0 || (stat.uid !== 0 && stat.uid !== ownUid)) {
    return fail(
      'helperNotTrusted',
      `The helper at ${path} can be changed by other users, so it is not started.`,
      `Make it your own: sudo chown root "${path}" && sudo chmod o-w "${path}"`,
    )
  }
  const executable = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
  if (!executable) {
    return fail(
      'helperNotExecutable',
      `You may not run the helper at ${path}.`,
      'Log in again if you were just added to the helper’s group; else make the file executable.',
    )
  }
  return succeed(null)
}

/**
 * Starts the helper with a constant command line and an empty environment: neither can carry anything that the
 * application was given.
 */
export function startProgram(program: HelperProgram): StartProcess {
  return (listener) => {
    const stdio: StdioOptions = ['pipe', 'pipe', 'pipe']
    if (program.readFd !== undefined) stdio.push(program.readFd)
    const child = spawn(program.path, program.readFd === undefined ? [] : ['--read'], {
      env: {},
      cwd: '/',
      stdio,
      // In a session of its own: Ctrl+C in a terminal is for us, who then ask the helper for its last tick.
      detached: true,
    })
    const { stdin, stdout, stderr } = child
    if (stdin === null || stdout === null || stderr === null) throw new Error('A helper is started with three pipes.')

    let isGone = false
    let drainTimer: NodeJS.Timeout | null = null
    const leave = (code: number | null, signal: string | null, failure: Failure | null) => {
      if (isGone) return
      isGone = true
      if (drainTimer !== null) clearTimeout(drainTimer)
      stdout.destroy()
      stderr.destroy()
      stdin.destroy()
      listener.exited({ code, signal, failure })
    }

    stdout.on('data', (chunk: Buffer) => {
      if (!isGone) listener.data(chunk)
    })
    createInterface({ input: stderr }).on('line', (line) => {
      listener.log(line)
    })
    // The helper may go while we write or read; its end is told by 'close', so a broken pipe is no news.
    for (const pipe of [stdin, stdout, stderr]) pipe.on('error', () => undefined)
    child.on('error', (error: NodeJS.ErrnoException) => {
      leave(null, null, startFailure(program.path, error))
    })
    child.on('exit', (code, signal) => {
      drainTimer = setTimeout(() => {
        leave(code, signal, null)
      }, drainMs)
    })
    child.on('close', (code, signal) => {
      leave(code, signal, null)
    })

    return {
      write: (bytes) => {
        if (!isGone && stdin.writable) stdin.write(bytes)
      },
      closeInput: () => {
        if (!isGone) stdin.end()
      },
      kill: () => {
        if (!isGone) child.kill('SIGKILL')
      },
    }
  }
}

function startFailure(path: string, error: NodeJS.ErrnoException): Failure {
  if (error.code === 'EPERM') {
    return {
      code: 'helperRefused',
      message: `The kernel does not let you run ${path} with the capabilities that are set on it.`,
      fix: `They are outside this session's bounding set (a container?). Remove them with: sudo setcap -r "${path}"`,
    }
  }
  return { code: 'helperNotStarted', message: `The helper at ${path} cannot be started: ${error.message}.`, fix: '' }
}
