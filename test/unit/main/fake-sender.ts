import type { RequestEvent } from '../../../electron/main/ipc/sender'
import { appOrigin } from '../../../electron/main/app-origin'

/** The `webContents.id` of the one window that tests know. */
export const ownWindowId = 7

/** A request of the own window's main frame, changed as `changes` says. */
export function senderEvent(
  changes: { contentsId?: number; frame?: Partial<NonNullable<RequestEvent['senderFrame']>> | null } = {},
): RequestEvent {
  return {
    sender: { id: changes.contentsId ?? ownWindowId },
    senderFrame: changes.frame === null ? null : { origin: appOrigin, parent: null, ...changes.frame },
  }
}
