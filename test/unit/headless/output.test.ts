import { describe, expect, it } from 'vitest'
import { printable, problemSentences } from '../../../electron/headless/output'
import { Screen } from '../../../electron/headless/screen'
import { textTable } from '../../../electron/headless/text-table'
import { FakeOutput } from './fake-output'

describe('printable', () => {
  it('lets no process name reach the terminal as a command', () => {
    expect(printable('evil\u001b[2J\u0007\u009b1m\u202eexe')).toBe('evil\ufffd[2J\ufffd\ufffd1m\ufffdexe')
    expect(printable('Zürich 東京 – ok')).toBe('Zürich 東京 – ok')
  })
})

describe('textTable', () => {
  const columns = [
    { title: 'NAME', align: 'left', text: ({ name }: { name: string; size: number }) => name, maxWidth: 6 },
    { title: 'SIZE', align: 'right', text: ({ size }: { name: string; size: number }) => String(size) },
  ] as const

  it('lines columns up, cuts what is too long, and stays harmless', () => {
    const rows = [
      { name: 'a', size: 5 },
      { name: 'much too long', size: 12_345 },
      { name: '\u001b[1m', size: 0 },
    ]
    expect(textTable(columns, rows)).toEqual(['NAME     SIZE', 'a           5', 'much …  12345', '\ufffd[1m        0'])
    expect(textTable(columns, rows, 8)[2]).toBe('much … …')
  })

  it('has a head without rows', () => {
    expect(textTable(columns, [])).toEqual(['NAME  SIZE'])
  })
})

describe('problemSentences', () => {
  it('says a shared fix once', () => {
    const reasons = [
      { code: 'a', detail: 'One.', fix: 'Do this.' },
      { code: 'b', detail: 'Two.', fix: 'Do that.' },
      { code: 'c', detail: 'Three.', fix: 'Do this.' },
      { code: 'd', detail: 'Four.', fix: '' },
    ]
    expect(problemSentences(reasons)).toEqual(['One. Three. Do this.', 'Two. Do that.', 'Four.'])
  })
})

describe('Screen', () => {
  it('draws over itself on a terminal and puts it back', () => {
    const fake = new FakeOutput({ columns: 80, rows: 24 })
    const screen = new Screen(fake.output)
    screen.show(['one', 'two'])
    expect(fake.stdout).toBe('\u001b[?1049h\u001b[?25l\u001b[Hone\u001b[K\r\ntwo\u001b[K\u001b[J')
    fake.stdout = ''
    screen.show(['three'])
    expect(fake.stdout).toBe('\u001b[Hthree\u001b[K\u001b[J')
    fake.stdout = ''
    screen.leave()
    screen.leave()
    expect(fake.stdout).toBe('\u001b[?25h\u001b[?1049l')
  })

  it('prints one report after the other elsewhere, without a single escape', () => {
    const fake = new FakeOutput()
    const screen = new Screen(fake.output)
    screen.show(['one'])
    screen.show(['two'])
    screen.leave()
    expect(fake.stdout).toBe('one\n\ntwo\n\n')
  })
})

describe('Output', () => {
  it('says nothing more to a reader who has gone', async () => {
    const fake = new FakeOutput()
    fake.output.line({ type: 'tick' })
    fake.breakPipe()
    await fake.output.abandoned
    fake.output.line({ type: 'tick' })
    expect(fake.lines).toEqual([{ type: 'tick' }])
  })
})
