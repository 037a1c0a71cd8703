import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { at, root } from './paths.mjs'

/** Calls `visit` with every regular file at or below a path inside `base`, in a fixed order. */
function walk(base, path, visit) {
  const status = statSync(join(base, path), { throwIfNoEntry: false })
  if (status?.isFile()) visit(path)
  if (!status?.isDirectory()) return
  for (const name of readdirSync(join(base, path)).sort()) walk(base, join(path, name), visit)
}

/**
 * A digest of names and contents, so that neither a checkout nor a copy counts as a change.
 * @param {string[]} inputs files and directories inside `base`; one that does not exist counts as empty
 */
export function digest(inputs, base = root) {
  const hash = createHash('sha256').update(process.version)
  for (const input of inputs) {
    walk(base, input, (file) => {
      const content = readFileSync(join(base, file))
      hash.update(`\0${file}\0${content.length}\0`).update(content)
    })
  }
  return hash.digest('hex')
}

const stampFile = (name) => at('out/.stamps', name)

/** Whether `outputs` exist and were made from inputs of this digest. */
export function isFresh(name, inputsDigest, outputs) {
  const file = stampFile(name)
  return (
    outputs.every((output) => existsSync(at(output))) && existsSync(file) && readFileSync(file, 'utf8') === inputsDigest
  )
}

/** To be called before a build: a build that is cut short leaves no stamp of an earlier one. */
export function clearStamp(name) {
  rmSync(stampFile(name), { force: true })
}

export function writeStamp(name, inputsDigest) {
  mkdirSync(at('out/.stamps'), { recursive: true })
  writeFileSync(stampFile(name), inputsDigest)
}
