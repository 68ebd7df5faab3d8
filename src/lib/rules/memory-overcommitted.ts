/** The memory limits of all servers together are more than the engine has. */
import { flagValue, parseBytes, parseDockerRun } from '../formats/docker-run.ts'
import { isStdio, valueAt, type ConfigPath, type ServerEntry } from '../formats/mcp-config.ts'
import { decideIsolation, isolatedRun } from '../mcpproxy/isolation.ts'
import { citeConfig, citeEngine } from './cite.ts'
import { oncePerFile } from './helpers.ts'
import { defineRule } from './rule.ts'

const limit: ConfigPath = ['docker_isolation', 'memory_limit']
const mebibyte = 1024 * 1024

/** How many enabled servers run in a container with a limit, and how many bytes these are together. */
const limits = oncePerFile((config, version) => {
  const argsOf = (s: ServerEntry): string[] => {
    const { runs } = decideIsolation(s, config.global, version)
    if (runs === 'docker') return isolatedRun(s, config.global, version).tokens.flatMap((t) => t.tokens)
    return runs === 'own-docker' ? s.args : []
  }
  const bytes = config.servers
    .filter((s) => s.enabled === true && isStdio(s))
    .flatMap((s) => parseBytes(flagValue(parseDockerRun(argsOf(s)), 'memory') ?? '') ?? [])
    .filter((b) => b > 0)
  return { servers: bytes.length, bytes: bytes.reduce((sum, b) => sum + b, 0) }
})

export default defineRule({
  code: 'memory-overcommitted',
  severity: 'info',
  title: 'The memory limits of all servers together are more than the engine has',
  needs: ['config', 'engine'],
  detect({ config, engine }, _, { version }) {
    const { servers, bytes } = limits(config, version.value)
    if (servers < 2) return null
    const memory = engine.info?.memoryBytes ?? null
    if (memory === null || bytes <= memory) return null
    const mb = (b: number): number => Math.round(b / mebibyte)
    return {
      observations: ['config', 'engine'],
      facts: { servers, limitsMiB: mb(bytes), engineMiB: mb(memory) },
      cites: [...(valueAt(config.document, limit) ? [citeConfig(config, limit)] : []), citeEngine('memory', `${mb(memory)} MiB`)],
      detail: `${servers} servers may use ${mb(bytes)} MiB together, the engine has ${mb(memory)} MiB. A limit is no reservation, so that this is no fault by itself; when all are busy at once, the kernel ends processes of any of them.`,
      remedies: [
        {
          kind: 'instruction',
          title: 'Lower the limits of servers that need less, give the engine more memory, or enable fewer servers at once.',
        },
      ],
    }
  },
})
