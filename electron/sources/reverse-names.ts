/**
 * Reverse DNS: names of addresses, asked in the background and remembered.
 */
import { Resolver } from 'node:dns/promises'

/** Least recently asked go first. */
const maxKnown = 4096
/** Asked at once; a hostile path with a new address per probe makes the queue longer, not the load. */
const maxUnderWay = 8
/** Beyond this further addresses stay without a name until they are asked for again. */
const maxWaiting = 512
const keepNameMs = 3_600_000
/** A name server may be back, or a name may have been given. */
const keepNoneMs = 120_000

/** The names of an address; rejects when there are none. */
export type Reverse = (address: string) => Promise<string[]>

interface Known {
  name: string
  untilMs: number
}

/** A resolver reads the list of name servers once; on another network that list is another. */
const keepResolverMs = 60_000

/** Asks the system's name servers; names of /etc/hosts are found too. */
export function systemReverse(): Reverse {
  let resolver: Resolver | null = null
  let madeMs = 0
  return (address) => {
    const nowMs = performance.now()
    if (resolver === null || nowMs - madeMs > keepResolverMs) {
      resolver = new Resolver({ timeout: 2000, tries: 2 })
      madeMs = nowMs
    }
    return resolver.reverse(address)
  }
}

export class ReverseNames {
  readonly #known = new Map<string, Known>()
  /** In the order in which they were asked for. */
  readonly #waiting = new Set<string>()
  readonly #underWay = new Set<string>()
  readonly #settling: (() => void)[] = []

  /** @param found tells that the name of an address is now known; not called when there is none. */
  constructor(
    private readonly reverse: Reverse,
    private readonly nowMs: () => number,
    private readonly found: (address: string) => void,
  ) {}

  /** The name, `''` when there is none or it is not known yet; then it is asked for. */
  nameOf(address: string): string {
    const known = this.#known.get(address)
    if (known !== undefined) {
      this.#known.delete(address)
      this.#known.set(address, known)
    }
    if (known === undefined || known.untilMs <= this.nowMs()) this.#ask(address)
    return known?.name ?? ''
  }

  /** Settles when every question so far has its answer. */
  settled(): Promise<void> {
    if (this.#underWay.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#settling.push(resolve))
  }

  #ask(address: string): void {
    if (this.#waiting.has(address) || this.#underWay.has(address) || this.#waiting.size >= maxWaiting) return
    this.#waiting.add(address)
    this.#next()
  }

  #next(): void {
    for (const address of this.#waiting) {
      if (this.#underWay.size >= maxUnderWay) return
      this.#waiting.delete(address)
      this.#underWay.add(address)
      void this.#lookUp(address)
    }
  }

  async #lookUp(address: string): Promise<void> {
    let name = ''
    try {
      const [first = ''] = await this.reverse(address)
      name = cleanName(first)
    } catch {
      // No name and no answer are the same to whoever reads the table; both are tried again later.
    }
    this.#underWay.delete(address)
    const before = this.#known.get(address)?.name ?? ''
    this.#known.delete(address)
    this.#known.set(address, { name, untilMs: this.nowMs() + (name === '' ? keepNoneMs : keepNameMs) })
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= maxKnown) break
      this.#known.delete(oldest)
    }
    this.#next()
    if (name !== before) this.found(address)
    if (this.#underWay.size === 0) for (const settle of this.#settling.splice(0)) settle()
  }
}

/** Whoever owns the address owns the name: only what a host name may hold is taken (RFC 1123, and the underscore). */
function cleanName(name: string): string {
  const bare = name.replace(/\.$/, '')
  return bare.length <= 253 && /^[\w.-]+$/.test(bare) ? bare : ''
}
