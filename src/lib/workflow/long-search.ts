/**
 * Begins early what a search through a large log will need: to start a thread takes as long as all that comes before the log is opened. Where the
 * log is and what is in it is a guess here; a wrong one costs a little time and nothing else.
 */
import os from 'node:os'
import { mayHold } from '../formats/byte-search.ts'
import { createFiles } from '../system/files.ts'
import { standardLogs } from '../system/locations.ts'
import { worthSecondThread } from '../system/log-reader.ts'

export interface ExpectedSearch {
  /** As it was given; else where MCPProxy keeps its logs by default. */
  logDir: string | undefined
  env: NodeJS.ProcessEnv
  /** All of a line of main.log that would end the search; the first is rare in a log. */
  texts: readonly string[]
}

/** No file system is waited for longer. */
const patienceMs = 100
const tailSize = 1024 * 1024

/** True: it expects one, and has begun. */
export async function expectSearch(search: ExpectedSearch): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), patienceMs)
  })
  const isLong = await Promise.race([reachesFar(search), late])
  clearTimeout(timer)
  if (isLong) (await import('../system/second-reader.ts')).prepareSecondReader()
  return isLong
}

/** Whether the log is large, and its end has no such line. */
async function reachesFar({ logDir, env, texts }: ExpectedSearch): Promise<boolean> {
  const folder = logDir ?? standardLogs(process.platform, env['HOME'] || os.homedir(), process.getuid?.() ?? null, env)
  const files = createFiles()
  try {
    const opened = await files.open(`${folder}/main.log`)
    const file = opened.ok ? opened.value : null
    if (!file?.shared || !file.readNow || file.size < worthSecondThread) return false
    const tail = file.readNow(file.size - tailSize, tailSize, Buffer.allocUnsafeSlow(tailSize))
    const [part, ...others] = texts.map((text) => Buffer.from(text)) as [Buffer, ...Buffer[]]
    return !mayHold(tail.subarray(tail.indexOf(0x0a)), [{ part, texts: others }])
  } catch {
    // Whoever reads it next says why it cannot be read.
    return false
  } finally {
    await files.close()
  }
}
