/** The user of the container may not write the package cache. */
import { citeLog } from './cite.ts'
import { effectiveRun, programSaid } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'cache-not-writable',
  severity: 'error',
  title: 'The user of the container may not write the package cache',
  only: 'failed',
  needs: ['config', 'serverLog'],
  uses: ['setup', 'image'],
  detect({ config, serverLog }, { setup, image }) {
    const said = programSaid(serverLog, 'npm-cache-permission', 'permission')
    const run = effectiveRun(config, setup)?.run
    if (!said || !run || (said.kind === 'permission' && !/cache|\.npm/i.test(said.subject ?? ''))) return null
    const other = run.flags.some((f) => f.name === 'user') || (image?.inspect?.user ?? '') !== ''
    return {
      observations: ['serverLog', ...(other ? (['config'] as const) : [])],
      facts: { path: said.subject },
      cites: [citeLog(said.line)],
      detail: 'MCPProxy mounts the cache at the home of root.',
      remedies: [
        {
          kind: 'instruction',
          title:
            'Set npm_config_cache or UV_CACHE_DIR in env to a folder that it may write, or docker_isolation.enable_cache_volume to false.',
        },
      ],
    }
  },
})
