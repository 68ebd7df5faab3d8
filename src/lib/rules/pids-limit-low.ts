/** --pids-limit is too low for the server's threads; it hangs without a word. */
import { flagValue } from '../formats/docker-run.ts'
import { citeConfig, citeStory } from './cite.ts'
import { configFlag, effectiveRun, failure, story } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'pids-limit-low',
  severity: 'error',
  title: '--pids-limit is too low for the threads of the server; it hangs without a word',
  only: 'not-connected',
  needs: ['config'],
  uses: ['serverLog', 'events', 'setup'],
  detect({ config }, { serverLog, events, setup }) {
    const run = effectiveRun(config, setup)?.run
    const value = run ? flagValue(run, 'pids-limit') : null
    const limit = Number(value)
    // node starts about eleven threads, a shell with a child two.
    if (!run || value === null || !(limit > 0 && limit < 30)) return null
    const attempt = failure(serverLog)
    const said = attempt?.stderr.find((l) =>
      /Resource temporarily unavailable|EAGAIN|can't fork|pthread_create|uv_thread_create|can't start new thread/i.test(l.raw),
    )
    const silent = attempt?.outcome === 'no-answer' && attempt.stderr.length === 0
    if (attempt && !said && !silent && !(attempt.outcome === 'exited' && attempt.stderr.length === 0)) return null
    const flag = configFlag(config, 'pids-limit')
    const s = story(events)
    return {
      observations: ['config', ...(attempt ? (['serverLog'] as const) : [])],
      // Silence has many reasons; below what node needs this is the one.
      ...(said || limit < 12 ? {} : { rank: 'suspected' as const }),
      facts: { limit },
      cites: [...(flag ? [citeConfig(config, flag.place)] : []), ...(s ? [citeStory(s)] : [])],
      detail: `At most ${limit} processes and threads; node alone needs about eleven. There is no message when a thread cannot be started.`,
      remedies: [{ kind: 'instruction', title: 'Raise --pids-limit (100 or more), or drop it.' }],
    }
  },
})
