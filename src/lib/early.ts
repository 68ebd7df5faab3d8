/** What begins before the program is loaded, because it takes long by itself. */
import path from 'node:path'
import { setupMessage } from './mcpproxy/messages.ts'
import { endOfLarge } from './system/large-log.ts'
import { likelyLogs } from './system/log-folder.ts'
import { prepareThread } from './system/spare-thread.ts'

/**
 * A second thread for the search of a large main.log, if it is likely that one comes: if the newest lines have no setup. A guess by the words
 * of the command line and the usual places: where it is wrong, the search is slower, or a thread has nothing to do. True: one was begun.
 */
export function beginEarly([command, ...words]: readonly string[], host: NodeJS.Process): boolean {
  // Others read what is known of the run itself, which is not far from the end.
  if (command !== 'args' || words.some((word) => /^(?:-h$|--(?:help|diff|from)\b)/.test(word))) return false
  const at = words.indexOf('--log-dir')
  const logDir = at < 0 ? words.find((word) => word.startsWith('--log-dir='))?.slice('--log-dir='.length) : words[at + 1]
  const { platform, env } = host
  try {
    const logs = likelyLogs({ platform, home: env['HOME'] ?? '', uid: host.getuid?.() ?? null, cwd: host.cwd(), env, flags: { logDir } })
    const end = endOfLarge(path.join(logs, 'main.log'))
    return end !== null && !hasSetup(end, words) && prepareThread()
  } catch {
    // Whatever keeps it from that file is told by who reads it.
    return false
  }
}

/** Whether one of the lines is a setup of a server with such a name. */
function hasSetup(log: Buffer, words: readonly string[]): boolean {
  const names = words.map((word) => JSON.stringify(word))
  // Beginnings of at most seven bytes are found at the speed of memory (byte-search.ts).
  const beginning = setupMessage.slice(0, 7)
  for (let at = log.indexOf(beginning); at >= 0; at = log.indexOf(beginning, at + 1)) {
    const stop = log.indexOf(0x0a, at)
    const rest = log.toString('utf8', at, stop < 0 ? log.length : stop)
    if (rest.startsWith(setupMessage) && names.some((name) => rest.includes(name))) return true
  }
  return false
}
