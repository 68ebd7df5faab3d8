/** MCPProxy does not know this runner and uses a bare Alpine image. */
import { detectRuntime } from '../mcpproxy/images.ts'
import { neverStarted } from '../formats/engine-events.ts'
import { citeConfig, citeLog, citeStory } from './cite.ts'
import { dockerFailure, effectiveRun, failure, isConnected, isIsolated, serverPath, story } from './helpers.ts'
import { isHostFile } from './host-path-not-mounted.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'unknown-runner',
  severity: 'error',
  title: 'MCPProxy does not know this runner and uses a bare Alpine image',
  needs: ['config'],
  uses: ['serverLog', 'setup', 'events', 'status', 'hostPaths'],
  detect({ config }, { serverLog, setup, events, status, hostPaths }) {
    const { server } = config
    if (!server || !isIsolated(config) || server.isolation?.image || isConnected(serverLog, status)) return null
    const runtime = setup?.runtimeType ?? detectRuntime(server.command)
    const run = effectiveRun(config, setup)
    if ((runtime !== 'binary' && runtime !== 'bash') || !/(?:^|\/)alpine:/.test(run?.run.image ?? '')) return null
    if (/\s|^docker/.test(server.command) || isHostFile(hostPaths, server.command)) return null
    const said = dockerFailure(serverLog, 'exec-not-found', 'exec-path-missing')
    const s = story(events)
    if (failure(serverLog) && !said) return null
    return {
      observations: ['config', ...(said ? (['serverLog'] as const) : []), ...(s && neverStarted(s) ? (['events'] as const) : [])],
      ...(said ? { proof: `runtime_type is "${runtime}", and Alpine has no such program.` } : {}),
      facts: { command: server.command, runtime, image: run?.run.image ?? null },
      cites: [citeConfig(config, serverPath(server, 'command')), ...(said ? [citeLog(said.line)] : []), ...(s ? [citeStory(s)] : [])],
      detail: `"${server.command}" is none of the programs that MCPProxy has an image for, so it is run in ${run?.run.image ?? 'alpine'}.`,
      remedies: [
        {
          kind: 'instruction',
          title: 'Name an image that has the runner in isolation.image, or use a runner that MCPProxy knows (npx, uvx, node, python).',
        },
      ],
    }
  },
})
