import { describe, expect, it } from 'vitest'
import { fake } from './fake-window'
import { hueOf } from '../../../renderer/components/avatar-hue'
import { splitFix } from '../../../renderer/components/fix-command'
import { ownerText, stateDetail, stateText, stateTone } from '../../../renderer/components/flow-words'
import { flowAsText } from '../../../renderer/features/connections/flow-text'
import type { FlowRow } from '../../../electron/shared/views'

const flow = (change: Partial<FlowRow>): FlowRow => ({
  ...(fake.flows[0] as FlowRow),
  ownerId: 3,
  pid: 812,
  process: 'curl',
  protocol: 'TCP',
  localAddress: '2001:db8::7',
  localPort: 40_000,
  remoteAddress: '2001:db8::1',
  remotePort: 443,
  interface: 'eth0',
  state: 'established',
  reason: 'none',
  ended: false,
  endReason: 'alive',
  rxBytes: 5,
  txBytes: 6,
  rxPackets: 1,
  txPackets: 2,
  retransmits: 0,
  handshakeRttMs: 0,
  ...change,
})

describe('a fix', () => {
  it('is split into words and a command that can be copied', () => {
    expect(splitFix('Run this once: sudo setcap cap_net_raw=ep /opt/helper')).toEqual({
      words: 'Run this once:',
      command: 'sudo setcap cap_net_raw=ep /opt/helper',
    })
  })

  it('may be words only', () => {
    expect(splitFix('Close another capture program.')).toEqual({ words: 'Close another capture program.', command: '' })
  })
})

describe('the words for a flow', () => {
  it('name the process, or why there is none', () => {
    expect(ownerText(flow({}))).toBe('curl')
    expect(ownerText(flow({ ownerId: 0, process: '', reason: 'forwarded' }))).toBe('Forwarded')
  })

  it('tell how it stands, and how it ended', () => {
    expect(stateText(flow({}))).toBe('Established')
    expect(stateTone(flow({}))).toBe('open')
    expect(stateText(flow({ ended: true, endReason: 'rst' }))).toBe('Reset')
    expect(stateTone(flow({ ended: true, endReason: 'rst' }))).toBe('failed')
    expect(stateTone(flow({ state: 'synSent' }))).toBe('changing')
    expect(stateText(flow({ protocol: 'UDP', state: 'none' }))).toBe('')
  })

  it('give what is known beyond the state', () => {
    expect(stateDetail(flow({ handshakeRttMs: 12.34, retransmits: 3 }))).toBe(
      'ESTABLISHED, 12 ms handshake, 3 retransmits',
    )
  })

  it('can be pasted into a table', () => {
    expect(flowAsText(flow({}))).toBe(
      'curl (812)\tTCP\t[2001:db8::7]:40000\t[2001:db8::1]:443\tESTABLISHED\t5\t6\t1\t2\teth0',
    )
  })
})

describe('a program’s colour', () => {
  it('stays, and is one of twelve hues', () => {
    expect(hueOf('firefox')).toBe(hueOf('firefox'))
    for (const name of ['', 'a', 'systemd', 'éà'])
      expect([...Array(12).keys()].map((step) => step * 30)).toContain(hueOf(name))
  })
})
