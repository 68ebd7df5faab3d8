/** The files that lint reads and writes. */
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { Readable } from 'node:stream'
import fastGlob from 'fast-glob'
import { UserError } from '../errors.ts'
import { createFiles } from './files.ts'
import { locate } from './locations.ts'

const largest = 32 * 1024 * 1024

/** The files that names and globs mean, each once, in order. A UserError where one means none. */
export async function findFiles(patterns: readonly string[], cwd: string): Promise<string[]> {
  const found = new Map<string, string>()
  for (const pattern of patterns) {
    for (const file of await filesOf(pattern, cwd)) {
      const key = await fs.realpath(file).catch(() => file)
      if (!found.has(key)) found.set(key, file)
    }
  }
  return [...found.values()]
}

async function filesOf(pattern: string, cwd: string): Promise<string[]> {
  const stat = await fs.stat(path.resolve(cwd, pattern)).catch(() => null)
  if (stat?.isDirectory())
    throw new UserError(`${pattern} is a folder.`, [`Name a file in it, or a glob: '${pattern.replace(/\/$/, '')}/**/*.json'.`])
  // A name with brackets may be just a name.
  if (stat || !fastGlob.isDynamicPattern(pattern)) return [path.resolve(cwd, pattern)]
  const glob = process.platform === 'win32' ? fastGlob.convertPathToPattern(pattern) : pattern
  const files = await fastGlob(glob, { cwd, absolute: true, dot: true, ignore: ['**/node_modules/**', '**/.git/**'], suppressErrors: true })
  if (files.length === 0) throw new UserError(`No file fits ${pattern}.`)
  return files.sort()
}

/** The configuration that MCPProxy would read if it were started here; null: there is none. */
export async function defaultConfig(cwd: string): Promise<string | null> {
  const { env, platform } = process
  const files = createFiles()
  try {
    const home = (platform === 'win32' ? env['USERPROFILE'] : env['HOME']) || os.homedir()
    const located = await locate({ files, platform, home, uid: process.getuid?.() ?? null, cwd, env, flags: {}, process: null })
    return located.config
  } finally {
    await files.close()
  }
}

/** Null: there is no such file. */
export async function readOptional(file: string): Promise<string | null> {
  const files = createFiles()
  try {
    const read = await files.read(file, largest)
    if (!read.ok) throw new UserError(`${read.error.message}`)
    return read.value?.toString('utf8') ?? null
  } finally {
    await files.close()
  }
}

/** All of a stream; a UserError when it is larger than a configuration can be. */
export async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    if (size > largest) throw new UserError(`Standard input is larger than ${largest / 1024 ** 2} MiB.`)
  }
  return Buffer.concat(chunks)
}
