/**
 * What a window may never do, whatever page it shows: leave the application, open windows, reach the network, ask for
 * permissions. Works the same for windows and sessions that nobody meant to make.
 */
import type { App, Session, WebContents } from 'electron'
import { isAppUrl } from './app-origin'

/** Refuses every request of a session's pages that is not for the app's own files, and every permission. */
export function confineSession(session: Pick<Session, SessionMembers>, allowDevTools: boolean): void {
  session.webRequest.onBeforeRequest((details, decide) => {
    const isDevTools = allowDevTools && details.url.startsWith('devtools://')
    decide({ cancel: !isAppUrl(details.url) && !isDevTools })
  })
  session.setPermissionRequestHandler((_contents, _permission, decide) => {
    decide(false)
  })
  session.setPermissionCheckHandler(() => false)
  session.setDevicePermissionHandler(() => false)
}

type SessionMembers =
  'webRequest' | 'setPermissionRequestHandler' | 'setPermissionCheckHandler' | 'setDevicePermissionHandler'

/** Keeps every page where it is: no navigation, redirect, new window or embedded page. */
export function confineContents(contents: Pick<WebContents, 'on' | 'setWindowOpenHandler'>): void {
  contents.on('will-navigate', (event) => {
    event.preventDefault()
  })
  contents.on('will-frame-navigate', (event) => {
    event.preventDefault()
  })
  contents.on('will-redirect', (event) => {
    event.preventDefault()
  })
  contents.on('will-attach-webview', (event) => {
    event.preventDefault()
  })
  contents.setWindowOpenHandler(() => ({ action: 'deny' }))
}

/** Call before the app is ready. */
export function confineApp(app: Pick<App, 'on' | 'commandLine'>, allowDevTools: boolean): void {
  // The browser's own network stack is never needed. Without names, not even its background services get anywhere,
  // and a network monitor does not find itself in its list.
  app.commandLine.appendSwitch('host-resolver-rules', 'MAP * ~NOTFOUND')
  app.on('session-created', (session) => {
    confineSession(session, allowDevTools)
  })
  app.on('web-contents-created', (_event, contents) => {
    confineContents(contents)
  })
}
