#!/usr/bin/env node
/**
 * `node build/bootstrap.mjs <command>`: sets up what the command needs and runs it. Needs Node >= 20 and nothing else.
 *
 * The scripts in package.json start it with `exec`: npm passes signals to its direct child, and without it that would be
 * a shell that dies of them and leaves this process behind.
 */
import { SetupError, say } from './bootstrap/say.mjs'

const commands = {
  start: () => import('./bootstrap/commands/start.mjs'),
  demo: () => import('./bootstrap/commands/demo.mjs'),
  headless: () => import('./bootstrap/commands/headless.mjs'),
  build: () => import('./bootstrap/commands/build.mjs'),
  test: () => import('./bootstrap/commands/test.mjs'),
  bench: () => import('./bootstrap/commands/bench.mjs'),
  check: () => import('./bootstrap/commands/check.mjs'),
}

const [name = '', ...args] = process.argv.slice(2)
try {
  if (Number(process.versions.node.split('.')[0]) < 20) {
    throw new SetupError(`This is Node ${process.versions.node}.`, 'Install Node 20 or later.')
  }
  if (!Object.hasOwn(commands, name)) {
    throw new SetupError(`There is no command "${name}".`, `Use one of: ${Object.keys(commands).join(', ')}.`, 2)
  }
  const { run } = await commands[name]()
  const code = await run(args)
  // Undefined: the command goes on by itself and sets its own exit code.
  if (code !== undefined) process.exitCode = code
} catch (error) {
  const isExpected = error instanceof SetupError
  // A disk that is full or read-only, a file that is someone else's: the system's own words name path and reason.
  const isFromSystem = typeof error.errno === 'number' && typeof error.path === 'string'
  if (!isExpected && !isFromSystem) throw error
  say(error.message)
  if (error.fix) say(error.fix)
  process.exitCode = error.exitCode ?? 1
}
