/**
 * The options of `trace`, under long names and under the letters that users of traceroute(8) and mtr(8) have in their fingers.
 */
import { InvalidArgumentError, Option, type Command } from 'commander'
import {
  defaultTraceOptions,
  traceOptionRanges,
  traceProtocols,
  type TraceOptions,
  type TraceProtocol,
} from '../shared/trace'
import type { Format } from './output'

/** What commander gives. */
export interface TraceFlags {
  protocol?: TraceProtocol
  icmp?: boolean
  udp?: boolean
  tcp?: boolean
  port?: number
  sourcePort?: number
  stepPort?: boolean
  firstTtl?: number
  maxTtl?: number
  wait?: number
  /** `-w`, in seconds as in traceroute(8). */
  w?: number
  interval?: number
  rounds?: number
  queries?: number
  flows?: number
  size?: number
  tos?: number
  source?: string
  interface?: string
  ipv4?: boolean
  ipv6?: boolean
  numeric: boolean
  format: Format
}

/** Enough to tell a lost packet from a silent hop. */
const defaultRounds = 3

export function addTraceOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--protocol <name>', 'what to send').choices(traceProtocols).conflicts(['icmp', 'udp', 'tcp']),
    )
    .addOption(new Option('-I, --icmp', 'ICMP echo requests (the default)').conflicts(['udp', 'tcp']))
    .addOption(new Option('-U, --udp', 'UDP datagrams').conflicts(['icmp', 'tcp']))
    .addOption(new Option('-T, --tcp', 'TCP SYN').conflicts(['icmp', 'udp']))
    .addOption(ranged('-p, --port <n>', 'destination port (default: 33434 for udp, 80 for tcp)', 'port'))
    .addOption(ranged('--source-port <n>', 'source port', 'sourcePort'))
    .option('--step-port', 'udp: a new destination port per probe, in place of a constant one per flow')
    .addOption(ranged('-f, --first-ttl <n>', 'first TTL', 'firstTtl'))
    .addOption(ranged('-m, --max-ttl <n>', 'last TTL', 'maxTtl'))
    .addOption(ranged('--wait <ms>', 'milliseconds to wait for an answer', 'waitMs').conflicts('w'))
    .addOption(new Option('-w <seconds>', 'the same in seconds').argParser(waitMs))
    .addOption(ranged('--interval <ms>', 'milliseconds from round to round', 'intervalMs'))
    .addOption(ranged('-c, --rounds <n>', `rounds, 0 until stopped (default: ${defaultRounds})`, 'rounds'))
    .addOption(ranged('-q, --queries <n>', 'probes per hop, flow and round', 'probesPerHop'))
    .addOption(ranged('--flows <n>', 'flows at once, to see balanced paths', 'flows'))
    .addOption(ranged('--size <bytes>', 'size of the whole IP packet', 'packetBytes'))
    .addOption(ranged('-t, --tos <n>', 'type of service or traffic class', 'tos'))
    .option('-s, --source <address>', 'source address')
    .option('-i, --interface <name>', 'interface to send on')
    .addOption(new Option('-4, --ipv4', 'IPv4 only').conflicts('ipv6'))
    .addOption(new Option('-6, --ipv6', 'IPv6 only').conflicts('ipv4'))
    .option('-n, --numeric', 'no names of addresses', false)
}

/** The options of a trace; what is not given is the default. */
export function traceOptions(host: string, flags: TraceFlags): TraceOptions {
  const given = {
    port: flags.port,
    sourcePort: flags.sourcePort,
    stepPort: flags.stepPort,
    firstTtl: flags.firstTtl,
    maxTtl: flags.maxTtl,
    waitMs: flags.wait ?? flags.w,
    intervalMs: flags.interval,
    probesPerHop: flags.queries,
    flows: flags.flows,
    packetBytes: flags.size,
    tos: flags.tos,
    sourceAddress: flags.source,
    interface: flags.interface,
  }
  const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  const letter = flags.tcp === true ? 'tcp' : flags.udp === true ? 'udp' : 'icmp'
  return {
    ...defaultTraceOptions,
    ...known,
    rounds: flags.rounds ?? defaultRounds,
    host,
    protocol: flags.protocol ?? letter,
    family: flags.ipv4 === true ? 4 : flags.ipv6 === true ? 6 : 'any',
  }
}

function ranged(flags: string, description: string, option: keyof typeof traceOptionRanges): Option {
  const { min, max } = traceOptionRanges[option]
  return new Option(flags, description).argParser((text) => {
    const value = Number(text)
    if (text.trim() === '' || !Number.isInteger(value) || value < min || value > max) {
      throw new InvalidArgumentError(`It takes a whole number from ${min} to ${max}.`)
    }
    return value
  })
}

function waitMs(text: string): number {
  const { min, max } = traceOptionRanges.waitMs
  const value = Math.round(Number(text) * 1000)
  if (text.trim() === '' || !(value >= min && value <= max)) {
    throw new InvalidArgumentError(`It takes ${min / 1000} to ${max / 1000} seconds.`)
  }
  return value
}
