/**
 * Errors as values: a code for programs, a sentence for people, and what they can do about it.
 */

/** Something that did not work. `message` is a whole sentence; `fix` says how to mend it, `''` when nothing can be done. */
export interface Failure {
  code: string
  message: string
  fix: string
}

/** Something that is missing while the rest works, shown until it is mended. */
export interface Degraded {
  code: string
  detail: string
  fix: string
}

/** The outcome of a request that may fail for reasons that the user should read. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; failure: Failure }

export function succeed<T>(value: T): Outcome<T> {
  return { ok: true, value }
}

export function fail<T = never>(code: string, message: string, fix = ''): Outcome<T> {
  return { ok: false, failure: { code, message, fix } }
}

/** A `Failure` that travels as an exception, for code in which every caller up the stack would only pass it on. */
export class FailureError extends Error {
  constructor(readonly failure: Failure) {
    super(failure.fix === '' ? failure.message : `${failure.message} ${failure.fix}`)
    this.name = 'FailureError'
  }
}
