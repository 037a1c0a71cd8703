/**
 * The window's only way out: `window.netloupe`, limited to the names of the schema.
 */
import { contextBridge, ipcRenderer, type IpcRendererEvent } from 'electron'
import type { Outcome } from '../shared/errors'
import { eventChannel, events, requestChannel, requests, type NetloupeApi } from '../shared/ipc-schema'

const api: NetloupeApi = {
  async request(name, params) {
    if (!Object.hasOwn(requests, name)) throw new Error(`There is no request "${String(name)}".`)
    const outcome = (await ipcRenderer.invoke(requestChannel, name, params)) as Outcome<never>
    // Only the message of an Error survives the bridge to the page, so code and fix are part of it.
    if (!outcome.ok) throw new Error(`${outcome.failure.message} ${outcome.failure.fix}`.trim())
    return outcome.value
  },
  listen(name, listener) {
    if (!Object.hasOwn(events, name)) throw new Error(`There is no event "${String(name)}".`)
    const forward = (_: IpcRendererEvent, sent: unknown, payload: Parameters<typeof listener>[0]): void => {
      if (sent === name) listener(payload)
    }
    ipcRenderer.on(eventChannel, forward)
    return () => void ipcRenderer.off(eventChannel, forward)
  },
}

contextBridge.exposeInMainWorld('netloupe', api)
