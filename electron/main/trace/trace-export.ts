/**
 * Writes a trace out: as text or as a picture, to the clipboard or to a file of the user's choice.
 */
import { writeFile } from 'node:fs/promises'
import { asCsv, asJson, asMtr, asTraceroute } from '../../monitor/trace/text-formats'
import { fail } from '../../shared/errors'
import type { ActionResult } from '../../shared/ipc-schema'
import type { TraceExportFormat, TraceView } from '../../shared/trace'

/** A picture as Electron's NativeImage gives it. */
export interface Picture {
  toPNG(): Uint8Array
}

export interface ExportPorts<Image extends Picture> {
  view(traceKey: number): TraceView | null
  /** What mtr's report calls this machine. */
  localName: string
  /** The window as it is now. */
  picture(): Promise<Image>
  /** Asks where to save; null: the user has thought better of it. */
  askForFile(defaultName: string): Promise<string | null>
  writeText(text: string): void
  writePicture(picture: Image): Promise<void>
}

const endings: Record<TraceExportFormat, string> = {
  traceroute: 'txt',
  mtr: 'txt',
  json: 'json',
  csv: 'csv',
  png: 'png',
}

export class TraceExporter<Image extends Picture> {
  constructor(private readonly ports: ExportPorts<Image>) {}

  /** The trace as it stands when it was asked for, however long the dialog is open. */
  async export(traceKey: number, format: TraceExportFormat, target: 'clipboard' | 'file'): Promise<ActionResult> {
    const view = this.ports.view(traceKey)
    if (view === null) return fail('noSuchTrace', 'This trace is closed.')
    if (format === 'png') {
      const picture = await this.ports.picture()
      if (target === 'file') return this.#save(view, format, picture.toPNG())
      await this.ports.writePicture(picture)
      return { ok: true }
    }
    const text = this.#text(view, format)
    if (target === 'file') return this.#save(view, format, text)
    this.ports.writeText(text)
    return { ok: true }
  }

  #text(view: TraceView, format: Exclude<TraceExportFormat, 'png'>): string {
    switch (format) {
      case 'traceroute':
        return asTraceroute(view, { numeric: false })
      case 'mtr':
        return asMtr(view, this.ports.localName, { numeric: false })
      case 'json':
        return asJson(view)
      case 'csv':
        return asCsv(view)
    }
  }

  async #save(view: TraceView, format: TraceExportFormat, content: string | Uint8Array): Promise<ActionResult> {
    const path = await this.ports.askForFile(`${fileName(view)}.${endings[format]}`)
    if (path === null) return { ok: true }
    try {
      await writeFile(path, content)
      return { ok: true }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      return fail('exportFailed', `The trace could not be saved: ${reason}.`, 'Choose another place.')
    }
  }
}

/** The host is free text: nothing of it may lead out of the folder that the dialog shows. */
function fileName(view: TraceView): string {
  const host = view.options.host
    .replaceAll(/[^\w.:-]/g, '-')
    .replaceAll(':', '-')
    .slice(0, 80)
  const time = new Date(view.startedMs).toISOString().slice(0, 19).replaceAll(':', '')
  return `trace-${host}-${time}`
}
