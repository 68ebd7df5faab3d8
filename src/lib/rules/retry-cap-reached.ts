/** MCPProxy gave up its own reconnection after too many failures. */
import { citeLog } from './cite.ts'
import { isConnected } from './connected.ts'
import { defineRule } from './rule.ts'

const success =
  /^(?:Successfully established managed connection|MCP initialization (?:successful|completed successfully)|Reconnection attempt successful)/

export default defineRule({
  code: 'retry-cap-reached',
  severity: 'info',
  title: 'MCPProxy gave up reconnecting by itself',
  needs: ['mainLog'],
  uses: ['serverLog', 'status'],
  detect({ mainLog }, { serverLog, status }) {
    // Since v0.24.0, after 20 failures; the text ends with advice after a dash.
    const server = mainLog.lines.filter((l) => l.message.startsWith('Giving up automatic reconnection after max retries')).at(-1)
    const engine = mainLog.general.filter((l) => l.message === 'Docker recovery max retries exceeded').at(-1)
    const recovered = mainLog.general.some((l) => engine && l.message === 'Docker recovery successful' && l.at > engine.at)
    const line = server ?? (recovered ? undefined : engine)
    if (!line || isConnected(serverLog, status) || mainLog.lines.some((l) => success.test(l.message) && l.at > line.at)) return null
    return {
      observations: ['mainLog'],
      proof: 'It says so itself, and no success follows.',
      facts: { of: line === server ? 'server' : 'engine' },
      cites: [citeLog(line)],
      detail:
        line === server
          ? 'After that many failures the cause may be gone, and still nothing happens by itself.'
          : 'The engine was away for so long that MCPProxy stopped asking for it.',
      remedies: [{ kind: 'reload', title: 'Repair the cause, then restart the server: that resets the counters' }],
    }
  },
})
