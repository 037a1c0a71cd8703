import { describe, expect, it, vi } from 'vitest'
import { createRouter, type Handlers } from '../../../electron/main/ipc/router'
import { FailureError } from '../../../electron/shared/errors'
import { requests, type RequestName } from '../../../electron/shared/ipc-schema'
import { defaultSettings } from '../../../electron/shared/views'
import { ownWindowId, senderEvent } from './fake-sender'

/** Handlers that all answer with their name, so that a test sees whether and with what one was called. */
function setUp(changes: Partial<Handlers> = {}) {
  const called = vi.fn()
  const names = Object.keys(requests) as RequestName[]
  const handlers = Object.fromEntries(
    names.map((name) => [
      name,
      (params: unknown, asker: unknown) => {
        called(name, params, asker)
        return name
      },
    ]),
  ) as unknown as Handlers
  const log = vi.fn()
  const router = createRouter({
    handlers: { ...handlers, ...changes },
    isKnownWindow: (id) => id === ownWindowId,
    log,
  })
  return { router, called, log }
}

const processesQuery = {
  sort: { column: 'rxRate', descending: true },
  filter: '',
  offset: 0,
  limit: 50,
  holdOrder: false,
}

describe('who may ask', () => {
  it('answers the main frame of an own window', async () => {
    const { router, called } = setUp()
    expect(await router(senderEvent(), 'status.query', null)).toEqual({ ok: true, value: 'status.query' })
    expect(called).toHaveBeenCalledWith('status.query', null, { contentsId: ownWindowId })
  })

  it.each([
    ['web contents that are no own window', senderEvent({ contentsId: 8 })],
    ['another origin in the own window', senderEvent({ frame: { origin: 'https://example.org' } })],
    ['a file in the own window', senderEvent({ frame: { origin: 'file://' } })],
    ['an origin that begins like the own', senderEvent({ frame: { origin: 'app://netloupe.example.org' } })],
    ['another host of the own scheme', senderEvent({ frame: { origin: 'app://other' } })],
    ['a sandboxed frame, whose origin is opaque', senderEvent({ frame: { origin: 'null' } })],
    ['a frame inside the page, even of the own origin', senderEvent({ frame: { parent: {} } })],
    ['a frame that has gone', senderEvent({ frame: null })],
  ])('refuses %s', async (_, event) => {
    const { router, called, log } = setUp()
    for (const name of Object.keys(requests)) {
      expect(await router(event, name, null)).toMatchObject({ ok: false, failure: { code: 'refusedSender' } })
    }
    expect(called).not.toHaveBeenCalled()
    expect(log).toHaveBeenCalled()
  })

  it('refuses a frame that Electron no longer lets one look at', async () => {
    const { router, called } = setUp()
    const event = {
      sender: { id: ownWindowId },
      get senderFrame(): never {
        throw new Error('Render frame was disposed before WebFrameMain could be accessed')
      },
    }
    expect(await router(event, 'status.query', null)).toMatchObject({ failure: { code: 'refusedSender' } })
    expect(called).not.toHaveBeenCalled()
  })
})

describe('what may be asked', () => {
  it.each(['nothing', '', 'toString', '__proto__', 'constructor', 3, null, {}, ['status.query']])(
    'refuses the name %j',
    async (name) => {
      const { router, called } = setUp()
      expect(await router(senderEvent(), name, null)).toMatchObject({ failure: { code: 'unknownRequest' } })
      expect(called).not.toHaveBeenCalled()
    },
  )

  it.each<[RequestName, unknown]>([
    ['status.query', {}],
    ['status.query', undefined],
    ['processes.query', null],
    ['processes.query', { ...processesQuery, limit: 301 }],
    ['processes.query', { ...processesQuery, limit: 1.5 }],
    ['processes.query', { ...processesQuery, offset: -1 }],
    ['processes.query', { ...processesQuery, offset: Number.NaN }],
    ['processes.query', { ...processesQuery, filter: 'x'.repeat(501) }],
    ['processes.query', { ...processesQuery, sort: { column: 'age', descending: true } }],
    ['processes.query', { ...processesQuery, sort: { column: 'constructor', descending: true } }],
    ['processes.query', { ...processesQuery, more: 1 }],
    ['connections.query', processesQuery],
    ['connections.query', { ...processesQuery, group: 'udp' }],
    ['chart.query', { subject: '0' }],
    ['process.end', { ownerId: 1 }],
    ['process.end', { ownerId: 1, force: 'no' }],
    ['process.end', { ownerId: Infinity, force: true }],
    ['settings.set', { theme: 'pink' }],
    ['settings.set', { theme: undefined }],
    ['settings.set', { unknown: true }],
    ['clipboard.write', { text: 'x'.repeat((1 << 20) + 1) }],
    ['helper.grant', { path: '/bin/sh' }],
  ])('refuses %s with %j', async (name, params) => {
    const { router, called } = setUp()
    const outcome = await router(senderEvent(), name, params)
    expect(outcome).toMatchObject({ ok: false, failure: { code: 'badParameters' } })
    expect(called).not.toHaveBeenCalled()
  })

  it('names the member that is wrong', async () => {
    const { router } = setUp()
    const outcome = await router(senderEvent(), 'processes.query', {
      ...processesQuery,
      sort: { column: 'rxRate', descending: 1 },
    })
    expect(outcome).toMatchObject({ failure: { message: expect.stringContaining('sort.descending') } })
  })

  it.each<[RequestName, unknown]>([
    ['processes.query', { ...processesQuery, limit: 300 }],
    ['connections.query', { ...processesQuery, group: 'nonTcp' }],
    ['settings.set', {}],
    ['settings.set', { ...defaultSettings, theme: 'dark' }],
    ['process.end', { ownerId: 12, force: false }],
  ])('passes %s with %j on unchanged', async (name, params) => {
    const { router, called } = setUp()
    expect(await router(senderEvent(), name, params)).toEqual({ ok: true, value: name })
    expect(called).toHaveBeenCalledWith(name, params, expect.anything())
  })
})

describe('what comes back', () => {
  it('hands on a failure that a handler throws', async () => {
    const failure = { code: 'full', message: 'There is no room.', fix: 'Make some.' }
    const { router } = setUp({
      'settings.get': () => {
        throw new FailureError(failure)
      },
    })
    expect(await router(senderEvent(), 'settings.get', null)).toEqual({ ok: false, failure })
  })

  it('keeps the words of an unexpected error to the log', async () => {
    const { router, log } = setUp({ 'settings.get': () => Promise.reject(new Error('secret path')) })
    const outcome = await router(senderEvent(), 'settings.get', null)
    expect(outcome).toMatchObject({ ok: false, failure: { code: 'internal' } })
    expect(JSON.stringify(outcome)).not.toContain('secret path')
    expect(log).toHaveBeenCalledWith(expect.stringContaining('secret path'))
  })
})
