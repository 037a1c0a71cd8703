import { MediaQuery } from 'svelte/reactivity'
import { settings } from './settings.svelte'

const dark = new MediaQuery('prefers-color-scheme: dark')

/** What decides the colours. */
export const theme = {
  /** Changes when they do; for what is drawn on a canvas. */
  get id(): string {
    return `${settings.value.theme} ${dark.current}`
  },
}
