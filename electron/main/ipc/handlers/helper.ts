import type { Outcome } from '../../../shared/errors'
import { fail } from '../../../shared/errors'
import type { Handlers } from '../router'

export interface HelperActions {
  /** Asks for the administrator's password and gives the helper its capabilities. */
  grant(): Promise<Outcome<null>>
  restart(): Promise<void>
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
        if (!outcome.ok) return outcome
        // Capabilities are read when a program starts, so the helper that runs has none of them.
        await actions.restart()
        return { ok: true }
      } finally {
        isGranting = false
      }
    },
    'helper.restart': async () => {
      await actions.restart()
      return { ok: true }
    },
  }
}
