/** The few keys of mcp_config.json that say where things are and how to ask MCPProxy. Everything else is for `formats/mcp-config.ts`. */
import { tooDeepAt } from '../formats/json-depth.ts'
import type { Files } from './system.ts'

export interface ProxySettings {
  dataDir: string | null
  logDir: string | null
  listen: string | null
  apiKey: string | null
  tls: boolean
  certsDir: string | null
  socket: boolean
  trayEndpoint: string | null
}

const noSettings: ProxySettings = {
  dataDir: null,
  logDir: null,
  listen: null,
  apiKey: null,
  tls: false,
  certsDir: null,
  socket: true,
  trayEndpoint: null,
}

/** JSON, or what of it can be understood; undefined where that would take too deep a stack. */
async function settingsIn(content: string): Promise<unknown> {
  try {
    return JSON.parse(content)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  if (tooDeepAt(content) !== null) return undefined
  const { parse } = await import('jsonc-parser')
  return parse(content, [], { allowTrailingComma: true })
}

/** Lenient, because a broken file is when people come to us; keys in any case, as Go reads them. */
export async function readProxySettings(files: Files, path: string | null): Promise<ProxySettings> {
  if (path === null) return noSettings
  const answer = await files.read(path, 64 * 1024 * 1024)
  if (!answer.ok || answer.value === null) return noSettings
  const content = answer.value.toString('utf8').replace(/^\uFEFF/, '')
  const config = lowered(await settingsIn(content))
  const logging = lowered(config['logging'])
  const tls = lowered(config['tls'])
  return {
    dataDir: text(config['data_dir']),
    logDir: text(logging['log_dir']),
    listen: text(config['listen']),
    apiKey: text(config['api_key']),
    tls: tls['enabled'] === true,
    certsDir: text(tls['certs_dir']),
    socket: config['enable_socket'] !== false,
    trayEndpoint: text(config['tray_endpoint']),
  }
}

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)
const lowered = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k.toLowerCase(), v]))
    : {}
