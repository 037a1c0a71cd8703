/**
 * Who the processes are. The helper numbers owners anew in each of its runs; here a process incarnation (pid and start
 * time) keeps one number for the whole session, so that a row, a selection or a chart outlives the helper.
 */
import type { Owner } from '../shared/helper-messages'

/**
 * Processes known at once. At the cap those that have used nothing are forgotten, exited ones first; when all have, newcomers
 * are not taken up and their flows are charged to "Other processes". A fork bomb thus costs names, never memory.
 */
const maxProcesses = 20_000
/** Forgotten at once when the cap is reached, so that the search for them is rare. */
const forgottenPart = 0.1
/** The start times that two runs of the helper compute for one process may differ by this much. */
const startToleranceMs = 1500

export class Process {
  /** Lower-case text that the filter looks at; null when it has to be made again. */
  searchText: string | null = null

  /** `owner.ownerId` is the session's number, not the helper's. */
  constructor(public owner: Owner) {}

  get id(): number {
    return this.owner.ownerId
  }
}

export class ProcessTable {
  /** Also the order of age. */
  readonly #byId = new Map<number, Process>()
  /** The newest incarnation of each pid. */
  readonly #byPid = new Map<number, Process>()
  /** The helper's ownerId, in its present run. */
  #byOwnerId = new Map<number, Process>()
  /** Owner numbers of the present run per process, to forget both together. */
  #ownerIds = new Map<Process, number>()
  #lastId = 0

  /** `isInUse` keeps a process from being forgotten. */
  constructor(
    private readonly isInUse: (process: Process) => boolean,
    private readonly limit = maxProcesses,
  ) {}

  /** The helper starts to number owners from the beginning. */
  beginRun(): void {
    this.#byOwnerId = new Map()
    this.#ownerIds = new Map()
  }

  /** Takes a new or changed owner of the present run. */
  apply(owner: Owner): void {
    const known = this.#byOwnerId.get(owner.ownerId) ?? this.#sameIncarnation(owner)
    if (known === null) {
      if (this.#byId.size >= this.limit && !this.#forgetSome()) return
      const process = this.add(owner)
      this.#byPid.set(owner.pid, process)
      this.#link(owner.ownerId, process)
      return
    }
    known.owner = { ...owner, ownerId: known.id }
    known.searchText = null
    this.#link(owner.ownerId, known)
  }

  /** A process that no helper announced (the row of all others). */
  add(owner: Owner): Process {
    this.#lastId += 1
    const process = new Process({ ...owner, ownerId: this.#lastId })
    this.#byId.set(process.id, process)
    return process
  }

  /** By the helper's number, in its present run. */
  find(ownerId: number): Process | null {
    return this.#byOwnerId.get(ownerId) ?? null
  }

  /** By the session's number. */
  byId(id: number): Process | null {
    return this.#byId.get(id) ?? null
  }

  /** The chain of parents, nearest first, as far as it is known. */
  parents(process: Process): { pid: number; name: string }[] {
    const parents: { pid: number; name: string }[] = []
    const seen = new Set<Process>([process])
    let at = this.#byPid.get(process.owner.parentPid) ?? null
    while (at !== null && !seen.has(at)) {
      seen.add(at)
      parents.push({ pid: at.owner.pid, name: at.owner.name })
      at = this.#byPid.get(at.owner.parentPid) ?? null
    }
    return parents
  }

  #sameIncarnation(owner: Owner): Process | null {
    const process = this.#byPid.get(owner.pid)
    if (process === undefined || this.#ownerIds.has(process)) return null
    return Math.abs(process.owner.startTimeMs - owner.startTimeMs) <= startToleranceMs ? process : null
  }

  #link(ownerId: number, process: Process): void {
    this.#byOwnerId.set(ownerId, process)
    this.#ownerIds.set(process, ownerId)
  }

  /** False when every process is in use. */
  #forgetSome(): boolean {
    const unused = [...this.#byId.values()].filter((process) => !this.isInUse(process))
    // Stable: within the exited and within the running ones the oldest go first.
    unused.sort((a, b) => Number(b.owner.exited) - Number(a.owner.exited))
    for (const process of unused.slice(0, Math.max(1, Math.ceil(this.limit * forgottenPart)))) {
      this.#byId.delete(process.id)
      if (this.#byPid.get(process.owner.pid) === process) this.#byPid.delete(process.owner.pid)
      const ownerId = this.#ownerIds.get(process)
      if (ownerId !== undefined) this.#byOwnerId.delete(ownerId)
      this.#ownerIds.delete(process)
    }
    return unused.length > 0
  }
}
