/**
 * Numbers as people read them. SI prefixes step by 1000 (kB), IEC by 1024 (KiB).
 */
export interface UnitChoice {
  rateUnit: 'byte' | 'bit'
  unitSystem: 'si' | 'iec'
}

const siPrefixes = ['', 'k', 'M', 'G', 'T', 'P', 'E'] as const
const iecPrefixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const

/** Three significant figures, so that a column of figures keeps its width: `0`, `12`, `3.4k`, `128M`. */
function scaled(value: number, system: UnitChoice['unitSystem']): { figure: string; prefix: string } {
  const step = system === 'si' ? 1000 : 1024
  const prefixes = system === 'si' ? siPrefixes : iecPrefixes
  let power = 0
  let rest = value
  // 999.5 would be rounded to 1000, which belongs to the next prefix.
  while (rest >= (step === 1000 ? 999.5 : 1023.5) && power < prefixes.length - 1) {
    rest /= step
    power += 1
  }
  const digits = power === 0 || rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : 2
  return { figure: rest.toFixed(digits), prefix: prefixes[power] ?? '' }
}

/** Bytes as text: `1.25 MB`. */
export function formatBytes(bytes: number, system: UnitChoice['unitSystem'] = 'si'): string {
  const { figure, prefix } = scaled(bytes, system)
  return `${figure} ${prefix}B`
}

/** A rate given in bytes per second as text: `1.25 MB/s` or `10.0 Mbit/s`. */
export function formatRate(bytesPerSecond: number, choice: UnitChoice): string {
  const isBit = choice.rateUnit === 'bit'
  const { figure, prefix } = scaled(isBit ? bytesPerSecond * 8 : bytesPerSecond, choice.unitSystem)
  return `${figure} ${prefix}${isBit ? 'bit' : 'B'}/s`
}

/** A count with thin spaces between thousands: `1 234 567`. */
export function formatCount(count: number): string {
  return Math.round(count)
    .toString()
    .replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f')
}

/** A duration in the two largest units: `4 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  const days = Math.floor(hours / 24)
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`
}

/** A round-trip time in milliseconds with three significant figures, at most two decimals: `0.42`, `9.61`, `17.8`, `262`. */
export function formatRtt(rttMs: number): string {
  return rttMs.toFixed(rttMs < 9.995 ? 2 : rttMs < 99.95 ? 1 : 0)
}

/** An address with its port as ss prints it: `192.0.2.1:443`, `[2001:db8::1]:443`; without a port the bare address. */
export function formatEndpoint(address: string, port: number): string {
  if (address === '') return ''
  if (port === 0) return address
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
