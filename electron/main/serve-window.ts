/**
 * Ties a window to the feed: from when its page may ask to when it is gone.
 */
import type { BrowserWindow } from 'electron'
import { eventChannel } from '../shared/ipc-schema'
import type { ViewFeed, ViewTarget } from './view-feed'

/** Lets the window's page ask, and feeds it for as long as it is there. */
export function serveWindow(window: BrowserWindow, feed: ViewFeed): void {
  const { webContents } = window
  const { id } = webContents
  const target: ViewTarget = {
    id,
    isShown: () => !window.isDestroyed() && window.isVisible() && !window.isMinimized(),
    send: (name, payload) => {
      if (!webContents.isDestroyed()) webContents.send(eventChannel, name, payload)
    },
  }
  feed.attach(target)
  // A page that is loaded anew has asked for nothing yet.
  webContents.on('did-start-navigation', ({ isMainFrame, isSameDocument }) => {
    if (isMainFrame && !isSameDocument) feed.attach(target)
  })
  const isSeenAgain = (): void => {
    feed.refresh(id)
  }
  window.on('show', isSeenAgain)
  window.on('restore', isSeenAgain)
  window.on('closed', () => {
    feed.detach(id)
  })
}
