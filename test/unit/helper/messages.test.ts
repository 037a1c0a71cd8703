import { describe, expect, it } from 'vitest'
import { readFlowBatch } from '../../../electron/helper/flow-batch'
import { check, pageItems, readControl } from '../../../electron/helper/messages'
import { readSocketBatch } from '../../../electron/helper/socket-batch'

const read = (value: unknown) => readControl(Buffer.from(JSON.stringify(value)))
const tick = { type: 'tick', tick: 1, timeMs: 2, interfaces: [], lookup: { pending: 0, overloaded: 0 } }

describe('readControl', () => {
  it('leaves out members of a later version', () => {
    const message = read({ ...tick, news: 1, lookup: { ...tick.lookup, news: 2 } })
    expect(message).toEqual({ ok: true, value: { kind: 'event', event: tick } })
  })

  it('passes over events of a later version', () => {
    expect(read({ type: 'weather', sunny: true })).toEqual({ ok: true, value: null })
  })

  it.each([
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['text that is not JSON', Buffer.from('{"type":')],
  ])('refuses %s', (_what, payload) => {
    expect(readControl(payload)).toMatchObject({ ok: false, failure: { code: 'badJson' } })
  })

  it.each([
    ['a missing member', { type: 'tick', tick: 1 }, 'timeMs'],
    ['a negative count', { ...tick, tick: -1 }, 'tick'],
    ['a fraction', { ...tick, lookup: { pending: 0.5, overloaded: 0 } }, 'lookup.pending'],
    ['a wrong kind', { ...tick, interfaces: 'all' }, 'interfaces'],
    ['a token that is none', { type: 'reply', token: 0, result: {} }, 'token'],
  ])('names the member that is wrong: %s', (_what, value, member) => {
    const message = read(value)
    expect(message.ok).toBe(false)
    if (!message.ok) {
      expect(message.failure.code).toBe('badMessage')
      expect(message.failure.message).toContain(`(${member})`)
    }
  })

  it.each([['null'], ['[]'], ['"tick"'], ['7'], ['{"type":7}']])('refuses %s', (text) => {
    expect(readControl(Buffer.from(text)).ok).toBe(false)
  })
})

describe('pages', () => {
  it('are checked item by item', () => {
    const neighbor = {
      family: 4,
      address: '192.0.2.1',
      linkLayerAddress: '',
      interface: 'eth0',
      nudState: 'STALE',
      router: false,
    }
    expect(check(pageItems.neighbors, [neighbor], 'list')).toEqual({ ok: true, value: [neighbor] })
    expect(check(pageItems.neighbors, [neighbor, { ...neighbor, family: 5 }], 'list').ok).toBe(false)
  })
})

describe('batches', () => {
  const header = (recordSize: number, count: number, bytes: number, reserved = 0) => {
    const payload = new DataView(new ArrayBuffer(bytes))
    if (bytes >= 16) {
      payload.setUint16(4, recordSize, true)
      payload.setUint16(6, reserved, true)
      payload.setUint32(8, count, true)
    }
    return new Uint8Array(payload.buffer)
  }

  it.each([
    ['too short for a header', header(0, 0, 15)],
    ['records shorter than 1.0 has them', header(80, 1, 96)],
    ['fewer bytes than records', header(152, 2, 16 + 152)],
    ['more bytes than records', header(152, 1, 16 + 153)],
    ['a count that overflows', header(0xffff, 0xffffffff, 16)],
    ['a filled reserve', header(152, 0, 16, 1)],
  ])('are refused: %s', (_what, payload) => {
    expect(readFlowBatch(payload)).toMatchObject({ ok: false, failure: { code: 'badFrame' } })
    expect(readSocketBatch(payload.slice(0, 16 + 79)).ok).toBe(false)
  })

  it('may be empty', () => {
    expect(readFlowBatch(header(152, 0, 16))).toMatchObject({ ok: true, value: { count: 0 } })
  })
})
