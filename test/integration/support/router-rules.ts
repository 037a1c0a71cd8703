import type { Host } from '../../lab/host'

const table = 'inet lab_rules'

/** The answers that a router gives in its own name to probes that end at it. */
export const timeExceeded = ['icmp type time-exceeded', 'icmpv6 type time-exceeded'] as const

/** What a router does to packets: in a hook, each rule counts what it matches and then acts. */
export interface RouterRules {
  hook: 'output' | 'forward'
  matches: readonly string[]
  /** Statement after the match and its counter, such as `drop`. */
  action: string
}

/** Sets rules on a router while `body` runs; `matched` tells how many packets they have met so far. */
export async function withRules<T>(
  router: Host,
  { hook, matches, action }: RouterRules,
  body: (matched: () => Promise<number>) => Promise<T>,
): Promise<T> {
  await router.nft(`table ${table} {
counter matched {
}
chain rules {
type filter hook ${hook} priority 0; policy accept;
${matches.map((match) => `${match} counter name matched ${action}`).join('\n')}
}
}
`)
  try {
    return await body(async () => {
      const text = await router.run('nft', ['list', 'counter', ...table.split(' '), 'matched'])
      const packets = /packets (\d+)/.exec(text)?.[1]
      if (packets === undefined) throw new Error(`nftables tells no count: ${text}`)
      return Number(packets)
    })
  } finally {
    await router.run('nft', ['delete', 'table', ...table.split(' ')])
  }
}
