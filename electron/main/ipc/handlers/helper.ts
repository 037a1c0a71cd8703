import { fail, type Outcome } from '../../../shared/errors'
import type { ActionResult } from '../../../shared/ipc-schema'
import type { Handlers } from '../router'

export interface HelperActions {
  /** Asks for the administrator's password and gives the helper its capabilities. */
  grant(): Promise<Outcome<null>>
  /** Starts the helper anew; a failure says why it does not capture then. */
  restart(): Promise<ActionResult>
}

/** Actions on the helper itself. */
export function helperHandlers(actions: HelperActions): Pick<Handlers, 'helper.grant' | 'helper.restart'> {
  let isGranting = false
  return {
    'helper.grant': async () => {
      if (isGranting) return fail('grantUnderWay', 'The password dialog is already open.')
      isGranting = true
      try {
        const outcome = await actions.grant()
        // Capabilities are read when a program starts, so the helper that runs has none of them.
        return outcome.ok ? await actions.restart() : outcome
      } finally {
        isGranting = false
      }
    },
    'helper.restart': () => actions.restart(),
  }
}
