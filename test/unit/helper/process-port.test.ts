import { chmodSync, mkdirSync, mkdtempSync, openSync, closeSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkProgram, startProgram, type HelperProcess } from '../../../electron/helper/process-port'

let directory: string
const path = (name: string) => join(directory, name)

function script(name: string, body: string, mode = 0o755): string {
  writeFileSync(path(name), `#!/bin/sh\n${body}\n`)
  chmodSync(path(name), mode)
  return path(name)
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'netloupe-process-port-'))
})
afterEach(() => {
  rmSync(directory, { recursive: true })
})

function run(program: { path: string; readFd?: number }, act: (process: HelperProcess) => void = () => undefined) {
  return new Promise<{ output: string; logs: string[]; code: number | null; signal: string | null; failure: unknown }>(
    (resolve) => {
      let output = ''
      const logs: string[] = []
      const process = startProgram(program)({
        data: (chunk) => {
          output += Buffer.from(chunk).toString()
        },
        log: (line) => logs.push(line),
        exited: (exit) => {
          resolve({ output, logs, ...exit })
        },
      })
      act(process)
    },
  )
}

describe('startProgram', () => {
  it('gives the helper no arguments and no environment', async () => {
    const program = script('helper', 'echo "arguments: $#"; cat /proc/$$/environ; pwd')
    const { output, code } = await run({ path: program })
    expect(output).toBe('arguments: 0\n/\n')
    expect(code).toBe(0)
  })

  it('hands a file over as descriptor 3, with the one argument that says so', async () => {
    writeFileSync(path('capture'), 'recorded')
    const fd = openSync(path('capture'), 'r')
    try {
      const { output } = await run({ path: script('helper', 'echo "$@"; cat <&3'), readFd: fd })
      expect(output).toBe('--read\nrecorded')
    } finally {
      closeSync(fd)
    }
  })

  it('carries bytes both ways and asks to end by closing the input', async () => {
    const { output, code } = await run({ path: script('helper', 'exec cat') }, (process) => {
      process.write(Buffer.from('there and back'))
      process.closeInput()
    })
    expect(output).toBe('there and back')
    expect(code).toBe(0)
  })

  it('tells what the helper says to people, and how it ended', async () => {
    const { logs, code } = await run({ path: script('helper', 'echo one >&2; echo two >&2; exit 7') })
    expect(logs).toEqual(['one', 'two'])
    expect(code).toBe(7)
  })

  it('kills, and survives being used afterwards', async () => {
    let process: HelperProcess | null = null
    const { signal } = await run({ path: script('helper', 'exec cat') }, (started) => {
      process = started
      started.kill()
    })
    expect(signal).toBe('SIGKILL')
    const gone = process as HelperProcess | null
    gone?.write(Buffer.from('nobody is there'))
    gone?.closeInput()
    gone?.kill()
  })

  it('says that a program cannot be started', async () => {
    const { failure } = await run({ path: path('nowhere') })
    expect(failure).toMatchObject({ code: 'helperNotStarted' })
  })
})

describe('checkProgram', () => {
  it('accepts a file of one’s own that nobody else can change', async () => {
    expect(await checkProgram(script('helper', ''))).toEqual({ ok: true, value: null })
  })

  it.each([
    ['nothing', 'helperMissing', () => undefined],
    ['a directory', 'helperNotAFile', () => mkdirSync(path('helper'))],
    ['a symbolic link', 'helperNotAFile', () => symlinkSync('/bin/true', path('helper'))],
    ['a file that others may change', 'helperNotTrusted', () => script('helper', '', 0o757)],
    ['a file that may not be run', 'helperNotExecutable', () => script('helper', '', 0o644)],
  ])('refuses %s', async (_what, code, make) => {
    make()
    expect(await checkProgram(path('helper'))).toMatchObject({ ok: false, failure: { code } })
  })
})
