/** The rules about a pull that docker was refused: they differ in the text, and in what it means. */
import type { ConfigEvidence, Image } from '../evidence/evidence.ts'
import type { Version } from '../mcpproxy/versions.ts'
import type { Remedy } from '../remedies/remedy.ts'
import { sameImage } from '../evidence/collect-engine.ts'
import type { DockerError, DockerErrorKind } from '../formats/docker-error.ts'
import { citeConfig, citeEngine } from './cite.ts'
import { dockerWords } from './docker-args-order.ts'
import { dockerFailure, dockerSaid, imagePlace, refusal } from './helpers.ts'
import { defineRule, type Detection, type Json, type Rule } from './rule.ts'

interface PullRefusal {
  code: string
  title: string
  kinds: DockerErrorKind[]
  facts?: (said: DockerError) => Record<string, Json>
  detail: (said: DockerError) => string
  /** What to do, one sentence. */
  remedy: string
  /** Edits that may do without that image, better than the sentence. */
  edits?: (config: ConfigEvidence, version: Version) => Remedy[]
  /** What the configuration alone tells. */
  hint?: (config: ConfigEvidence) => Detection | null
}

export function pullRule({ code, title, kinds, facts, detail, remedy, edits, hint }: PullRefusal): Rule {
  return defineRule({
    code,
    severity: 'error',
    title,
    ...(hint ? { hint } : {}),
    only: 'failed',
    needs: ['serverLog'],
    uses: ['config', 'events', 'image'],
    detect({ serverLog }, { config, events, image }, { version }) {
      const said = dockerFailure(serverLog, ...kinds)
      if (!said) return null
      const { observations, cites, started } = refusal(said, serverLog, events)
      // The image was there: what ran in the container wrote the line.
      if (started) return null
      // docker run run …: no registry can have that.
      if (config?.expected?.kind === 'own' && dockerWords.has(config.expected.run.image ?? '')) return null
      const place = imagePlace(config)
      const absent = image?.inspect === null
      // Why was it pulled, if it is here? It came later, or docker was not after this image.
      const doubt = image === null || image?.inspect != null || !isWanted(dockerSaid(serverLog, 'image-not-local')?.subject ?? null, image)
      return {
        observations: [...observations, ...(absent ? (['image'] as const) : [])],
        ...(doubt ? { rank: 'suspected' as const } : {}),
        facts: { image: image?.reference ?? said.subject, ...facts?.(said) },
        cites: [
          ...(place && config ? [citeConfig(config, place)] : []),
          ...cites,
          ...(absent && image ? [citeEngine('image', `${image.reference} is not on this engine`)] : []),
        ],
        detail: detail(said),
        remedies: [...(config && edits ? edits(config, version.value) : []), { kind: 'instruction', title: remedy }],
      }
    },
  })
}

const isWanted = (sought: string | null, image: Image | null | undefined): boolean =>
  sought === null || !image || sameImage(sought, image.reference)
