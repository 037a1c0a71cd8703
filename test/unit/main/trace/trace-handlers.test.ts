import { describe, expect, it, vi } from 'vitest'
import * as v from 'valibot'
import { traceHandlers } from '../../../../electron/main/ipc/handlers/traces'
import { validators } from '../../../../electron/main/ipc/validators'
import { fail, succeed } from '../../../../electron/shared/errors'
import { defaultTraceOptions } from '../../../../electron/shared/trace'

const asker = { contentsId: 1 }
const options = { ...defaultTraceOptions, host: 'host.example' }

describe('starting a trace', () => {
  it('answers with its key, or with what is wrong', async () => {
    const start = vi.fn(() => Promise.resolve(succeed(7)))
    const refuse = () => Promise.resolve(fail('unknownHost', 'The host is unknown.'))
    const rest = { control: vi.fn(), export: vi.fn() }
    const feed = { queryTraces: vi.fn(), queryTrace: vi.fn(), releaseTrace: vi.fn() }
    expect(await traceHandlers({ ...rest, start }, feed)['trace.start'](options, asker)).toEqual({
      ok: true,
      traceKey: 7,
    })
    expect(await traceHandlers({ ...rest, start: refuse }, feed)['trace.start'](options, asker)).toMatchObject({
      ok: false,
      failure: { code: 'unknownHost' },
    })
  })
})

describe('what the window may ask of traces', () => {
  const takes = (name: 'trace.start' | 'trace.control' | 'trace.export', params: unknown) =>
    v.safeParse(validators[name], params).success

  it('is every option, with nothing missing and nothing besides', () => {
    expect(takes('trace.start', options)).toBe(true)
    expect(takes('trace.start', { ...options, host: 5 })).toBe(false)
    expect(takes('trace.start', { ...options, host: 'x'.repeat(501) })).toBe(false)
    expect(takes('trace.start', { ...options, family: 5 })).toBe(false)
    expect(takes('trace.start', { ...options, protocol: 'sctp' })).toBe(false)
    expect(takes('trace.start', { ...options, shell: 'sh' })).toBe(false)
    for (const name of Object.keys(options)) {
      expect(takes('trace.start', Object.fromEntries(Object.entries(options).filter(([key]) => key !== name)))).toBe(
        false,
      )
    }
  })

  it('names no file', () => {
    expect(takes('trace.export', { traceKey: 1, format: 'csv', target: 'file' })).toBe(true)
    expect(takes('trace.export', { traceKey: 1, format: 'csv', target: 'file', path: '/etc/passwd' })).toBe(false)
    expect(takes('trace.export', { traceKey: 1, format: 'csv', target: '/etc/passwd' })).toBe(false)
    expect(takes('trace.control', { traceKey: 1, action: 'explode' })).toBe(false)
  })
})
