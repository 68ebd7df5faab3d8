/** Node gives up because its JavaScript heap is full, before the container's limit is reached. */
import { citeLog, citeStory } from './cite.ts'
import { programSaid, story } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'js-heap-limit',
  severity: 'error',
  title: 'Node gives up because its JavaScript heap is full',
  only: 'failed',
  needs: ['serverLog'],
  uses: ['events'],
  detect({ serverLog }, { events }) {
    const said = programSaid(serverLog, 'heap')
    if (!said) return null
    const s = story(events)
    const code = s !== null && !s.oom && (s.exitCode === 134 || s.exitCode === 139)
    return {
      observations: ['serverLog', ...(code ? (['events'] as const) : [])],
      facts: { exitCode: s?.exitCode ?? null },
      cites: [citeLog(said.line), ...(s ? [citeStory(s)] : [])],
      detail:
        "Node takes about half of the container's memory for its heap; no out-of-memory event, so the limit of the container itself was not reached.",
      remedies: [
        {
          kind: 'instruction',
          title: 'Raise the memory of the container (extra_args: ["--memory", "2g"]) or the heap (NODE_OPTIONS=--max-old-space-size=…).',
        },
      ],
    }
  },
})
