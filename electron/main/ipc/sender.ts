/**
 * Who may ask. A renderer that an attacker took over could open frames or load other pages; those must get nothing.
 */
import { appOrigin } from '../app-origin'

/** The parts of Electron's `IpcMainInvokeEvent` that tell who sent it. */
export interface RequestEvent {
  sender: { id: number }
  /** Null when the frame has navigated or gone since it sent. */
  senderFrame: { origin: string; parent: unknown } | null
}

/**
 * Whether a request comes from the main frame of one of the app's own windows, showing the app's own origin.
 *
 * @param isKnownWindow tells the `webContents.id` of own windows.
 */
export function isTrustedSender(event: RequestEvent, isKnownWindow: (contentsId: number) => boolean): boolean {
  try {
    const frame = event.senderFrame
    return frame !== null && frame.parent === null && frame.origin === appOrigin && isKnownWindow(event.sender.id)
  } catch {
    // Electron throws when a frame is looked at after its page has gone.
    return false
  }
}
