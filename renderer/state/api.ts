import type { NetloupeApi } from '../../electron/shared/ipc-schema'

declare global {
  interface Window {
    /** Put there by the preload script. */
    netloupe: NetloupeApi
  }
}

/** The only way out of the window. The stores of this folder use it; nothing else does. */
export const api: NetloupeApi = window.netloupe
