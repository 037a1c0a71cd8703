import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { say } from './say.mjs'

const pollMs = 200

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives, and belongs to someone else.
    return error.code === 'EPERM'
  }
}

function tryTake(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    return false
  }
}

/** The pid in a lock file; null when the file has gone, or its owner is between creating it and writing into it. */
function pidIn(file) {
  try {
    return Number(readFileSync(file, 'utf8')) || null
  } catch {
    return null
  }
}

/** Removes the lock of a dead process. Of several that try, one may find that it took away a new holder's lock. */
function removeStale(file, deadPid) {
  const aside = `${file}.${process.pid}`
  try {
    renameSync(file, aside)
    if (pidIn(aside) !== deadPid) linkSync(aside, file)
    rmSync(aside)
  } catch {
    // Another waiter was quicker.
  }
}

/**
 * Runs `work` while no other bootstrap holds the same lock file. Two commands that are started together would otherwise
 * install and build into each other's feet. The lock of a dead process is taken over.
 * @template T
 * @param {string} file
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(file, work) {
  mkdirSync(dirname(file), { recursive: true })
  let hasSaid = false
  while (!tryTake(file)) {
    const holder = pidIn(file)
    if (holder !== null && !isAlive(holder)) {
      removeStale(file, holder)
    } else if (holder !== null && !hasSaid) {
      say(`Another netloupe command (process ${holder}) is setting up; waiting for it.`)
      hasSaid = true
    }
    await delay(pollMs)
  }
  try {
    return await work()
  } finally {
    rmSync(file, { force: true })
  }
}
