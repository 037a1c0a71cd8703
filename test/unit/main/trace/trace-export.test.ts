import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { TraceExporter } from '../../../../electron/main/trace/trace-export'
import { defaultTraceOptions, type TraceView } from '../../../../electron/shared/trace'

const view = {
  traceKey: 1,
  options: { ...defaultTraceOptions, host: '../../etc/passwd' },
  destination: '198.51.100.9',
  startedMs: Date.UTC(2026, 0, 2, 3, 4, 5),
  hops: [],
  addresses: {},
} as unknown as TraceView
const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47])

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'netloupe-export-'))
})
afterEach(() => {
  rmSync(dir, { recursive: true })
})

function setUp(choose: (name: string) => string | null = (name) => join(dir, name)) {
  const asked: string[] = []
  const ports = {
    view: (traceKey: number) => (traceKey === 1 ? view : null),
    localName: 'vm',
    picture: () => Promise.resolve({ toPNG: () => png }),
    askForFile: (name: string) => {
      asked.push(name)
      return Promise.resolve(choose(name))
    },
    writeText: vi.fn<(text: string) => void>(),
    writePicture: vi.fn(() => Promise.resolve()),
  }
  return { exporter: new TraceExporter(ports), ports, asked }
}

describe('export', () => {
  it('puts texts and pictures on the clipboard', async () => {
    const { exporter, ports } = setUp()
    expect(await exporter.export(1, 'traceroute', 'clipboard')).toEqual({ ok: true })
    expect(await exporter.export(1, 'mtr', 'clipboard')).toEqual({ ok: true })
    expect(await exporter.export(1, 'png', 'clipboard')).toEqual({ ok: true })
    expect(ports.writeText.mock.calls[0]?.[0]).toMatch(/^traceroute to /)
    expect(ports.writeText.mock.calls[1]?.[0]).toContain('HOST: vm')
    expect(ports.writePicture).toHaveBeenCalledTimes(1)
  })

  it.each(['traceroute', 'mtr', 'json', 'csv', 'png'] as const)('saves %s where the user says', async (format) => {
    const { exporter, asked } = setUp()
    expect(await exporter.export(1, format, 'file')).toEqual({ ok: true })
    const content = readFileSync(join(dir, asked[0] ?? ''))
    expect(content.length).toBeGreaterThan(0)
    if (format === 'png') expect(new Uint8Array(content)).toEqual(png)
  })

  it('proposes a name that stays in its folder', async () => {
    const { exporter, asked } = setUp()
    await exporter.export(1, 'json', 'file')
    expect(asked).toEqual(['trace-..-..-etc-passwd-2026-01-02T030405.json'])
  })

  it('writes nothing when the dialog is closed', async () => {
    const { exporter } = setUp(() => null)
    expect(await exporter.export(1, 'csv', 'file')).toEqual({ ok: true })
    expect(existsSync(join(dir, 'trace'))).toBe(false)
  })

  it('says why it failed', async () => {
    const { exporter } = setUp(() => join(dir, 'missing', 'trace.csv'))
    expect(await exporter.export(1, 'csv', 'file')).toMatchObject({ failure: { code: 'exportFailed' } })
    expect(await exporter.export(2, 'csv', 'file')).toMatchObject({ failure: { code: 'noSuchTrace' } })
  })
})
