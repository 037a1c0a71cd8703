/**
 * Puts a picture on the clipboard, as the Electron that runs wants it.
 */
import electron, { clipboard, type NativeImage } from 'electron'

/** The clipboard before Electron gave it the web's shape; the types know the new one only. */
interface FormerClipboard {
  writeImage(picture: NativeImage): void
}

export async function writePicture(picture: NativeImage): Promise<void> {
  // A named import of what one of the two does not export would keep the app from starting.
  if ('ClipboardItem' in electron) {
    const png = new Blob([new Uint8Array(picture.toPNG())], { type: 'image/png' })
    await clipboard.write([new electron.ClipboardItem({ 'image/png': png })])
  } else (clipboard as unknown as FormerClipboard).writeImage(picture)
}
