/**
 * Names of local users. Only /etc/passwd is read: a directory service would be asked over the network, by a tool that
 * watches the network.
 */
import { readSystemFile } from './name-file'

/** An unknown uid may belong to a user who was just added; the file is read again for it, but not more often than this. */
const rereadMs = 30_000

/** A map from uid to name; the first name of a uid wins, as in getpwuid(3). */
export function parsePasswd(text: string): Map<number, string> {
  const names = new Map<number, string>()
  for (const line of text.split('\n')) {
    const [name = '', , uidText = ''] = line.split(':')
    if (name === '' || !/^\d+$/.test(uidText)) continue
    const uid = Number(uidText)
    if (!names.has(uid)) names.set(uid, name)
  }
  return names
}

/** Looks names up in the file that `readPasswd` gives. */
export class UserNames {
  #names = new Map<number, string>()
  #readAtMs = -Infinity

  constructor(
    private readonly readPasswd: () => string,
    private readonly nowMs: () => number,
  ) {}

  /** The name of a user, `''` when there is none. */
  nameOf(uid: number): string {
    const name = this.#names.get(uid)
    if (name !== undefined) return name
    if (this.nowMs() - this.#readAtMs < rereadMs) return ''
    this.#readAtMs = this.nowMs()
    this.#names = parsePasswd(this.readPasswd())
    return this.#names.get(uid) ?? ''
  }
}

const systemUsers = new UserNames(
  () => readSystemFile('/etc/passwd'),
  () => performance.now(),
)

/** The name of a user of this system, `''` when there is none. */
export function userName(uid: number): string {
  return systemUsers.nameOf(uid)
}
