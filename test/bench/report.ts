import Table from 'cli-table3'
import { isMet, type BenchResults } from './results'

const plain = { head: [], border: [] }
const count = (value: number): string => Math.round(value).toLocaleString('en-US')

/** Everything as tables for people. */
export function report(results: BenchResults): string {
  const { machine } = results
  const parts = [`${machine.cpus} x ${machine.cpu}, Linux ${machine.kernel}, Node ${machine.node}, ${machine.date}`]
  if (results.cpu !== undefined) {
    const table = new Table({
      head: [
        'transport',
        'rate asked',
        'flows',
        'program',
        'frames/s sent',
        'packets',
        'dropped',
        'ns/packet',
        'sustained',
        'ratio',
        'sustained ratio',
      ],
      colAligns: ['left', 'right', 'right', 'left', 'right', 'right', 'right', 'right', 'right', 'right', 'right'],
      style: plain,
    })
    for (const row of results.cpu) {
      const own = results.cpu.find(
        ({ contender, transport, rate, flows }) =>
          contender === 'netloupe' && transport === row.transport && rate === row.rate && flows === row.flows,
      )
      const ratios =
        own === undefined || own === row
          ? ['', '']
          : [
              (own.cpuNsPerPacket / row.cpuNsPerPacket).toFixed(2),
              (own.sustainedNsPerPacket / row.sustainedNsPerPacket).toFixed(2),
            ]
      table.push([
        row.transport,
        row.rate === 0 ? 'full speed' : count(row.rate),
        count(row.flows),
        row.contender,
        count(row.sentPerSecond),
        count(row.packets),
        row.dropped === null ? '?' : count(row.dropped),
        row.cpuNsPerPacket.toFixed(0),
        row.sustainedNsPerPacket.toFixed(0),
        ...ratios,
      ])
    }
    parts.push(
      'CPU time per packet, over the whole run and after every flow has begun; the ratios are netloupe / program',
      table.toString(),
    )
  }
  const targets = new Table({ head: ['target', 'measured', 'at most', ''], style: plain })
  for (const target of results.targets)
    targets.push([
      target.name,
      `${Number(target.measured.toPrecision(3))} ${target.unit}`,
      `${target.limit} ${target.unit}`,
      isMet(target) ? 'met' : 'MISSED',
    ])
  parts.push(targets.toString())
  return parts.join('\n\n')
}
