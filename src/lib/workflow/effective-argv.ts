/** The docker command of today's configuration token by token, and where each comes from. Pure. */
import type { ConfigEvidence } from '../evidence/evidence.ts'
import { parseDockerRun } from '../formats/docker-run.ts'
import type { ConfigPath } from '../formats/mcp-config.ts'
import { isolatedRun, type RunToken } from '../mcpproxy/isolation.ts'
import type { Version } from '../mcpproxy/versions.ts'

export interface EffectiveArgv {
  /** After the word docker, up to the image; a flag and its value together. */
  groups: RunToken[]
  /** What runs in the container. */
  command: RunToken[]
  /** Of a wrapped server; null: it runs a docker command of its own. */
  runtimeType: string | null
}

/** Null: starting the server runs no docker. */
export function effectiveArgv({ server, decision, global, expected }: ConfigEvidence, version: Version): EffectiveArgv | null {
  if (!server || !expected) return null
  if (decision?.runs === 'docker') {
    const run = isolatedRun(server, global, version)
    // Older releases start a shell line that they make of command and args.
    const made = run.args !== server.args
    const command = [run.command, ...run.args].map((token, i): RunToken => {
      const path: ConfigPath = i === 0 ? ['command'] : ['args', i - 1]
      return made
        ? { tokens: [token], place: null, origin: 'MCPProxy, from command and args' }
        : { tokens: [token], place: ['mcpServers', server.index, ...path], origin: i === 0 ? 'command' : `args[${i - 1}]` }
    })
    return { groups: flagsTogether(run.tokens), command, runtimeType: run.image.runtimeType }
  }
  const tokenAt = (token: string, i: number): RunToken => {
    const place = expected.places[i] ?? null
    return { tokens: [token], place, origin: place?.[2] === 'env' ? 'server env' : `args[${String(place?.at(-1) ?? i)}]` }
  }
  return {
    groups: flagsTogether(expected.runArgs.map(tokenAt)),
    // Without an image there is nothing after it.
    command: expected.run.image === null ? [] : expected.command.map((token, i) => tokenAt(token, expected.runArgs.length + i)),
    runtimeType: null,
  }
}

/** A flag and its value are two entries of a list and one thing to a reader. */
export function flagsTogether(tokens: readonly RunToken[]): RunToken[] {
  const flat = tokens.flatMap((t) => t.tokens)
  const values = new Set(parseDockerRun(flat).flags.flatMap((f) => (f.valueIndex > f.index ? [f.valueIndex] : [])))
  const groups: RunToken[] = []
  let at = 0
  for (const token of tokens) {
    const before = groups.at(-1)
    if (before && values.has(at) && listOf(before.origin) === listOf(token.origin))
      groups[groups.length - 1] = { ...token, tokens: [...before.tokens, ...token.tokens] }
    else groups.push(token)
    at += token.tokens.length
  }
  return groups
}

/** Without the place in the list: `args` of `args[3]`. */
const listOf = (origin: string): string => origin.replace(/\[\d+\]$/, '')
