/** MCPProxy does not know this runner and uses a bare Alpine image. */
import type { ServerEntry } from '../formats/mcp-config.ts'
import { detectRuntime } from '../mcpproxy/images.ts'
import type { Remedy } from '../remedies/remedy.ts'
import { neverStarted } from '../formats/engine-events.ts'
import { citeConfig, citeLog, citeStory } from './cite.ts'
import { dockerFailure, effectiveRun, failure, isIsolated, serverPath, story } from './helpers.ts'
import { isHostFile } from './host-path-not-mounted.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'unknown-runner',
  severity: 'error',
  title: 'MCPProxy does not know this runner and uses a bare Alpine image',
  only: 'not-connected',
  needs: ['config'],
  uses: ['serverLog', 'setup', 'events', 'hostPaths'],
  detect({ config }, { serverLog, setup, events, hostPaths }) {
    const { server } = config
    if (!server || server.command === '' || !isIsolated(config) || server.isolation?.image) return null
    const runtime = setup?.runtimeType ?? detectRuntime(server.command)
    const run = effectiveRun(config, setup)
    if ((runtime !== 'binary' && runtime !== 'bash') || !/(?:^|\/)alpine:/.test(run?.run.image ?? '')) return null
    if (/\s|^docker/.test(server.command) || isHostFile(hostPaths, server.command)) return null
    const said = dockerFailure(serverLog, 'exec-not-found', 'exec-path-missing')
    const s = story(events)
    if (failure(serverLog) && !said) return null
    const image = run?.run.image ?? 'alpine'
    return {
      // The one runner that it has an image for which does not have it (default_images, `bash`).
      ...(runtime === 'bash' ? { title: 'MCPProxy runs bash in a bare Alpine image, which has none' } : {}),
      observations: ['config', ...(said ? (['serverLog'] as const) : []), ...(s && neverStarted(s) ? (['events'] as const) : [])],
      ...(said ? { proof: `runtime_type is "${runtime}", and Alpine has no such program.` } : {}),
      facts: { command: server.command, runtime, image: run?.run.image ?? null },
      cites: [citeConfig(config, serverPath(server, 'command')), ...(said ? [citeLog(said.line)] : []), ...(s ? [citeStory(s)] : [])],
      detail:
        runtime === 'bash'
          ? `Its image for bash is ${image}, and that has sh only.`
          : `"${server.command}" is none of the programs that MCPProxy has an image for, so it is run in ${image}.`,
      remedies: [
        ...knownRunner(server),
        {
          kind: 'instruction',
          title: 'Name an image that has the runner in isolation.image, or use a runner that MCPProxy knows (npx, uvx, node, python).',
        },
      ],
    }
  },
})

/** The same package with the runner that MCPProxy has an image for. */
function knownRunner(server: ServerEntry): Remedy[] {
  const same = translated(server.command.replace(/\.(?:cmd|exe)$/i, ''), server.args)
  if (!same) return []
  const [command, ...args] = same
  return [
    {
      kind: 'config-edit',
      class: 'safe',
      title: `Start the package with ${command}`,
      because: 'it runs the same package, and MCPProxy has an image for it',
      edits: [
        { path: serverPath(server, 'command'), value: command },
        { path: serverPath(server, 'args'), value: args },
      ],
    },
  ]
}

/** `bunx X`, `bun x X`, `pnpm dlx X`, `pnpx X` → `npx -y X`; `uv tool run X` → `uvx X`; null: there is no such pair. */
function translated(command: string, args: readonly string[]): [string, ...string[]] | null {
  const [first = '', ...rest] = args
  const npx = (words: readonly string[]): [string, ...string[]] | null => {
    const own = words.filter((w, i) => !(w === '--bun' && words.slice(0, i).every((v) => v.startsWith('-'))))
    // Other flags in front of the package are the runner's own.
    return own[0] === undefined || (own[0].startsWith('-') && own[0] !== '-y' && own[0] !== '--yes')
      ? null
      : ['npx', ...(own[0].startsWith('-') ? own : ['-y', ...own])]
  }
  if (command === 'npx' || command === 'uvx') return [command, ...args]
  if (command === 'bunx' || command === 'pnpx') return npx(args)
  if ((command === 'bun' && first === 'x') || (command === 'pnpm' && first === 'dlx')) return npx(rest)
  if (command === 'uv' && first === 'tool' && rest[0] === 'run' && rest[1] !== undefined) return ['uvx', ...rest.slice(1)]
  return null
}
