/**
 * The commands and their options. Exit codes: 0 done, 1 failed (one clear line on standard error), 2 wrong usage.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { connectProgram } from '../helper/client'
import { hostAddress } from '../sources/host-addresses'
import { systemReverse } from '../sources/reverse-names'
import { addressDatabaseDirs, helperFile } from './layout'
import { runMonitor, type MonitorOptions } from './monitor-command'
import { Output } from './output'
import { runKernelTable, type TableOptions } from './table-command'
import { runTrace } from './trace-command'
import { addTraceOptions, type TraceFlags } from './trace-options'
import { interfaceTable, neighborTable, routeTable, socketTable, type KernelTable } from './kernel-tables'

export const exitCodes = { done: 0, failed: 1, usage: 2 } as const

/** Runs one command line (without `node` and the script) and gives its exit code. */
export async function runCommandLine(args: string[]): Promise<number> {
  const output = new Output(process.stdout, process.stderr)
  let exitCode: number = exitCodes.done
  const program = createProgram(output, async (run) => {
    exitCode = await run
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
  }
}

function createProgram(output: Output, finish: (run: Promise<number>) => Promise<void>): Command {
  const program = new Command('headless')
    .description('Netloupe without a window: who uses the network, and what the kernel knows about it.')
    .exitOverride()
    .configureOutput({
      // One line, whatever commander adds to it.
      outputError: (text, write) => {
        write(`${text.trim().replaceAll(/\s*\n\s*/g, ' ')}\n`)
      },
    })
  program
    .command('monitor')
    .description('traffic per process and connection, live or from a capture file')
    .addOption(interfaceOption('capture this interface, several times for several (default: all that are up)'))
    .option('--loopback', 'capture loopback too', false)
    .addOption(
      new Option('--read <file>', 'read a pcap or pcapng file instead, - for standard input').conflicts([
        'interface',
        'loopback',
      ]),
    )
    .addOption(secondsOption('end after this many seconds'))
    .addOption(new Option('--interval <ms>', 'milliseconds between two reports').default(1000).argParser(intervalMs))
    .option('--flows', 'report every flow too', false)
    .option('--filter <text>', 'report only processes and flows in which every word of the text occurs', '')
    .option('--capture-filter <bpf>', 'capture only what this filter in libpcap’s syntax lets through', '')
    .addOption(formatOption())
    .action((options: MonitorOptions) => finish(runMonitor(options, helperFile, output)))

  const addTable = <Item extends object>(table: KernelTable<Item>, description: string, byInterface: boolean) => {
    const command = program
      .command(table.command)
      .description(description)
      .addOption(secondsOption('watch for this many seconds, reporting what changes'))
      .addOption(formatOption())
    if (byInterface) command.addOption(interfaceOption('only this interface, several times for several'))
    command.action((options: TableOptions) =>
      finish(runKernelTable(table, options, connectProgram({ path: helperFile }), output)),
    )
  }
  addTable(interfaceTable, 'network interfaces with addresses and counters', true)
  addTable(routeTable, 'routes of IPv4 and IPv6', true)
  addTable(socketTable, 'sockets with their processes', false)
  addTable(neighborTable, 'neighbours on the link: ARP and neighbour discovery', true)
  addTraceOptions(
    program.command('trace').argument('<host>', 'name or address').description('the path that packets take to a host'),
  )
    .addOption(formatOption())
    .action((host: string, flags: TraceFlags) => {
      const world = {
        connect: connectProgram({ path: helperFile }),
        resolve: hostAddress,
        reverse: systemReverse(),
        databaseDirs: addressDatabaseDirs,
      }
      return finish(runTrace(host, flags, world, output))
    })
  return program
}

function formatOption(): Option {
  return new Option('--format <format>', 'for people or for programs').choices(['table', 'jsonl']).default('table')
}

function secondsOption(description: string): Option {
  return new Option('--seconds <n>', description).argParser((text) => {
    const seconds = Number(text)
    if (text.trim() === '' || !Number.isFinite(seconds) || seconds <= 0 || seconds > 1_000_000) {
      throw new InvalidArgumentError('It takes a number above 0.')
    }
    return seconds
  })
}

function interfaceOption(description: string): Option {
  return new Option('--interface <name>', description).argParser((text, earlier: string[] | undefined) => {
    const names = text.split(',').map((name) => name.trim())
    if (names.includes('')) throw new InvalidArgumentError('It takes the name of an interface, or several with commas.')
    return [...(earlier ?? []), ...names]
  })
}

function intervalMs(text: string): number {
  const interval = Number(text)
  if (!Number.isInteger(interval) || interval < 100 || interval > 60_000) {
    throw new InvalidArgumentError('It takes 100 to 60000 milliseconds.')
  }
  return interval
}
