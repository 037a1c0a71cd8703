/** `monitor --read`: capture files of all common forms, against Wireshark's own count, without privilege. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { runCommand } from '../lab/command'
import { describeLab } from '../lab/describe-lab'
import type { Host } from '../lab/host'
import { Lab } from '../lab/lab'
import { createLabUser, type LabUser } from '../lab/lab-user'
import { LabProcess } from '../lab/lab-process'
import { sum, summaryOf, type SummaryLine } from '../lab/monitor'
import { paths } from '../lab/paths'
import { publicCopy } from '../lab/public-copy'
import { clientScenarios, runScenario } from '../lab/scenarios'
import { buildTools } from '../lab/tools'
import { startTraffic } from '../lab/traffic'
import {
  byteSwapped,
  conversationKey,
  conversationsByTshark,
  totalsByCapinfos,
  type Conversation,
} from './support/capture-file'
import { expectExactSums } from './support/expectations'

function conversationsOf(summary: SummaryLine): Map<string, Conversation> {
  const conversations = new Map<string, Conversation>()
  for (const flow of summary.flows ?? []) {
    if (!['tcp', 'udp'].includes(flow.protocol.toLowerCase())) continue
    const key = conversationKey(
      flow.protocol,
      [flow.localAddress, flow.localPort],
      [flow.remoteAddress, flow.remotePort],
    )
    const conversation = conversations.get(key) ?? { packets: 0, bytes: 0 }
    conversation.packets += flow.rxPackets + flow.txPackets
    conversation.bytes += flow.rxBytes + flow.txBytes
    conversations.set(key, conversation)
  }
  return conversations
}

/** Port of the datagram that is sent last. */
const lastPort = 8199

