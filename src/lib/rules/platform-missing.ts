/** The image is not available for the processor that is asked for. */
import { flagValue } from '../formats/docker-run.ts'
import { citeConfig, citeEngine, citeLog } from './cite.ts'
import { isConnected } from './connected.ts'
import { configFlag, dockerFailure, dockerSaid, effectiveRun, failure, imagePlace, refusal } from './helpers.ts'
import { defineRule } from './rule.ts'

/** `linux/arm64/v8` and `aarch64` → `arm64`: the engine, the images and `--platform` spell processors differently. */
export function processor(text: string): string {
  const name = (text.includes('/') ? (text.split('/')[1] ?? '') : text).toLowerCase()
  const spellings: Record<string, string> = { x86_64: 'amd64', aarch64: 'arm64', armv7l: 'arm', i386: '386', i686: '386' }
  return spellings[name] ?? name
}

export default defineRule({
  code: 'platform-missing',
  severity: 'error',
  title: 'The image is not available for the processor that is asked for',
  needs: ['config', 'serverLog'],
  uses: ['setup', 'events', 'image', 'engine'],
  detect({ config, serverLog }, { setup, events, image, engine }) {
    if (isConnected(serverLog)) return null
    const said = dockerFailure(serverLog, 'platform-missing')
    const run = effectiveRun(config, setup)?.run
    const asked = run ? flagValue(run, 'platform') : null
    const have = image?.inspect?.architecture ?? null
    const differs = asked !== null && have !== null && processor(asked) !== processor(have)
    // docker looks for the image although it is here: here it is only for another processor.
    const sought = differs ? dockerSaid(serverLog, 'image-not-local') : null
    if (!said && !sought && !(differs && !failure(serverLog))) return null
    const flag = configFlag(config, 'platform')
    const place = flag?.place ?? imagePlace(config)
    const machine = engine?.info?.architecture ?? null
    const refused = said ? refusal(said, serverLog, events) : null
    return {
      observations: [
        ...(refused?.observations ?? (sought ? (['serverLog'] as const) : [])),
        ...(differs ? (['config', 'image'] as const) : []),
      ],
      facts: { asked: asked ?? said?.subject ?? null, image: have, engine: machine },
      cites: [
        ...(place ? [citeConfig(config, place)] : []),
        ...(refused?.cites ?? (sought ? [citeLog(sought.line)] : [])),
        ...(have && image ? [citeEngine('image', `${image.reference} is here for ${have}`)] : []),
      ],
      detail: sought
        ? `--platform asks for ${asked ?? ''}; the image is here, but for ${have ?? 'another one'}, so docker tries to pull it.`
        : `It was asked for ${asked ?? said?.subject ?? machine ?? 'this machine'}.`,
      remedies: [
        {
          kind: 'instruction',
          title: asked
            ? `Take --platform ${asked} out${machine ? ` (the engine is ${processor(machine)})` : ''}, or pull the image for it.`
            : 'Use an image or a tag for this processor; emulation (--platform) only knowingly.',
        },
      ],
    }
  },
})
