import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { withDisplay } from '../bootstrap/display.mjs'
import { at, root } from '../bootstrap/paths.mjs'
import { tallyOfNativeRun } from './tally.mjs'

/**
 * Runs a command in the open, and keeps what it printed.
 * @returns {Promise<{exitCode: number, output: string}>}
 */
function watch(command, env) {
  return new Promise((done) => {
    const child = spawn(command[0], command.slice(1), { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of ['stdout', 'stderr']) {
      child[stream].setEncoding('utf8').on('data', (text) => {
        output += text
        process[stream].write(text)
      })
    }
    child.on('error', (error) => done({ exitCode: 1, output: String(error) }))
    child.on('close', (code) => done({ exitCode: code ?? 1, output }))
  })
}

async function native({ env }) {
  const { exitCode, output } = await watch(
    ['make', '--no-print-directory', `-j${availableParallelism()}`, '-C', at('native'), 'test'],
    env,
  )
  return tallyOfNativeRun(output, exitCode)
}

/** @param {string} project @param {(command: string[]) => string[]} [wrap] */
function vitest(project, wrap = (command) => command) {
  return async ({ env, filters }) => {
    const tallyFile = at('test-results', `${project}.json`)
    mkdirSync(at('test-results'), { recursive: true })
    rmSync(tallyFile, { force: true })
    const reporters = ['--reporter=default', `--reporter=${at('build/test/tally-reporter.mjs')}`]
    const command = [process.execPath, at('node_modules/vitest/vitest.mjs'), 'run', '--project', project, ...reporters]
    const { exitCode } = await watch(wrap([...command, ...filters]), { ...env, NETLOUPE_TALLY: tallyFile })
    // No tally: vitest never came to run a test, because there is none or because it broke before.
    if (!existsSync(tallyFile)) return { passed: 0, failed: 1, skipped: [] }
    const tally = JSON.parse(readFileSync(tallyFile, 'utf8'))
    return exitCode !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally
  }
}

/** The kinds of tests, in the order of what they cost. `needs` is what the bootstrap sets up for them. */
export const kinds = {
  native: { needs: ['helper'], run: native },
  unit: { needs: [], run: vitest('unit') },
  integration: { needs: ['helper', 'headless', 'lab'], run: vitest('integration') },
  e2e: { needs: ['app', 'helper', 'headless', 'lab'], run: vitest('e2e', withDisplay) },
}
