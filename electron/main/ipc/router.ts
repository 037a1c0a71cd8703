/**
 * The one door between window and main: checks who asks, what is asked and with which parameters, and only then calls
 * the handler. Knows no Electron, so that every refusal is tested without a window.
 */
import * as v from 'valibot'
import { fail, FailureError, succeed, type Outcome } from '../../shared/errors'
import { requests, type RequestName, type RequestParams, type RequestResult } from '../../shared/ipc-schema'
import { isTrustedSender, type RequestEvent } from './sender'
import { validators } from './validators'

/** Who asked, for handlers that keep something per window. */
export interface Asker {
  contentsId: number
}

export type Handler<Name extends RequestName> = (
  params: RequestParams<Name>,
  asker: Asker,
) => RequestResult<Name> | Promise<RequestResult<Name>>

export type Handlers = { [Name in RequestName]: Handler<Name> }

export interface RouterOptions {
  handlers: Handlers
  isKnownWindow: (contentsId: number) => boolean
  /** Told about refused senders and handlers that threw; a line for people. */
  log: (line: string) => void
}

/** Answers one request of a window; never rejects. */
export type Router = (event: RequestEvent, name: unknown, params: unknown) => Promise<Outcome<unknown>>

export function createRouter({ handlers, isKnownWindow, log }: RouterOptions): Router {
  return async (event, name, params) => {
    if (!isTrustedSender(event, isKnownWindow)) {
      log(`Refused a request of the web contents ${event.sender.id}, which is no window of Netloupe's.`)
      return fail('refusedSender', 'This page may not ask Netloupe for anything.')
    }
    if (!isRequestName(name)) return fail('unknownRequest', `There is no request "${String(name).slice(0, 60)}".`)
    try {
      return await answer(handlers, name, params, { contentsId: event.sender.id })
    } catch (error) {
      if (error instanceof FailureError) return { ok: false, failure: error.failure }
      log(`The request "${name}" failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
      return fail('internal', `The request "${name}" failed unexpectedly.`, 'The log has the details.')
    }
  }
}

async function answer<Name extends RequestName>(
  handlers: Handlers,
  name: Name,
  params: unknown,
  asker: Asker,
): Promise<Outcome<RequestResult<Name>>> {
  const checked = v.safeParse(validators[name], params)
  if (!checked.success) {
    const [issue] = checked.issues
    const member = v.getDotPath(issue)
    return fail('badParameters', `The request "${name}" has a bad ${member ?? 'parameter'}: ${issue.message}.`)
  }
  return succeed(await handlers[name](checked.output, asker))
}

function isRequestName(name: unknown): name is RequestName {
  return typeof name === 'string' && Object.hasOwn(requests, name)
}
