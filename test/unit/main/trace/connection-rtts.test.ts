import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Helper } from '../../../../electron/helper/helper'
import { ConnectionRtts } from '../../../../electron/main/trace/connection-rtts'
import { succeed } from '../../../../electron/shared/errors'
import type { SocketRecord } from '../../../../electron/shared/helper-messages'
import { FakeClock } from '../fake-clock'

const destination = '198.51.100.9'
const socket = (remoteAddress: string, rttUs: number) => ({ remoteAddress, rttUs }) as SocketRecord

let clock: FakeClock
let wanted: Set<string>
let listed: SocketRecord[]
let sockets: ReturnType<typeof vi.fn>
let changed: ReturnType<typeof vi.fn<(address: string) => void>>
let rtts: ConnectionRtts

beforeEach(() => {
  clock = new FakeClock(1000)
  wanted = new Set([destination])
  listed = []
  sockets = vi.fn(() => Promise.resolve(succeed(listed)))
  changed = vi.fn<(address: string) => void>()
  rtts = new ConnectionRtts({
    helper: () => ({ sockets }) as unknown as Helper,
    clock,
    destinations: () => wanted,
    changed,
  })
})

const pass = async (ms: number) => {
  clock.advance(ms)
  await clock.settle()
}

describe('round-trip times of own connections', () => {
  it('are the fastest to each destination, every two seconds', async () => {
    listed = [
      socket(destination, 40_000),
      socket(destination, 31_000),
      socket('203.0.113.1', 1),
      socket(destination, 0),
    ]
    rtts.watch()
    await pass(0)
    listed = [socket(`::ffff:${destination}`, 32_500)]
    await pass(2000)
    expect(rtts.of(destination)).toEqual([
      { timeMs: 1000, rttMs: 31 },
      { timeMs: 3000, rttMs: 32.5 },
    ])
    expect(rtts.of('203.0.113.1')).toEqual([])
    expect(changed.mock.calls).toEqual([[destination], [destination]])
  })

  it('are not asked for while nothing is traced, and again when something is', async () => {
    rtts.watch()
    rtts.watch()
    await pass(0)
    await pass(2000)
    expect(sockets).toHaveBeenCalledTimes(2)
    wanted = new Set()
    await pass(10_000)
    expect(sockets).toHaveBeenCalledTimes(2)
    wanted = new Set([destination])
    rtts.watch()
    expect(sockets).toHaveBeenCalledTimes(3)
  })

  it('are forgotten with their destination', async () => {
    listed = [socket(destination, 31_000)]
    rtts.watch()
    await pass(0)
    wanted = new Set(['203.0.113.1'])
    await pass(2000)
    expect(rtts.of(destination)).toEqual([])
  })
})
