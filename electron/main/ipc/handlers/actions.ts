import type { Owner } from '../../../shared/helper-messages'
import type { ActionResult } from '../../../shared/ipc-schema'
import type { Handlers } from '../router'

export interface ActionPorts {
  owner(ownerId: number): Owner | null
  endProcess(owner: Owner | null, force: boolean): ActionResult
  writeClipboard(text: string): void
}

/** What the user does with a row. */
export function actionHandlers(ports: ActionPorts): Pick<Handlers, 'process.end' | 'clipboard.write'> {
  return {
    'process.end': ({ ownerId, force }) => ports.endProcess(ports.owner(ownerId), force),
    'clipboard.write': ({ text }) => {
      ports.writeClipboard(text)
      return null
    },
  }
}
