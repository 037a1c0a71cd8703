/**
 * The books: every byte is in exactly one account, a process's or a reason's, and all accounts add up to `captured`.
 * Captured flows and, in the reduced mode, the kernel's socket counters are kept in two separate ledgers.
 */
import type { Reason } from '../shared/words'
import type { Process, ProcessTable } from './process-table'
import { RateWindow } from './rate-window'
import { Tally } from './tally'
import { Unattributed } from './unattributed'

/**
 * Processes with an account of their own. At the cap those that have been quiet for longest, exited ones first, are
 * closed and their bytes go to "Other processes"; when nobody is quiet, newcomers are charged there at once. The sums hold
 * either way, and many short-lived processes cost only their names.
 */
const maxAccounts = 10_000
/** Accounts closed at once when the cap is reached. */
const closedPart = 0.05

/** What one process has used. */
export class ProcessAccount extends Tally {
  constructor(
    parent: Tally,
    readonly process: Process,
  ) {
    super(parent)
  }

  /** All that was charged here has moved elsewhere. */
  get isEmpty(): boolean {
    return this.flows === 0 && this.rxPackets + this.txPackets + this.rxBytes + this.txBytes === 0
  }

  get isQuiet(): boolean {
    return this.flows === 0 && this.rxWindowBytes === 0 && this.txWindowBytes === 0
  }
}

export class Ledger {
  readonly captured = new Tally(null)
  readonly unattributed = new Unattributed(this.captured)
  readonly window = new RateWindow()
  readonly #accounts = new Map<Process, ProcessAccount>()
  #others: ProcessAccount | null = null

  constructor(
    private readonly processes: ProcessTable,
    private readonly limit = maxAccounts,
  ) {}

  /** The account of flows that the helper charges to `ownerId` (0: nobody, for `reason`). */
  account(ownerId: number, reason: Reason): Tally {
    if (ownerId === 0) return this.unattributed.account(reason)
    const process = this.processes.find(ownerId)
    // The helper knows an owner that is forgotten here: certainly a process, so not unattributed.
    return process === null ? this.others() : this.#accountOf(process)
  }

  accountOf(process: Process): ProcessAccount | null {
    return this.#accounts.get(process) ?? null
  }

  /** All processes that have used anything. */
  get accounts(): IterableIterator<ProcessAccount> {
    return this.#accounts.values()
  }

  get accountCount(): number {
    return this.#accounts.size
  }

  /** The account of all processes without one of their own. */
  others(): ProcessAccount {
    if (this.#others === null) {
      const process = this.processes.add({
        ownerId: 0,
        pid: 0,
        startTimeMs: 0,
        parentPid: 0,
        name: 'Other processes',
        exe: '',
        commandLine: '',
        uid: 0,
        user: '',
        cgroup: '',
        exited: false,
      })
      this.#others = new ProcessAccount(this.captured, process)
      this.#accounts.set(process, this.#others)
    }
    return this.#others
  }

  #accountOf(process: Process): ProcessAccount {
    const known = this.#accounts.get(process)
    if (known !== undefined) return known
    if (this.#accounts.size >= this.limit && !this.#closeQuiet()) return this.others()
    const account = new ProcessAccount(this.captured, process)
    this.#accounts.set(process, account)
    return account
  }

  /** False when every process is busy. */
  #closeQuiet(): boolean {
    const others = this.others()
    const quiet = [...this.#accounts.values()].filter((account) => account.isQuiet && account !== others)
    quiet.sort(
      (a, b) => Number(b.process.owner.exited) - Number(a.process.owner.exited) || a.lastActiveMs - b.lastActiveMs,
    )
    for (const account of quiet.slice(0, Math.max(1, Math.ceil(this.limit * closedPart)))) {
      const figures = { ...account }
      account.merge(figures, 0, -1)
      others.merge(figures, 0, 1)
      this.#accounts.delete(account.process)
    }
    return quiet.length > 0
  }
}
