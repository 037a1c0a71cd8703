import type { App, Session, WebContents } from 'electron'
import { describe, expect, it, vi } from 'vitest'
import { confineApp, confineContents, confineSession } from '../../../electron/main/security'

type Decision = { cancel: boolean }
type BeforeRequest = (details: { url: string }, decide: (decision: Decision) => void) => void

/** A session that keeps what it was given. */
function fakeSession() {
  const given: { beforeRequest?: BeforeRequest; ask?: unknown; check?: unknown; device?: unknown } = {}
  const session = {
    webRequest: { onBeforeRequest: (listener: BeforeRequest) => void (given.beforeRequest = listener) },
    setPermissionRequestHandler: (handler: unknown) => void (given.ask = handler),
    setPermissionCheckHandler: (handler: unknown) => void (given.check = handler),
    setDevicePermissionHandler: (handler: unknown) => void (given.device = handler),
  }
  return { given, session: session as unknown as Session }
}

function isCancelled(url: string, allowDevTools = false): boolean {
  const { given, session } = fakeSession()
  confineSession(session, allowDevTools)
  const decide = vi.fn<(decision: Decision) => void>()
  given.beforeRequest?.({ url }, decide)
  expect(decide).toHaveBeenCalledTimes(1)
  return decide.mock.calls[0]?.[0].cancel ?? false
}

describe('requests of the page', () => {
  it('reach the app’s own files', () => {
    expect(isCancelled('app://netloupe/index.html')).toBe(false)
    expect(isCancelled('app://netloupe/assets/index.js?x=1')).toBe(false)
  })

  it.each([
    'https://example.org/',
    'http://127.0.0.1:8080/',
    'ws://localhost/',
    'file:///etc/passwd',
    'ftp://example.org/',
    'app://other/index.html',
    'app://netloupe.example.org/',
    'app://netloupe@example.org/',
    'devtools://devtools/bundled/inspector.html',
    'not a url',
  ])('never reach %s', (url) => {
    expect(isCancelled(url)).toBe(true)
  })

  it('let the developer tools load where they are allowed', () => {
    expect(isCancelled('devtools://devtools/bundled/inspector.html', true)).toBe(false)
    expect(isCancelled('https://devtools.example.org/', true)).toBe(true)
  })
})

describe('permissions', () => {
  it('are all denied, asked for or not', () => {
    const { given, session } = fakeSession()
    confineSession(session, true)
    const decide = vi.fn()
    ;(given.ask as (contents: null, permission: string, decide: (granted: boolean) => void) => void)(
      null,
      'media',
      decide,
    )
    expect(decide.mock.calls).toEqual([[false]])
    expect((given.check as () => boolean)()).toBe(false)
    expect((given.device as () => boolean)()).toBe(false)
  })
})

describe('every page', () => {
  const listeners = new Map<string, (event: { preventDefault(): void }) => void>()
  let openHandler: (() => { action: string }) | undefined
  const contents = {
    on: (name: string, listener: (event: { preventDefault(): void }) => void) => void listeners.set(name, listener),
    setWindowOpenHandler: (handler: () => { action: string }) => void (openHandler = handler),
  } as unknown as WebContents

  it.each(['will-navigate', 'will-frame-navigate', 'will-redirect', 'will-attach-webview'])('is denied %s', (name) => {
    confineContents(contents)
    const preventDefault = vi.fn()
    listeners.get(name)?.({ preventDefault })
    expect(preventDefault).toHaveBeenCalledTimes(1)
  })

  it('is denied a window of its own', () => {
    confineContents(contents)
    expect(openHandler?.()).toEqual({ action: 'deny' })
  })

  it('and every session is confined, also those that nobody meant to make', () => {
    const appListeners = new Map<string, (...args: unknown[]) => void>()
    const appendSwitch = vi.fn()
    confineApp(
      {
        on: (name: string, listener: (...args: unknown[]) => void) => void appListeners.set(name, listener),
        commandLine: { appendSwitch },
      } as unknown as App,
      false,
    )
    const { given, session } = fakeSession()
    appListeners.get('session-created')?.(session)
    expect(given.beforeRequest).toBeDefined()
    listeners.clear()
    appListeners.get('web-contents-created')?.({}, contents)
    expect(listeners.has('will-navigate')).toBe(true)
    expect(appendSwitch).toHaveBeenCalledWith('host-resolver-rules', 'MAP * ~NOTFOUND')
  })
})
