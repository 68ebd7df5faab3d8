/** The image lacks a tool or library that the package needs. */
import { citeLog } from './cite.ts'
import { programSaid } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'image-lacks-tools',
  severity: 'error',
  title: 'The image lacks a tool or library that the package needs',
  needs: ['serverLog'],
  detect({ serverLog }) {
    const said = programSaid(serverLog, 'tool-missing', 'library-missing')
    return said
      ? {
          observations: ['serverLog'],
          facts: { what: said.subject },
          cites: [citeLog(said.line)],
          detail: 'Slim and Alpine images have no git, compiler, browser or their libraries.',
          remedies: [
            {
              kind: 'instruction',
              title: 'Use a fuller image in isolation.image (not slim, glibc instead of Alpine), or the image of the publisher.',
            },
          ],
        }
      : null
  },
})
