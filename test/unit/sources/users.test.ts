import { describe, expect, it } from 'vitest'
import { parsePasswd, UserNames, userName } from '../../../electron/sources/users'

describe('users', () => {
  it('are read from lines of passwd(5), the first name of a uid first', () => {
    const text =
      'root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/root:/bin/sh\nada:x:1000:1000:Ada,,,:/home/ada:/bin/bash\nbroken\n:x:3:\nplus:x::\n'
    expect([...parsePasswd(text)]).toEqual([
      [0, 'root'],
      [1000, 'ada'],
    ])
  })

  it('are read again for a user who was just added, but not for each question', () => {
    let reads = 0
    let nowMs = 0
    let text = 'ada:x:1000:'
    const names = new UserNames(
      () => {
        reads += 1
        return text
      },
      () => nowMs,
    )
    expect([names.nameOf(1000), names.nameOf(1001), names.nameOf(1001)]).toEqual(['ada', '', ''])
    expect(reads).toBe(1)
    text += '\nbob:x:1001:'
    nowMs = 30_000
    expect([names.nameOf(1001), names.nameOf(1000)]).toEqual(['bob', 'ada'])
    expect(reads).toBe(2)
  })

  it('are those of this system', () => {
    expect(userName(0)).toBe('root')
  })
})
