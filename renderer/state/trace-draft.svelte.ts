import { defaultTraceOptions, type TraceOptions } from '../../electron/shared/trace'

/** What the user is about to trace: the field and the options beside it. Kept while other tabs are shown. */
class TraceDraft {
  options = $state.raw<TraceOptions>({ ...defaultTraceOptions, host: '' })

  /** The options that are not as they come, those aside that always stand beside the host. */
  readonly changed = $derived(
    (Object.keys(defaultTraceOptions) as (keyof typeof defaultTraceOptions)[]).filter(
      (key) => key !== 'protocol' && key !== 'port' && this.options[key] !== defaultTraceOptions[key],
    ),
  )

  set(change: Partial<TraceOptions>): void {
    this.options = { ...this.options, ...change }
  }

  /** Back to the options as they come; what is traced stays. */
  reset(): void {
    const { host, protocol, port } = this.options
    this.options = { ...defaultTraceOptions, host, protocol, port }
  }
}

export const traceDraft = new TraceDraft()
