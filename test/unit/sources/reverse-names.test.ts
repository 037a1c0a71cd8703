import { beforeEach, describe, expect, it, vi } from 'vitest'
import { ReverseNames } from '../../../electron/sources/reverse-names'

/** A name server that answers when the test says so. */
function setUp() {
  const asked: { address: string; answer: (names: string[]) => void; refuse: () => void }[] = []
  let nowMs = 0
  const found = vi.fn<(address: string) => void>()
  const names = new ReverseNames(
    (address) =>
      new Promise((resolve, reject) => {
        asked.push({
          address,
          answer: resolve,
          refuse: () => {
            reject(new Error('ENOTFOUND'))
          },
        })
      }),
    () => nowMs,
    found,
  )
  return {
    asked,
    names,
    found,
    pass: (ms: number) => {
      nowMs += ms
    },
    settle: () => new Promise((resolve) => setImmediate(resolve)),
  }
}

let parts: ReturnType<typeof setUp>
beforeEach(() => {
  parts = setUp()
})

describe('reverse names', () => {
  it('are asked for once, told when they come and remembered', async () => {
    const { names, asked, found, settle } = parts
    expect(names.nameOf('192.0.2.1')).toBe('')
    expect(names.nameOf('192.0.2.1')).toBe('')
    expect(asked).toHaveLength(1)
    asked[0]?.answer(['gateway.example.org.', 'second.example.org'])
    await settle()
    expect(found.mock.calls).toEqual([['192.0.2.1']])
    expect(names.nameOf('192.0.2.1')).toBe('gateway.example.org')
    expect(asked).toHaveLength(1)
  })

  it('that are missing are asked for again after a while, not at once', async () => {
    const { names, asked, found, settle, pass } = parts
    names.nameOf('192.0.2.1')
    asked[0]?.refuse()
    await settle()
    names.nameOf('192.0.2.1')
    expect(asked).toHaveLength(1)
    expect(found).not.toHaveBeenCalled()
    pass(120_000)
    names.nameOf('192.0.2.1')
    expect(asked).toHaveLength(2)
  })

  it('stay while they are asked for anew', async () => {
    const { names, asked, settle, pass } = parts
    names.nameOf('192.0.2.1')
    asked[0]?.answer(['a.example.org'])
    await settle()
    pass(3_600_000)
    expect(names.nameOf('192.0.2.1')).toBe('a.example.org')
    expect(asked).toHaveLength(2)
  })

  it('are asked for eight at a time, and no more than the queue holds', async () => {
    const { names, asked, settle } = parts
    for (let index = 0; index < 2000; index += 1) names.nameOf(`10.0.${index >> 8}.${index & 255}`)
    expect(asked).toHaveLength(8)
    // The list grows while it is walked: each answer lets the next question out.
    for (const question of asked) {
      question.refuse()
      await settle()
    }
    expect(asked).toHaveLength(8 + 512)
  })

  it.each(['<b>.example.org', 'a b', '\u001b[31mred', 'x'.repeat(254)])(
    'are no names when they are %j',
    async (name) => {
      const { names, asked, found, settle } = parts
      names.nameOf('192.0.2.1')
      asked[0]?.answer([name])
      await settle()
      expect(names.nameOf('192.0.2.1')).toBe('')
      expect(found).not.toHaveBeenCalled()
    },
  )
})