describeLab('recorded traffic', () => {
  let lab: Lab
  let user: LabUser
  let headless: string
  const path = (name: string): string => join(lab.directory, name)

  /** Reads as an ordinary user: a file takes no privilege. */
  function startReading(file: string): LabProcess {
    const command = ['node', headless, 'monitor', '--format', 'jsonl', '--flows', '--read', file]
    const [program = '', ...args] = [...user.prefix, ...command]
    return new LabProcess(program, args, { env: user.env })
  }

  async function read(file: string, input?: Buffer): Promise<SummaryLine> {
    const process = startReading(file)
    process.stdin.end(input)
    const { code } = await process.exit
    expect(process.stderr).toBe('')
    expect(code).toBe(0)
    return summaryOf(process)
  }

  /** Starts tcpdump, which says on stderr when it captures. */
  async function startCapture(host: Host, file: string, ...options: string[]): Promise<LabProcess> {
    // Its own user may not write into the lab's directory.
    const process = host.spawn('tcpdump', ['-Z', 'root', '--immediate-mode', '-U', '-w', path(file), ...options])
    await process.waitForStderr('listening on')
    return process
  }

  beforeAll(async () => {
    await buildTools()
    lab = await Lab.create()
    user = await createLabUser(lab)
    const copyOf = await publicCopy(lab, [paths.headless, paths.helper])
    headless = copyOf(paths.headless)
    const near = await lab.host('near')
    const far = await lab.host('far')
    const addresses = { near: { 4: '10.60.0.1', 6: 'fd00:60::1' }, far: { 4: '10.60.0.2', 6: 'fd00:60::2' } }
    await lab.link(
      { host: near, interface: 'eth0', addresses: ['10.60.0.1/24', 'fd00:60::1/64'] },
      { host: far, interface: 'eth0', addresses: ['10.60.0.2/24', 'fd00:60::2/64'] },
    )
    const captures = await Promise.all([
      startCapture(near, 'ethernet.pcap', '-i', 'eth0'),
      startCapture(near, 'sll.pcap', '-i', 'any', '-y', 'LINUX_SLL'),
      startCapture(near, 'sll2.pcap', '-i', 'any', '-y', 'LINUX_SLL2'),
    ])
    for (const [index, scenario] of clientScenarios.entries()) {
      const small = { ...scenario, txBytes: scenario.txBytes / 20, rxBytes: scenario.rxBytes / 20 }
      const running = await runScenario(small, near, far, addresses, 8000 + index)
      await running.finish()
    }
    // Datagrams larger than the link: three fragments each.
    const server = startTraffic(far, 'udp-server', { port: 8100, receive: 80_000 })
    await server.ready()
    startTraffic(near, 'udp-client', { connect: '10.60.0.2', port: 8100, send: 40_000, chunk: 4000 })
    startTraffic(near, 'udp-client', { connect: 'fd00:60::2', port: 8100, send: 40_000, chunk: 4000 })
    await server.done()
    // tcpdump drops what it has not read when it is told to end: it is told when it has written the last datagram.
    startTraffic(near, 'udp-client', { connect: '10.60.0.2', port: lastPort, send: 10 })
    for (const name of ['ethernet.pcap', 'sll.pcap', 'sll2.pcap'])
      await vi.waitUntil(
        async () => [...(await conversationsByTshark(path(name))).keys()].some((key) => key.endsWith(` ${lastPort}`)),
        { timeout: 20_000 },
      )
    for (const capture of captures) {
      capture.signal('SIGINT')
      await capture.exit
    }
    await runCommand('editcap', ['-F', 'pcapng', path('ethernet.pcap'), path('ethernet.pcapng')])
    await runCommand('editcap', ['-F', 'nsecpcap', path('ethernet.pcap'), path('nanoseconds.pcap')])
    await runCommand('editcap', ['-s', '96', path('ethernet.pcap'), path('snaplen-96.pcap')])
    await runCommand('tcpdump', ['-r', path('ethernet.pcap'), '-w', path('ip.pcap'), '-Z', 'root', 'ip or ip6'])
    await runCommand('editcap', ['-C', '14', '-L', '-T', 'rawip', path('ip.pcap'), path('raw.pcap')])
    await runCommand('mergecap', [
      '-F',
      'pcapng',
      '-w',
      path('two-links.pcapng'),
      path('ethernet.pcap'),
      path('raw.pcap'),
    ])
    writeFileSync(path('big-endian.pcap'), byteSwapped(readFileSync(path('ethernet.pcap'))))
  })
  afterAll(() => lab.close())

  it.each([
    'ethernet.pcap',
    'ethernet.pcapng',
    'nanoseconds.pcap',
    'big-endian.pcap',
    'snaplen-96.pcap',
    'sll.pcap',
    'sll2.pcap',
    'raw.pcap',
    'two-links.pcapng',
  ])('counts %s as Wireshark does', async (name) => {
    const summary = await read(path(name))
    const [truth, totals] = await Promise.all([conversationsByTshark(path(name)), totalsByCapinfos(path(name))])
    expect(truth.size).toBeGreaterThanOrEqual(clientScenarios.length + 3)
    expect(Object.fromEntries(conversationsOf(summary))).toEqual(Object.fromEntries(truth))
    const captured = sum(summary.interfaces)
    expect(captured.rxPackets + captured.txPackets).toBe(totals.packets)
    expect(captured.rxBytes + captured.txBytes).toBe(totals.bytes)
    expect(summary.processes).toEqual([])
    expectExactSums(summary)
  })

  it('reads standard input', async () => {
    const summary = await read('-', readFileSync(path('ethernet.pcapng')))
    const truth = await conversationsByTshark(path('ethernet.pcapng'))
    expect(Object.fromEntries(conversationsOf(summary))).toEqual(Object.fromEntries(truth))
  })

  it('reads a file without frames', async () => {
    writeFileSync(path('no-frames.pcap'), readFileSync(path('ethernet.pcap')).subarray(0, 24))
    expect(sum((await read(path('no-frames.pcap'))).interfaces)).toEqual(sum([]))
  })

  it('reads a damaged file up to the damage and says where it is', async () => {
    const whole = readFileSync(path('ethernet.pcap'))
    writeFileSync(path('damaged.pcap'), whole.subarray(0, whole.length - 7))
    const process = startReading(path('damaged.pcap'))
    process.endInput()
    expect((await process.exit).code).toBe(1)
    expect(process.stderr.trim().split('\n')).toHaveLength(1)
    const captured = sum(summaryOf(process).interfaces)
    expect(captured.rxPackets + captured.txPackets).toBe((await totalsByCapinfos(path('ethernet.pcap'))).packets - 1)
  })

  it.each([
    ['a text', Buffer.from('This is not a capture file, however long one looks at it.\n')],
    ['an empty file', Buffer.alloc(0)],
    ['random bytes', Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919 + 13) % 251))],
  ])('exits with 1 and one clear line for %s', async (_what, content) => {
    writeFileSync(path('wrong'), content)
    const process = startReading(path('wrong'))
    process.endInput()
    expect((await process.exit).code).toBe(1)
    expect(process.stderr.trim().split('\n')).toHaveLength(1)
    expect(process.stderr).not.toMatch(/\n\s+at /)
  })

  it('exits with 1 and one clear line for a file that is not there', async () => {
    const process = startReading(path('nowhere.pcap'))
    expect((await process.exit).code).toBe(1)
    expect(process.stderr.trim().split('\n')).toHaveLength(1)
    expect(process.stderr).toContain('nowhere.pcap')
  })
})
