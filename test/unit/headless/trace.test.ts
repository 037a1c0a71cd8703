import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { Output } from '../../../electron/headless/output'
import { runTrace, type TraceWorld } from '../../../electron/headless/trace-command'
import { addTraceOptions, traceOptions, type TraceFlags } from '../../../electron/headless/trace-options'
import { TraceRounds } from '../../../electron/headless/trace-rounds'
import { connectScripted } from '../../../electron/helper/scripted-helper'
import { scriptedHostAddress, scriptedReverse } from '../../../electron/helper/scripted-names'
import { fail } from '../../../electron/shared/errors'
import { defaultTraceOptions, type ProbeItem, type TraceOptions } from '../../../electron/shared/trace'

function flagsOf(args: string): TraceFlags {
  const command = addTraceOptions(new Command().exitOverride().configureOutput({ writeErr: () => undefined }))
  return { ...command.parse(args.split(' ').filter(Boolean), { from: 'user' }).opts<TraceFlags>(), format: 'jsonl' }
}

const optionsOf = (args: string): Partial<TraceOptions> => traceOptions('host.example', flagsOf(args))

describe('options', () => {
  it('are the defaults with three rounds when none is given', () => {
    expect(optionsOf('')).toEqual({ ...defaultTraceOptions, host: 'host.example', rounds: 3 })
  })

  it.each([
    ['-I', { protocol: 'icmp' }],
    ['-U', { protocol: 'udp' }],
    ['-T -p 443', { protocol: 'tcp', port: 443 }],
    ['--protocol udp --step-port', { protocol: 'udp', stepPort: true }],
    ['-f 3 -m 12 -q 2 -c 0', { firstTtl: 3, maxTtl: 12, probesPerHop: 2, rounds: 0 }],
    ['--wait 500 --interval 250', { waitMs: 500, intervalMs: 250 }],
    ['-w 2.5', { waitMs: 2500 }],
    ['-s 192.0.2.1 -i eth0 -t 16', { sourceAddress: '192.0.2.1', interface: 'eth0', tos: 16 }],
    ['--size 1400 --flows 8 --source-port 5000', { packetBytes: 1400, flows: 8, sourcePort: 5000 }],
    ['-4', { family: 4 }],
    ['--ipv6', { family: 6 }],
  ])('%s', (args, expected) => {
    expect(optionsOf(args)).toMatchObject(expected)
  })

  it.each([
    '-m 0',
    '-m 256',
    '-m x',
    '-w 0',
    '-w 61',
    '--wait 99',
    '-I -T',
    '--protocol udp -T',
    '-4 -6',
    '-w 1 --wait 5000',
  ])('refuse %s', (args) => {
    expect(() => flagsOf(args)).toThrow()
  })
})

describe('rounds', () => {
  const item = (round: number, ttl: number, outcome: ProbeItem['outcome'] = 'reply'): ProbeItem => ({
    traceId: 1,
    round,
    flow: 0,
    ttl,
    sentUs: 0,
    outcome,
  })

  it('are told hop by hop, nearest first, when all probes of the hop are closed', () => {
    const told: string[] = []
    const orders = [
      { round: 1, waitMs: 1, probes: [1, 2, 2, 3].map((ttl) => ({ ttl, flow: 0 })) },
      { round: 2, waitMs: 1, probes: [1, 2, 3].map((ttl) => ({ ttl, flow: 0 })) },
    ]
    const plan = {
      nextProbes: () => orders.shift() ?? null,
      apply: () => undefined,
      nextRoundMs: () => null,
      fail: () => undefined,
    }
    const rounds = new TraceRounds(plan, (round, ttl) => told.push(`${round}:${ttl}`))
    rounds.nextProbes(0)
    rounds.apply([item(1, 3), item(1, 2)], 0)
    expect(told).toEqual([])
    rounds.apply([item(1, 1), item(1, 2, 'duplicate'), item(1, 2, 'late')], 0)
    expect(told).toEqual(['1:1'])
    rounds.nextProbes(0)
    rounds.apply([item(2, 1), item(2, 2), item(2, 3, 'noReply')], 0)
    expect(told).toEqual(['1:1'])
    rounds.apply([item(1, 2, 'noReply')], 0)
    expect(told).toEqual(['1:1', '1:2', '1:3', '2:1', '2:2', '2:3'])
  })
})

