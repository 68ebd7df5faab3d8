/** The image's Node or Python is too old or too new for the package. */
import { citeConfig, citeLog } from './cite.ts'
import { programSaid, serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'runtime-version',
  severity: 'error',
  title: "The image's Node or Python does not fit the package",
  only: 'failed',
  needs: ['serverLog'],
  uses: ['config'],
  detect({ serverLog }, { config }) {
    const said = programSaid(serverLog, 'runtime-version', 'uv-python')
    const server = config?.server
    // uvx --python 3.13
    const version = /^Python (\d[\d.]*)/.exec(said?.subject ?? '')?.[1]
    const asked =
      version && server
        ? server.args.findIndex((a, i) => a.includes(version) && /^(?:--python|-p)\b/.test(a === version ? (server.args[i - 1] ?? '') : a))
        : -1
    return said
      ? {
          observations: ['serverLog', ...(asked >= 0 ? (['config'] as const) : [])],
          facts: { wanted: said.detail ?? said.subject },
          cites: [...(asked >= 0 && config && server ? [citeConfig(config, serverPath(server, 'args', asked))] : []), citeLog(said.line)],
          detail: 'The package asks for another version than the image has.',
          remedies: [{ kind: 'instruction', title: 'Use an image with the version that it asks for, or uvx --python.' }],
        }
      : null
  },
})
