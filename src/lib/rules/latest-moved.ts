/** The image behind an unpinned tag was built after the server last worked. */
import { citeConfig, citeEngine, citeLog } from './cite.ts'
import { sameImage } from '../evidence/collect-engine.ts'
import { failure, imagePlace } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'latest-moved',
  severity: 'warning',
  title: 'The image has changed since the server last worked',
  only: 'failed',
  needs: ['image', 'serverLog'],
  uses: ['events', 'config'],
  detect({ image, serverLog }, { events, config }) {
    const attempt = failure(serverLog)
    const worked = serverLog.attempts.filter((a) => a.connectedAt !== null).at(-1)
    if (!attempt || !worked?.connectedAt || !image?.inspect || pinned(image.reference)) return null
    const since = worked.connectedAt
    const built = image.inspect.created === null ? null : new Date(image.inspect.created)
    const newer = built !== null && built > since
    const pull = events?.history.events.find(
      (e) => e.type === 'image' && e.action === 'pull' && e.at > since && sameImage(e.id, image.reference),
    )
    // Another image that the file names since then has not moved.
    const edited = config?.mtimeMs != null && config.mtimeMs > since.getTime() && !pull
    if ((!newer && !pull) || edited) return null
    const place = imagePlace(config)
    return {
      observations: ['image', 'serverLog', ...(pull ? (['events'] as const) : [])],
      // That it changed is certain; that this is the cause is not.
      rank: newer ? 'supported' : 'suspected',
      facts: {
        image: image.reference,
        built: built?.toISOString() ?? null,
        lastWorked: since.toISOString(),
        digest: image.inspect.repoDigests[0] ?? null,
      },
      cites: [
        ...(place && config ? [citeConfig(config, place)] : []),
        citeEngine(
          'image',
          `${image.reference}: built ${built?.toISOString() ?? 'at an unknown time'}${pull ? `, pulled ${pull.at.toISOString()}` : ''}`,
        ),
        ...(worked.lines.find((l) => l.at >= since) ? [citeLog(worked.lines.find((l) => l.at >= since)!)] : []),
      ],
      detail: `It last worked at ${since.toISOString()}, with another content under the same name.`,
      remedies: [
        {
          kind: 'instruction',
          title: `Name the release that worked (NAME:VERSION or NAME@sha256:…) instead of ${image.reference}; an older digest may still be local (docker images --digests).`,
        },
      ],
    }
  },
})

/** A digest, or a tag that names one release in full. */
const pinned = (reference: string): boolean => /@sha256:|:[^/]*\d+\.\d+\.\d+[^/]*$/.test(reference)
