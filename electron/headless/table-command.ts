/**
 * `interfaces`, `routes`, `sockets`, `neighbors`: a table of the kernel once, or its changes for a while.
 */
import type { Helper, HelperConnector } from '../helper/helper'
import type { Owner } from '../shared/helper-messages'
import type { KernelTable } from './kernel-tables'
import type { Format, Output } from './output'
import { Screen } from './screen'
import { textTable } from './text-table'
import { untilEnd } from './until-end'

export interface TableOptions {
  format: Format
  interface?: string[]
  /** Watch for so long; absent: once. */
  seconds?: number
}

const watchMs = 1000

/** Gives the exit code. */
export async function runKernelTable<Item extends object>(
  table: KernelTable<Item>,
  options: TableOptions,
  connect: HelperConnector,
  output: Output,
  pause: () => Promise<void> = pauseBetweenLooks,
): Promise<number> {
  const owners = new Map<number, Owner>()
  const connected = await connect({
    message: (message) => {
      if (message.type === 'owners') for (const owner of message.items) owners.set(owner.ownerId, owner)
    },
    ended: () => undefined,
  })
  if (!connected.ok) {
    output.complainOf(connected.failure)
    return 1
  }
  const helper = connected.value
  const report = options.format === 'jsonl' ? new JsonTable(table, output) : new PlainTable(table, output)
  try {
    const unknown = await unknownInterface(helper, options)
    if (unknown !== null) {
      output.complain(`There is no interface ${unknown}. See: headless interfaces`)
      return 1
    }
    return await follow(table, options, helper, owners, report, output, pause)
  } finally {
    report.close()
    await helper.close()
  }
}

/** The name of an interface that is asked for and does not exist. */
async function unknownInterface(helper: Helper, options: TableOptions): Promise<string | null> {
  if (options.interface === undefined) return null
  const links = await helper.interfaces()
  if (!links.ok) return null
  return options.interface.find((name) => !links.value.some((link) => link.name === name)) ?? null
}

async function follow<Item extends object>(
  table: KernelTable<Item>,
  options: TableOptions,
  helper: Helper,
  owners: ReadonlyMap<number, Owner>,
  report: ItemReport<Item>,
  output: Output,
  pause: () => Promise<void>,
): Promise<number> {
  const end = untilEnd(options.seconds, output)
  end.startTime()
  let isOver = options.seconds === undefined
  void end.reached.then(() => {
    isOver = true
  })
  try {
    do {
      const items = await table.read(helper, owners)
      if (!items.ok) {
        output.complainOf(items.failure)
        return 1
      }
      report.show(items.value.filter((item) => isWanted(table.interfaces(item), options.interface)))
      if (!isOver) await Promise.race([end.reached, pause()])
    } while (!isOver)
    return 0
  } finally {
    end.cancel()
  }
}

function isWanted(names: (string | undefined)[], wanted: string[] | undefined): boolean {
  return wanted === undefined || names.some((name) => name !== undefined && wanted.includes(name))
}

function pauseBetweenLooks(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, watchMs))
}

interface ItemReport<Item> {
  show(items: Item[]): void
  close(): void
}

/** Every item in the first list; later `new`, `changed` and `gone` ones, so that a watcher reads only what happens. */
class JsonTable<Item extends object> implements ItemReport<Item> {
  #shown: Map<string, { item: Item; text: string }> | null = null

  constructor(
    private readonly table: KernelTable<Item>,
    private readonly output: Output,
  ) {}

  show(items: Item[]): void {
    const before = this.#shown
    const now = new Map<string, { item: Item; text: string }>()
    for (const item of items) {
      const text = JSON.stringify(item)
      const key = this.table.key(item)
      now.set(key, { item, text })
      const known = before?.get(key)
      before?.delete(key)
      if (known?.text === text) continue
      const event = before === null ? {} : { event: known === undefined ? 'new' : 'changed' }
      this.output.line({ type: this.table.type, ...event, ...item })
    }
    for (const { item } of before?.values() ?? []) this.output.line({ type: this.table.type, event: 'gone', ...item })
    this.#shown = now
  }

  close(): void {
    // Nothing was changed on the terminal.
  }
}

class PlainTable<Item extends object> implements ItemReport<Item> {
  readonly #screen: Screen
  #lines: string[] = []
  #count = 0

  constructor(
    private readonly table: KernelTable<Item>,
    private readonly output: Output,
  ) {
    this.#screen = new Screen(output)
  }

  show(items: Item[]): void {
    this.#lines = textTable(this.table.columns, items)
    this.#count += 1
    const { terminal } = this.output
    if (this.#count === 1) {
      // A table that is asked for once stays in the terminal's history.
      this.output.text(`${this.#lines.join('\n')}\n`)
    } else if (terminal === null) {
      this.output.text(`\n${this.#lines.join('\n')}\n`)
    } else {
      this.#screen.show(this.#lines.slice(0, terminal.rows - 1).map((line) => line.slice(0, terminal.columns)))
    }
  }

  close(): void {
    this.#screen.leave()
    if (this.#count > 1 && this.output.terminal !== null) this.output.text(`${this.#lines.join('\n')}\n`)
  }
}
