/** Who started a replay, and whether that process still lives: what decides about the removal of a container must not guess. */
import { createHash } from 'node:crypto'
import fs from 'node:fs/promises'
import os from 'node:os'
import { hostLabel, ownerLabel, type ReplayOwner } from './replay-plan.ts'

/** This process. */
export async function ownIdentity(): Promise<ReplayOwner> {
  const [startTime, bootId, machine] = await Promise.all([
    startTimeOf(process.pid),
    bootIdentity(),
    fs.readFile('/etc/machine-id', 'utf8').catch(() => ''),
  ])
  // Several machines may be called the same and use one engine.
  const suffix = machine.trim() === '' ? '' : `.${createHash('sha256').update(machine.trim()).digest('hex').slice(0, 8)}`
  return { pid: process.pid, startTime: startTime ?? '', bootId, host: os.hostname() + suffix }
}

/**
 * `gone`: certainly no more. `alive`, and `unknown` (another machine, another numbering of processes, a label that is
 * not ours) both mean hands off.
 */
export async function ownerState(labels: Readonly<Record<string, string>>, own: ReplayOwner): Promise<'gone' | 'alive' | 'unknown'> {
  const match = /^(\d+):([^:]*):([^:]*)$/.exec(labels[ownerLabel] ?? '')
  if (match === null || labels[hostLabel] !== own.host) return 'unknown'
  const [, pid, startTime = '', bootId = ''] = match
  const [boot, numbering] = bootId.split('/')
  const [ownBoot, ownNumbering] = own.bootId.split('/')
  if (boot !== ownBoot) return 'gone'
  if (numbering !== ownNumbering) return 'unknown'
  if (!exists(Number(pid))) return 'gone'
  const now = await startTimeOf(Number(pid))
  if (now === null) return exists(Number(pid)) ? 'unknown' : 'gone'
  return startTime === '' || now === startTime ? 'alive' : 'gone'
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}

/** Clock ticks since boot on Linux; elsewhere what `ps` says, without blanks and colons. Null: cannot be told. */
async function startTimeOf(pid: number): Promise<string | null> {
  if (process.platform === 'linux') {
    const stat = await fs.readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
    // The name in brackets may hold anything; field 22 counts from the start, 20 from behind the bracket.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? []
    // A zombie is gone: only its parent has not looked yet.
    return fields[0] === 'Z' || fields[0] === 'X' ? 'ended' : (fields[19] ?? null)
  }
  if (process.platform === 'win32') return null
  const { execa } = await import('execa')
  const { stdout, failed } = await execa('ps', ['-o', 'lstart=', '-p', String(pid)], { reject: false, timeout: 2000, env: { LC_ALL: 'C' } })
  return failed || stdout.trim() === '' ? null : stdout.trim().replaceAll(/[\s:]+/g, '-')
}

async function bootIdentity(): Promise<string> {
  if (process.platform !== 'linux') return process.platform
  const [boot, numbering] = await Promise.all([
    fs.readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => 'unknown'),
    fs.readlink('/proc/self/ns/pid').catch(() => ''),
  ])
  return `${boot.trim()}/${/\d+/.exec(numbering)?.[0] ?? ''}`
}
