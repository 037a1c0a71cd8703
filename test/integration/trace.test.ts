/** Traces over routers in namespaces, compared with traceroute(8), mtr(8) and what the routers themselves count. */
import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeLab } from '../lab/describe-lab'
import { Lab } from '../lab/lab'
import { buildChain, buildDiamond, families, routeOver, type Chain, type Diamond, type Family } from '../lab/topology'
import {
  mtr,
  seenHops,
  spawnTrace,
  trace,
  traceroute,
  traceSummary,
  type HopLine,
  type Protocol,
  type SeenHop,
} from '../lab/tracers'
import { timeExceeded, withRules } from './support/router-rules'

const hasOthers = ['traceroute', 'mtr'].every((program) => {
  try {
    execFileSync('which', [program], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})
const others = hasOthers ? 'traceroute and mtr' : 'traceroute and mtr (skipped: not both are installed)'

const protocols: readonly Protocol[] = ['icmp', 'udp', 'tcp']
const everyKind = families.flatMap((family) => protocols.map((protocol) => ({ family, protocol })))

/** Rounds quick enough for a test; all paths here are shorter than a millisecond. */
const quick = ['--interval', '100', '--wait', '500']

const answered = (addresses: readonly string[]): SeenHop[] =>
  addresses.map((address) => ({ addresses: [address], marks: [] }))

describeLab('a chain of 12 hops', () => {
  const hopCount = 12
  const silentHop = 5
  let lab: Lab
  let chain: Chain

  beforeAll(async () => {
    lab = await Lab.create()
    chain = await buildChain(lab, hopCount)
  })
  afterAll(() => lab.close())

  const target = (family: Family): string => chain.hops[family][hopCount - 1] as string
  const router = (hop: number): Chain['far'] => chain.routers[hop - 1] as Chain['far']

  it.each(everyKind)('is seen in order, by $protocol in IPv$family', async ({ family, protocol }) => {
    const summary = await trace(chain.near, target(family), ['--protocol', protocol, '--rounds', '10', ...quick])
    expect(seenHops(summary)).toEqual(answered(chain.hops[family]))
    expect(summary).toMatchObject({ destination: target(family), reached: true, stopReason: 'destination', rounds: 10 })
    for (const hop of summary.hops) expect(hop).toMatchObject({ sent: 10, received: 10, lost: 0, lossPct: 0 })
    expect(summary.sentences.map(({ code }) => code)).toEqual(['destinationAnswers'])
  })

  describe.skipIf(!hasOthers)(others, () => {
    it.each(everyKind)('see the same, by $protocol in IPv$family', async ({ family, protocol }) => {
      await withRules(router(silentHop), { hook: 'output', matches: timeExceeded, action: 'drop' }, async () => {
        const seen = seenHops(await trace(chain.near, target(family), ['--protocol', protocol, ...quick]))
        expect(seen[silentHop - 1]).toEqual({ addresses: [], marks: [] })
        expect(seen).toEqual(await traceroute(chain.near, target(family), protocol))
        const hubs = await mtr(chain.near, target(family), protocol)
        expect(seen.map(({ addresses: [address = ''] }) => address)).toEqual(hubs.map(({ address }) => address))
      })
    })
  })

  it.each(families)(
    'a hop that answers every other time loses half, and the hops behind it nothing, in IPv%i',
    async (family) => {
      const rules = {
        hook: 'output',
        matches: timeExceeded.map((match) => `${match} numgen inc mod 2 0`),
        action: 'drop',
      } as const
      await withRules(router(7), rules, async (dropped) => {
        const { hops, sentences } = await trace(chain.near, target(family), ['--rounds', '10', ...quick])
        expect(await dropped()).toBe(5)
        expect(hops.map(({ lost }) => lost)).toEqual(chain.hops[family].map((_, index) => (index === 6 ? 5 : 0)))
        expect(hops[6]).toMatchObject({ sent: 10, received: 5, lossPct: 50, addresses: [chain.hops[family][6]] })
        expect(sentences).toContainEqual(expect.objectContaining({ code: 'hopLimitsReplies', ttl: 7 }))
        if (!hasOthers) return
        const hubs = await mtr(chain.near, target(family), 'icmp', 10)
        expect(hubs.map(({ lossPct }) => lossPct)).toEqual(hops.map(({ lossPct }) => lossPct))
      })
    },
  )

  it('a hop that limits its replies is told from loss', async () => {
    const matches = timeExceeded.map((match) => `${match} limit rate over 1/second burst 1 packets`)
    await withRules(router(4), { hook: 'output', matches, action: 'drop' }, async (dropped) => {
      const { hops, sentences } = await trace(chain.near, target(4), ['--rounds', '20', ...quick])
      expect(hops[3]?.lost).toBe(await dropped())
      expect(hops[3]?.lost).toBeGreaterThan(10)
      expect(hops.filter(({ lost }) => lost > 0)).toHaveLength(1)
      expect(sentences).toContainEqual(expect.objectContaining({ code: 'hopLimitsReplies', ttl: 4 }))
    })
  })

  it.each(families)('loss on a link is seen from there on, in IPv%i', async (family) => {
    // Every third packet, so that what is lost is spread over the hops behind.
    const matches = [`meta l4proto { icmp, ipv6-icmp } iifname "from8" numgen inc mod 3 0`]
    await withRules(router(8), { hook: 'forward', matches, action: 'drop' }, async (dropped) => {
      const args = ['--rounds', '20', '--max-ttl', String(hopCount), ...quick]
      const { hops, sentences } = await trace(chain.near, target(family), args)
      expect(hops.slice(0, 8).map(({ lost }) => lost)).toEqual(Array(8).fill(0))
      const lost = hops.map((hop) => hop.lost).reduce((sum, value) => sum + value)
      expect(lost).toBe(await dropped())
      expect(lost).toBeGreaterThan(20)
      expect(sentences).toContainEqual(expect.objectContaining({ code: 'lossBegins', ttl: 9 }))
    })
  })

  it.each(
    families.flatMap((family) =>
      [
        { mark: '!X', reason: 'admin-prohibited' },
        { mark: '!H', reason: family === 4 ? 'host-unreachable' : 'addr-unreachable' },
      ].map((refusal) => ({ family, ...refusal })),
    ),
  )('a router that refuses with $mark ends the path, in IPv$family', async ({ family, mark, reason }) => {
    const name = family === 4 ? 'icmp' : 'icmpv6'
    const matches = [`${family === 4 ? 'ip' : 'ip6'} daddr ${target(family)}`]
    await withRules(router(9), { hook: 'forward', matches, action: `reject with ${name} type ${reason}` }, async () => {
      const summary = await trace(chain.near, target(family), ['--protocol', 'udp', ...quick])
      const refuser = chain.hops[family][8] as string
      expect(seenHops(summary)).toEqual([
        ...answered(chain.hops[family].slice(0, 9)),
        { addresses: [refuser], marks: [mark] },
      ])
      expect(summary).toMatchObject({ reached: false, stopReason: 'unreachable' })
      expect(summary.sentences).toContainEqual(expect.objectContaining({ code: 'unreachable' }))
      if (hasOthers) expect(seenHops(summary)).toEqual(await traceroute(chain.near, target(family), 'udp'))
    })
  })

  it.each(families)('a hop that answers from another address is shown under it, in IPv%i', async (family) => {
    const other = family === 4 ? '10.99.0.3' : 'fd00:99::3'
    const [network, gateway] = family === 4 ? ['10.60.1.0/24', '10.60.3.1'] : ['fd00:60:1::/64', 'fd00:60:3::1']
    await router(3).addAddress('lo', `${other}/${family === 4 ? 32 : 128}`)
    await router(3).ip(`-${family}`, 'route', 'replace', network, 'via', gateway, 'src', other)
    try {
      const seen = seenHops(await trace(chain.near, target(family), quick))
      expect(seen).toEqual(answered(chain.hops[family].map((address, index) => (index === 2 ? other : address))))
      if (hasOthers) expect(seen).toEqual(await traceroute(chain.near, target(family), 'icmp'))
    } finally {
      await router(3).ip(`-${family}`, 'route', 'replace', network, 'via', gateway)
    }
  })
})

/** Who may answer at each hop of several paths, sorted. */
function addressesByHop(paths: readonly (readonly string[])[]): string[][] {
  const hopCount = Math.max(...paths.map(({ length }) => length))
  return Array.from({ length: hopCount }, (_, index) => [...new Set(paths.map((path) => path[index] ?? ''))].toSorted())
}

describe.each([2, 4])('with %i branches', (branchCount) => {
  describeLab('a diamond', () => {
    let lab: Lab
    let diamond: Diamond

    beforeAll(async () => {
      lab = await Lab.create()
      diamond = await buildDiamond(lab, branchCount)
    })
    afterAll(() => lab.close())

    const target = (family: Family): string => diamond.hops(family, 0)[3] as string
    /** The branches that probes have met, by the routers' own count of their answers, in the order of the branches. */
    async function branchesUsed(body: () => Promise<void>, next = 0): Promise<boolean[]> {
      const branch = diamond.branches[next]
      if (branch === undefined) {
        await body()
        return []
      }
      return withRules(branch, { hook: 'output', matches: timeExceeded, action: 'accept' }, async (matched) => {
        const later = await branchesUsed(body, next + 1)
        return [(await matched()) > 0, ...later]
      })
    }

    it.each(families.flatMap((family) => (['udp', 'tcp'] as const).map((protocol) => ({ family, protocol }))))(
      'every branch that flows take is found, by $protocol in IPv$family',
      async ({ family, protocol }) => {
        let summary: Awaited<ReturnType<typeof trace>> | undefined
        const used = await branchesUsed(async () => {
          summary = await trace(diamond.near, target(family), ['--protocol', protocol, '--flows', '8', ...quick])
        })
        const paths = diamond.branches.map((_, branch) => diamond.hops(family, branch))
        const expected = addressesByHop(paths.filter((_, branch) => used[branch]))
        // That 8 flows take one branch of two happens once in 128 runs; what must agree is what was found and used.
        expect(summary?.hops.map(({ addresses }) => addresses.toSorted())).toEqual(expected)
        const branches = summary?.hops[1]
        // One flow, one branch: three rounds of each met one address.
        for (const flow of branches?.flows ?? []) expect(flow).toMatchObject({ sent: 3, received: 3, lost: 0 })
        const ofBranch = summary?.graph.nodes.filter(({ ttl }) => ttl === 2) ?? []
        expect(ofBranch.map(({ address }) => address).toSorted()).toEqual(expected[1])
        expect(ofBranch.flatMap(({ flows }) => flows).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
        expect(summary?.events.filter(({ kind }) => kind === 'pathChanged')).toEqual([])
        if (used.filter(Boolean).length > 1) expect(summary?.sentences.map(({ code }) => code)).toContain('branches')
      },
    )

    it.each(families)('a path that moves to another branch is an event, in IPv%i', async (family) => {
      const [pathBefore, pathAfter] = [diamond.hops(family, 0), diamond.hops(family, 1)]
      const [before, after] = [pathBefore[1] as string, pathAfter[1] as string]
      await routeOver(diamond, [0])
      try {
        const process = spawnTrace(diamond.near, target(family), ['--protocol', 'udp', '--rounds', '0', ...quick])
        const secondHop = (address: string, from: number, count: number): Promise<number> => {
          let seen = 0
          return process.waitFor(
            `hop 2 at ${address}`,
            (line) => {
              const hop = JSON.parse(line) as HopLine
              const isThere = hop.type === 'hop' && hop.ttl === 2 && hop.flows[0]?.address === address
              seen += isThere ? 1 : 0
              return seen === count ? hop.round : undefined
            },
            from,
          )
        }
        const lastBefore = await secondHop(before, 0, 2)
        await routeOver(diamond, [1])
        await secondHop(after, 0, 5)
        process.signal('SIGINT')
        const summary = await traceSummary(process)
        const changes = summary.events.filter(({ kind }) => kind === 'pathChanged')
        const moved = pathBefore.flatMap((from, index) => {
          const to = pathAfter[index]
          return from === to ? [] : [{ ttl: index + 1, from, to }]
        })
        expect(changes.map(({ ttl, from, to }) => ({ ttl, from, to }))).toEqual(moved)
        expect(changes[0]?.round).toBeGreaterThan(lastBefore)
        expect(summary.sentences.map(({ code }) => code)).toContain('pathChanged')
        expect(summary.hops.map(({ addresses }) => addresses.toSorted())).toEqual(
          addressesByHop([pathBefore, pathAfter]),
        )
      } finally {
        await routeOver(diamond, [...diamond.branches.keys()])
      }
    })
  })
})
