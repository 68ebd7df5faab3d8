/** The first start pulls the image while the clock of the handshake runs. */
import { sameImage } from '../evidence/collect-engine.ts'
import { finalDockerError, readDockerErrors } from '../formats/docker-error.ts'
import { readPull } from '../formats/start-progress.ts'
import { deadlines } from '../mcpproxy/deadlines.ts'
import { citeEngine, citeLog } from './cite.ts'
import { callsDocker, failure, seconds } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'pull-in-handshake',
  severity: 'error',
  title: 'The image is pulled while the clock of the handshake runs, and that takes too long',
  only: 'failed',
  needs: ['config', 'serverLog', 'image'],
  uses: ['events'],
  detect({ config, serverLog, image }, { events }, { version }) {
    const attempt = failure(serverLog)
    const { server } = config
    const pull = attempt?.outcome === 'no-answer' ? readPull(attempt.stderr) : null
    // docker gave up by itself: then the registry or the name is the cause.
    if (!attempt || !pull || !server || finalDockerError(readDockerErrors(attempt.stderr))) return null
    const reference = image?.reference ?? null
    const pulled = events?.history.events.find(
      (e) => e.type === 'image' && e.action === 'pull' && e.at >= attempt.startedAt && reference !== null && sameImage(e.id, reference),
    )
    const hereNow = image?.inspect != null
    // A pull that never began is one that the registry does not answer: another cause.
    if (!pull.began && !pull.done && !pulled && !hereNow) return null
    const { restartMs } = deadlines(server, config.global, version.value, callsDocker(config))
    const took = pull.done ? pull.done.at.getTime() - pull.missing.at.getTime() : null
    return {
      observations: ['serverLog', 'image', ...(pulled ? (['events'] as const) : [])],
      facts: { image: reference, hereNow, waited: seconds(attempt.durationMs ?? 0), pullTook: took === null ? null : seconds(took) },
      cites: [
        citeLog(pull.missing),
        ...(pull.began ? [citeLog(pull.began)] : []),
        ...(pull.done ? [citeLog(pull.done)] : []),
        citeEngine('image', `${reference ?? 'it'} is ${hereNow ? 'on this engine now' : 'not on this engine'}`),
      ],
      detail: `After ${seconds(attempt.durationMs ?? 0)} MCPProxy gave up, ${took === null ? 'in the middle of the download' : `of which the download took ${seconds(took)}`}. A restart through its API waits ${seconds(restartMs)}, the attempts that it makes by itself 30 s.`,
      remedies: [
        ...(hereNow || reference === null
          ? []
          : [{ kind: 'command' as const, title: 'Pull the image before the start', argv: ['docker', 'pull', reference] }]),
        { kind: 'reload', title: hereNow ? 'Restart the server: the image is here now' : 'Then restart the server' },
      ],
    }
  },
})
