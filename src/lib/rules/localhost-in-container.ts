/** The server looks for a service on localhost, which in a container is the container itself. */
import { citeConfig, citeLog } from './cite.ts'
import { effectiveRun, programSaid, serverPath } from './helpers.ts'
import { flagValue } from '../formats/docker-run.ts'
import { defineRule } from './rule.ts'

const local = '(?:[^\\s/@]*@)?(?:localhost|127\\.0\\.0\\.1|\\[::1\\])(?::\\d+)?'
// What a program connects to. An http origin without a path, said to nobody in particular, may be what it listens on.
const targets = [
  new RegExp(`^[a-z][a-z0-9+.-]*://${local}/.`, 'i'),
  new RegExp(`^(?!https?:)[a-z][a-z0-9+.-]*://${local}`, 'i'),
  new RegExp(`^--?[\\w-]*(?:url|uri|endpoint|server|api|dsn|connect|target)[\\w-]*=[a-z][a-z0-9+.-]*://${local}`, 'i'),
]
// One quick look, because few words are about localhost at all.
const isLocal = (word: string): boolean => /localhost|127\.0\.0\.1|\[::1\]/i.test(word)
const isTarget = (word: string): boolean => isLocal(word) && targets.some((t) => t.test(word))
const origin = new RegExp(`^[a-z][a-z0-9+.-]*://${local}`, 'i')

const loopback = /\b(?:localhost|127\.0\.0\.1)\b|\[?::1\]?/

export default defineRule({
  code: 'localhost-in-container',
  severity: 'error',
  title: 'The server looks for a service on localhost, which in a container is the container itself',
  only: 'failed',
  needs: ['config', 'serverLog'],
  uses: ['setup'],
  detect({ config, serverLog }, { setup }) {
    const { server } = config
    const run = effectiveRun(config, setup)?.run
    if (!server || !run || flagValue(run, 'network') === 'host') return null
    const said = programSaid(serverLog, 'connection-refused')
    if (!said || (said.subject !== null && !loopback.test(said.subject))) return null
    const argument = server.args.findIndex((a) => loopback.test(a))
    const variable = Object.keys(server.env).find((n) => loopback.test(server.env[n] ?? ''))
    if (said.subject === null && argument < 0 && variable === undefined) return null
    const place = argument >= 0 ? serverPath(server, 'args', argument) : variable !== undefined ? serverPath(server, 'env', variable) : null
    return {
      // What listens there may also be something that the server itself should have started.
      observations: ['serverLog', ...(place ? (['config'] as const) : [])],
      facts: { port: said.detail },
      cites: [...(place ? [citeConfig(config, place)] : []), citeLog(said.line)],
      detail: `Nothing listens on ${said.subject ?? 'localhost'}${said.detail ? `:${said.detail}` : ''} inside the container; the service runs elsewhere.`,
      remedies: [
        {
          kind: 'instruction',
          title:
            'Use host.docker.internal instead of localhost (on Linux with isolation.extra_args ["--add-host=host.docker.internal:host-gateway"]).',
        },
      ],
    }
  },
  hint(config) {
    const { server, expected } = config
    if (!server || !expected || flagValue(expected.run, 'network') === 'host') return null
    const argument = server.args.findIndex(isTarget)
    const variable = Object.keys(server.env).find((name) => {
      const value = server.env[name] ?? ''
      return isLocal(value) && (isTarget(value) || (/url|uri|endpoint|api|dsn|connect|target|database/i.test(name) && origin.test(value)))
    })
    if (argument < 0 && variable === undefined) return null
    return {
      observations: ['config'],
      facts: { port: null },
      cites: [citeConfig(config, argument >= 0 ? serverPath(server, 'args', argument) : serverPath(server, 'env', variable ?? ''))],
      detail: 'This address is on localhost, and in a container that is the container itself, not the host.',
      remedies: [
        { kind: 'instruction', title: 'Use host.docker.internal instead of localhost, unless the service runs in the same container.' },
      ],
    }
  },
})
