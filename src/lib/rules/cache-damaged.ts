/** The package cache, or what the index delivers, is damaged: it fails the same way at every start. */
import { readProgramErrors } from '../formats/program-error.ts'
import { citeConfig, citeLog } from './cite.ts'
import { effectiveRun, failure } from './helpers.ts'
import { defineRule } from './rule.ts'
import type { Remedy } from '../remedies/remedy.ts'

export default defineRule({
  code: 'cache-damaged',
  severity: 'error',
  title: 'The package cache, or what the index delivers, is damaged',
  only: 'failed',
  needs: ['config', 'serverLog'],
  uses: ['setup'],
  detect({ config, serverLog }, { setup }) {
    const attempt = failure(serverLog)
    if (!attempt) return null
    const said = readProgramErrors(attempt.stderr).find((e) => e.kind === 'npm-cache-damaged')
    // npm error path …/.npm/_npx/5a9d9b5cd0a1f8a5/node_modules/x
    const folder = attempt.stderr.map((l) => ({ line: l, hash: /\/_npx\/([0-9a-f]{8,})\//.exec(l.raw)?.[1] })).find((f) => f.hash)
    // Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'zod' imported from …/.npm/_npx/5a9d9b5cd0a1f8a5/node_modules/…
    const incomplete = attempt.stderr.find((l) => /Cannot find (?:module|package) '[^']+'.*\/_npx\//.test(l.raw))
    const line = said?.line ?? incomplete
    if (!line) return null
    const integrity = /EINTEGRITY|seems to be corrupted/.test(said?.text ?? '')
    const effective = effectiveRun(config, setup)
    const volume = effective?.run.mounts.find((m) => m.type === 'volume' && /\/\.npm$/.test(m.target)) ?? null
    const before = serverLog.attempts.filter(
      (a) => a !== attempt && readProgramErrors(a.stderr).some((e) => e.kind === said?.kind && e.text === said.text),
    ).length
    return {
      // A cache that is kept between the starts is what can stay damaged. A missing module may also be the package's own fault.
      observations: ['serverLog', ...(volume && said && !integrity ? (['config'] as const) : [])],
      facts: { volume: volume?.source ?? null, folder: folder?.hash ?? null, before },
      cites: [
        ...(volume && config.global.docker_isolation.enable_cache_volume !== null
          ? [citeConfig(config, ['docker_isolation', 'enable_cache_volume'])]
          : []),
        citeLog(line),
        ...(folder && folder.line !== line ? [citeLog(folder.line)] : []),
      ],
      detail: `${
        integrity
          ? 'What was downloaded does not have the checksum that is expected: the cache is damaged, or the index or a proxy in between delivers something else.'
          : 'An installation that was interrupted, or two at a time, left a folder of npx unfinished.'
      }${volume ? ` The cache is the volume ${volume.source}, so the next start finds it again.` : ''}${before > 0 ? ` ${before} earlier ${before === 1 ? 'attempt' : 'attempts'} ended with the same line.` : ''}`,
      remedies: remedies(volume?.source ?? null, effective?.run.image ?? null, integrity ? null : (folder?.hash ?? null)),
    }
  },
})

function remedies(volume: string | null, image: string | null, hash: string | null): Remedy[] {
  const pin: Remedy = { kind: 'instruction', title: 'Pin the version of the package in args, so that a start does not install anew.' }
  if (volume === null || image === null)
    return [{ kind: 'instruction', title: 'Try it with an empty cache; if it fails there too, look at the index and the proxy.' }, pin]
  const inVolume = ['docker', 'run', '--rm', '-v', `${volume}:/c`, '--entrypoint']
  return [
    hash === null
      ? {
          kind: 'command',
          title: 'Check the cache and take out what is damaged, then restart the server',
          argv: [...inVolume, 'npm', image, 'cache', 'verify', '--cache', '/c'],
        }
      : {
          kind: 'command',
          title: 'Delete this one folder of the cache, then restart the server',
          argv: [...inVolume, 'rm', image, '-rf', `/c/_npx/${hash}`],
        },
    pin,
  ]
}
