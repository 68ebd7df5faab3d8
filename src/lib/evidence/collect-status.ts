/** Collector for what MCPProxy says of itself. A hint, not the truth. */
import { number, object, text, type Loose } from '../formats/loose.ts'
import { notObserved, observed, type ApiAnswer, type Observed, type System } from '../system/system.ts'
import type { ProxyStatus } from './evidence.ts'

const list = (v: unknown): Loose[] => (Array.isArray(v) ? v.map(object) : [])

export interface StatusReading {
  address: string | null
  version: string | null
  pid: number | null
  configPath: string | null
  servers: Loose[]
  /** The configuration in the daemon's memory; it holds secrets. */
  config: Loose | null
}

/** Null: MCPProxy does not run. */
export async function collectStatus(system: System): Promise<Observed<StatusReading | null>> {
  const { proxy } = system
  const [info, servers, config, address] = await Promise.all([
    proxy.get('/api/v1/info'),
    proxy.get('/api/v1/servers'),
    proxy.get('/api/v1/config'),
    proxy.address(),
  ])
  if (!servers.ok) return servers.error.kind === 'unreachable' ? observed(null) : servers
  if (servers.value.status === 0) return observed(null)
  if (servers.value.status === 401 || servers.value.status === 403)
    return notObserved('denied', `MCPProxy at ${address ?? 'its address'} wants an API key; give it with --api-key or MCPPROXY_API_KEY.`)
  if (servers.value.status !== 200)
    return notObserved('failed', `MCPProxy answered ${servers.value.status} when it was asked for its servers.`)
  const answer = data(servers.value)
  if (!Array.isArray(answer['servers']))
    return notObserved('failed', 'What answers at the address of MCPProxy does not answer like MCPProxy.')
  const infoData = info.ok && info.value.status === 200 ? data(info.value) : {}
  const configData = config.ok && config.value.status === 200 ? data(config.value) : {}
  return observed({
    address,
    version: text(infoData['version']),
    pid: number(infoData['pid']),
    configPath: text(configData['config_path']),
    servers: list(answer['servers']),
    config: Object.keys(object(configData['config'])).length > 0 ? object(configData['config']) : null,
  })
}

/** `{"success": true, "data": …}` */
const data = (answer: ApiAnswer): Loose => object(object(answer.body)['data'])

export function statusFor(reading: StatusReading, server: string): ProxyStatus {
  const s = reading.servers.find((x) => x['name'] === server)
  const health = object(s?.['health'])
  const loaded = list(reading.config?.['mcpServers']).find((x) => x['name'] === server)
  return {
    address: reading.address,
    version: reading.version,
    pid: reading.pid,
    configPath: reading.configPath,
    serverNames: reading.servers.flatMap((x) => text(x['name']) ?? []),
    server: s
      ? {
          enabled: typeof s['enabled'] === 'boolean' ? s['enabled'] : null,
          quarantined: typeof s['quarantined'] === 'boolean' ? s['quarantined'] : null,
          connected: s['connected'] === true,
          connecting: s['connecting'] === true,
          status: text(s['status']) ?? '',
          lastError: text(s['last_error']),
          reconnectCount: number(s['reconnect_count']),
          toolCount: number(s['tool_count']),
          healthLevel: text(health['level']),
          healthSummary: text(health['summary']),
          errorCode: text(s['error_code']),
        }
      : null,
    loaded: loaded
      ? {
          command: text(loaded['command']) ?? '',
          args: Array.isArray(loaded['args']) ? loaded['args'].map(String) : [],
          envNames: Object.keys(object(loaded['env'])),
          isolation: loaded['isolation'] ?? null,
          enabled: loaded['enabled'] === true,
          docker_isolation: reading.config?.['docker_isolation'] ?? null,
        }
      : null,
  }
}