/** Runs the command on the scripted helper. */
async function run(host: string, args: string, changes: Partial<TraceWorld> = {}, format: 'jsonl' | 'table' = 'jsonl') {
  let stdout = ''
  let stderr = ''
  const stream = (write: (text: string) => void) => ({
    write: (text: string) => {
      write(text)
      return true
    },
    on: () => undefined,
  })
  const output = new Output(
    stream((text) => (stdout += text)),
    stream((text) => (stderr += text)),
  )
  const world: TraceWorld = {
    connect: connectScripted(),
    resolve: scriptedHostAddress,
    reverse: scriptedReverse,
    databaseDirs: [],
    ...changes,
  }
  const code = await runTrace(host, { ...flagsOf(args), format }, world, output)
  return {
    code,
    stdout,
    stderr,
    lines: () =>
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Line),
  }
}

interface Line {
  type: string
  round: number
  ttl: number
  addresses: string[]
  sent: number
  received: number
  hops: Line[]
  reached: boolean
  destination: string
  rounds: number
}

describe('the command', () => {
  it('writes a line per hop and round, then the summary with the same figures', async () => {
    const { code, lines } = await run('resolver.example', '-c 2 --interval 100 --wait 200')
    expect(code).toBe(0)
    const all = lines()
    const summary = all.at(-1)
    expect(all.map(({ type, round, ttl }) => [type, round, ttl]).slice(0, -1)).toEqual(
      [1, 2].flatMap((round) => [1, 2, 3, 4].map((ttl) => ['hop', round, ttl])),
    )
    expect(summary).toMatchObject({ type: 'summary', destination: '8.8.8.8', reached: true, rounds: 2 })
    expect(summary?.hops.map(({ addresses }) => addresses)).toEqual([
      ['192.0.2.1'],
      ['100.64.12.1'],
      ['62.155.246.86'],
      ['8.8.8.8'],
    ])
    expect(summary?.hops.every(({ sent, received }) => sent === 2 && received === 2)).toBe(true)
  })

  it('prints what traceroute would, and says what databases are missing', async () => {
    const { code, stdout, stderr } = await run('resolver.example', '-c 1 --wait 200', {}, 'table')
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^traceroute to resolver\.example \(8\.8\.8\.8\), 30 hops max, 60 byte packets\n 1 {2}router\.home\.example \(192\.0\.2\.1\) {2}[\d.]+ ms\n/,
    )
    expect(stderr).toContain('Places of addresses are unknown')
  })

  it('asks for no names with -n', async () => {
    const reverse = () => Promise.reject(new Error('A name was asked for.'))
    const { stdout } = await run('resolver.example', '-n -c 1 --wait 200', { reverse }, 'table')
    expect(stdout).toContain('\n 1  192.0.2.1  ')
  })

  it.each([
    ['nobody.example', '', 1, 'does not know the host nobody.example'],
    ['224.0.0.1', '', 1, 'many hosts at once'],
    ['8.8.8.8', '-f 9 -m 3', 2, 'first TTL (-f) 9 is above the max TTL (-m) 3'],
  ])('fails for %s %s with one clear line', async (host, args, expected, sentence) => {
    const { code, stdout, stderr } = await run(host, args)
    expect(code).toBe(expected)
    expect(stdout).toBe('')
    expect(stderr).toContain(sentence)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  it('fails when there is no helper', async () => {
    const connect: TraceWorld['connect'] = () => Promise.resolve(fail('helperMissing', 'There is no helper.'))
    expect(await run('8.8.8.8', '', { connect })).toMatchObject({ code: 1, stderr: 'netloupe: There is no helper.\n' })
  })
})
