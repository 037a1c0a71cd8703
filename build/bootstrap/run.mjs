import { spawn, spawnSync } from 'node:child_process'
import { constants } from 'node:os'
import { root } from './paths.mjs'
import { SetupError } from './say.mjs'

/**
 * Runs a set-up step with its output on stderr.
 * @param {string[]} command
 * @param {{cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number}} [options]
 * @returns {Promise<boolean>} whether it ended with 0, in time.
 */
export function step(command, { cwd = root, env = process.env, timeoutMs = 0 } = {}) {
  return new Promise((done) => {
    const child = spawn(command[0], command.slice(1), { cwd, env, stdio: ['inherit', 2, 2], timeout: timeoutMs })
    child.on('error', () => done(false))
    child.on('close', (code) => done(code === 0))
  })
}

/** As `step`, but failure stops the set-up. `what` begins the sentence: "<what> failed (<command>)." */
export async function need(what, command, { fix = 'The lines above say why.', ...options } = {}) {
  if (!(await step(command, options))) throw new SetupError(`${what} failed (${command.join(' ')}).`, fix)
}

/** The output of a quick query; null when the program is missing or fails. */
export function query(command, options = {}) {
  const result = spawnSync(command[0], command.slice(1), {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    ...options,
  })
  return result.status === 0 ? result.stdout : null
}

/** Whether a program of this name is on the PATH, or where root's PATH leads: ordinary users may not have that on theirs. */
export function hasProgram(name) {
  return query(['sh', '-c', 'PATH="$PATH:/usr/sbin:/sbin" command -v -- "$1"', 'sh', name]) !== null
}

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']

/**
 * Becomes, as far as one process can, the given command: same streams, signals passed on, same exit code.
 * @param {string[]} command
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<number>}
 */
export function becomeChild(command, options = {}) {
  return new Promise((done, fail) => {
    const child = spawn(command[0], command.slice(1), { cwd: root, stdio: 'inherit', ...options })
    // The terminal sends Ctrl+C to the whole group, a supervisor only to us. A second copy does no harm.
    const pass = (signal) => child.kill(signal)
    for (const signal of forwarded) process.on(signal, pass)
    child.on('error', (error) => fail(new SetupError(`${command[0]} could not be started: ${error.message}.`)))
    child.on('close', (code, signal) => {
      for (const name of forwarded) process.off(name, pass)
      done(code ?? 128 + (constants.signals[signal] ?? 0))
    })
  })
}
