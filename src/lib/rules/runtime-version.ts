/** The image's Node or Python is too old or too new for the package. */
import { citeLog } from './cite.ts'
import { programSaid } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'runtime-version',
  severity: 'error',
  title: "The image's Node or Python does not fit the package",
  needs: ['serverLog'],
  detect({ serverLog }) {
    const said = programSaid(serverLog, 'runtime-version', 'uv-python')
    return said
      ? {
          observations: ['serverLog'],
          facts: { wanted: said.detail ?? said.subject },
          cites: [citeLog(said.line)],
          detail: 'The package asks for another version than the image has.',
          remedies: [{ kind: 'instruction', title: 'Use an image with the version that it asks for, or uvx --python.' }],
        }
      : null
  },
})
