/** Secrets of forty kinds planted into a recording: each place has values of its own, so that a leak says where it came from. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { canaries, canaryAt, spelledCanary, type Canary } from './planted-capture.ts'

export interface Planted extends Canary {
  place: string
}

type Json = Record<string, unknown>
const isText = (value: unknown): value is string => typeof value === 'string'
const record = (value: unknown): Json => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {})
const list = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : [])

/** How MCPProxy and docker write a pair in free text. */
const pairOf = (name: string, value: string): string => (/[\s"'`]/.test(value) ? `${name}=${JSON.stringify(value)}` : `${name}=${value}`)
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

export function plant(folder: string, server: string): Planted[] {
  const planted: Planted[] = []
  /** One value of each kind for this place. `told`: the place has no name that would tell, so only those with a form of their own. */
  const values = (place: string, told: 'named' | 'by form' | 'any name' = 'named'): { name: string; value: string }[] =>
    canaries.flatMap((canary, i) => {
      const telling = /key|token|secret|pass|cookie/i.test(canary.variable ?? '')
      if (told === 'by form' ? canary.variable !== null : told === 'named' && canary.variable !== null && !telling) return []
      const value = canaryAt(i, place)
      planted.push({ ...canary, value, place })
      return [{ name: `K${i}_${canary.variable ?? (told === 'any name' ? 'SETTING' : 'TOKEN')}`, value }]
    })
  const flags = (place: string): string[] =>
    values(place).flatMap(({ name, value }, i) => {
      const flag = `--${name.toLowerCase().replaceAll('_', '-')}`
      return i % 2 === 0 ? [flag, value] : [`${flag}=${value}`]
    })
  const variables = (place: string): string[] =>
    values(place, 'any name').flatMap(({ name, value }, i) =>
      i % 3 === 0 ? ['-e', `${name}=${value}`] : i % 3 === 1 ? [`--env=${name}=${value}`] : [`-e${name}=${value}`],
    )
  const pairs = (place: string): Json => Object.fromEntries(values(place, 'any name').map(({ name, value }) => [name, value]))
  const change = (name: string, edit: (value: unknown) => unknown): void => {
    const file = join(folder, name)
    if (!existsSync(file)) return
    const text = readFileSync(file, 'utf8')
    try {
      writeFileSync(file, JSON.stringify(edit(JSON.parse(text)), null, 1))
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      // A configuration that is no JSON keeps its faults, and gets a secret beside them.
      writeFileSync(
        file,
        text.replace('{', () => `{\n  "api_key": ${JSON.stringify(values('broken configuration')[0]?.value)},`),
      )
    }
  }

  let said: { name: string; value: string }[] = []
  change('home/.mcpproxy/mcp_config.json', (value) => {
    const config = record(value)
    config['api_key'] = values('api_key')[createHash('sha256').update(folder).digest()[0] ?? 0]?.value ?? values('api_key')[0]?.value
    const isolation = record(config['docker_isolation'])
    config['docker_isolation'] = { ...isolation, extra_args: [...list(isolation['extra_args']), ...variables('global extra_args')] }
    for (const entry of list(config['mcpServers']).map(record)) {
      if (entry['name'] !== server) continue
      said = values('env', 'any name')
      entry['env'] = { ...record(entry['env']), ...Object.fromEntries(said.map(({ name, value: v }) => [name, v])) }
      entry['headers'] = Object.fromEntries(
        values('headers').map(({ name, value: v }) => [`X-${name.replaceAll('_', '-')}`, `Bearer ${v}`]),
      )
      const own = /docker/.test(String(entry['command']))
      const args = list(entry['args'])
      entry['args'] =
        own && args[0] === 'run' ? ['run', ...variables('args'), ...args.slice(1), ...flags('args')] : [...args, ...flags('args')]
      const block = record(entry['isolation'])
      entry['isolation'] = { ...block, extra_args: [...list(block['extra_args']), ...variables('extra_args')] }
    }
    const far = [
      ...values('url password').map(({ name, value: v }) => ({ name, url: `https://user:${encodeURIComponent(v)}@example.com/mcp` })),
      ...values('url query').map(({ name, value: v }) => ({
        name: `q${name}`,
        url: `https://example.com/mcp?x=1&${name.toLowerCase()}=${encodeURIComponent(v)}`,
      })),
    ]
    config['mcpServers'] = [...list(config['mcpServers']), ...far.map((f) => ({ ...f, protocol: 'http', enabled: false }))]
    return config
  })

  const logs = join(folder, 'home/.local/state/mcpproxy/logs')
  const spelled = said.flatMap(({ value }) => spelledCanary(value))
  const cut = said.filter(({ value }) => value.length > 20 && !/\s/.test(value)).map(({ value }) => value.slice(0, value.length - 5))
  for (const name of existsSync(logs) ? readdirSync(logs) : []) {
    let done = false
    const lines = readFileSync(join(logs, name), 'utf8').split('\n')
    const last = lines.findLastIndex((l) => l.includes(`"server": "${server}"`) && l.includes('stderr'))
    writeFileSync(
      join(logs, name),
      lines
        .flatMap((line, i) => {
          const setup = /^(.*"docker_run_args": \[)("run", )(.*)$/.exec(line)
          if (setup && line.includes(`"server": "${server}"`)) {
            const [, before = '', run = '', after = ''] = setup
            const more = variables(`docker_run_args ${done ? 'older' : ''}`)
            const inside = after.replace(/\]/, () => '"]').replace(/""\]/, '"]')
            done = true
            return [
              `${before}${run}${more.map((m) => `${JSON.stringify(m)}, `).join('')}${inside}`.replace(
                /"container_args": \[/,
                () =>
                  `"container_args": [${flags('container_args')
                    .map((f) => `${JSON.stringify(f)}, `)
                    .join('')}`,
              ),
            ]
          }
          if (i !== last) return [line]
          const at = `${/^\S+/.exec(line)?.[0] ?? ''} | INFO | core/monitoring.go:1 | stderr | `
          const say = (message: string): string => `${at}${JSON.stringify({ server, message })}`
          return [
            line,
            ...values('stderr pair').map(({ name: n, value }) => say(`refused ${pairOf(n, value)} by the server`)),
            ...values('stderr JSON').map(({ name: n, value }) => say(`body ${JSON.stringify({ [n]: value })}`)),
            ...values('stderr command').map(({ name: n, value }) => say(`docker run -e ${n}=${quoted(value)} x`)),
            ...values('stderr alone', 'by form').map(({ value }) => say(`the server said ${value} and went on`)),
            ...values('stderr bearer', 'by form').map(({ value }) => say(`Authorization: Bearer ${value}`)),
            ...values('stderr address').map(({ value }) => say(`dial https://user:${encodeURIComponent(value)}@example.com/ failed`)),
            ...values('stderr query').map(({ value }) => say(`GET https://example.com/?api_key=${encodeURIComponent(value)}`)),
            ...spelled.map((text) => say(`spelled ${text} end`)),
            ...cut.map((text) => say(`${'x'.repeat(Math.max(0, 500 - text.length))} ${text}...`)),
            line.replace(/"message": "/, () => `"message": "TOKEN=${values('stderr before')[0]?.value ?? ''} `),
          ]
        })
        .join('\n'),
    )
  }

  change('api/config.json', (v) => ({
    ...record(v),
    body: { success: true, data: { config: { api_key: values('API api_key')[3]?.value, env: pairs('API config') } } },
  }))
  change('api/servers.json', (v) => {
    const answer = record(v)
    for (const entry of list(record(record(answer['body'])['data'])['servers']).map(record)) {
      if (entry['name'] !== server) continue
      entry['env'] = pairs('API env')
      entry['args'] = [...list(entry['args']), ...flags('API args')]
      const words = values('last_error').map(({ name, value }) => pairOf(name, value))
      const more = ` ${words.join(' ')} ${spelled.join(' ')}`
      for (const key of ['last_error', 'status_message']) if (isText(entry[key])) entry[key] = `${entry[key]}${more}`
      const health = record(entry['health'])
      for (const key of ['detail', 'summary']) if (isText(health[key])) health[key] = `${health[key]}${more}`
    }
    return answer
  })
  // A label is public; what tells of a secret there is its name or its form.
  const labels = (place: string): Json => Object.fromEntries(values(place).map(({ name, value }) => [name, value]))
  change('docker/containers.json', (v) =>
    list(v).map((c) => ({
      ...record(c),
      Labels: { ...record(record(c)['Labels']), ...labels('container labels') },
      Command: `npx ${flags('container command').join(' ')}`,
    })),
  )
  change('docker/inspect-at-die.json', (v) =>
    list(v).map((c, i) => {
      const config = record(record(c)['Config'])
      const env = values(`inspect Env ${i}`, 'any name').map(({ name, value }) => `${name}=${value}`)
      return {
        ...record(c),
        Args: [...list(record(c)['Args']), ...flags(`inspect Args ${i}`)],
        Config: {
          ...config,
          Env: [...list(config['Env']), ...env],
          Labels: { ...record(config['Labels']), ...labels(`inspect labels ${i}`) },
        },
      }
    }),
  )
  const events = join(folder, 'docker/events.ndjson')
  if (existsSync(events))
    writeFileSync(
      events,
      readFileSync(events, 'utf8')
        .split('\n')
        .map((line, i) => {
          if (!line.includes('"Action":"create"') && !line.includes('"Action":"die"')) return line
          const event = JSON.parse(line) as Json
          const actor = record(event['Actor'])
          return JSON.stringify({
            ...event,
            Actor: { ...actor, Attributes: { ...record(actor['Attributes']), ...(i < 40 ? labels(`event ${i}`) : {}) } },
          })
        })
        .join('\n'),
    )
  const images = join(folder, 'docker/images')
  for (const name of existsSync(images) ? readdirSync(images) : [])
    change(join('docker/images', name), (v) => {
      const answer = record(v)
      const inspect = record(answer['inspect'])
      const config = record(inspect['Config'])
      if (answer['inspect'] === undefined) return v
      const env = values(`image Env ${name}`, 'any name').map(({ name: n, value }) => `${n}=${value}`)
      const [cmd] = list(config['Cmd'])
      return {
        ...answer,
        inspect: {
          ...inspect,
          Config: {
            ...config,
            Env: [...list(config['Env']), ...env],
            Labels: labels(`image labels ${name}`),
            Cmd: cmd === undefined ? config['Cmd'] : [...list(config['Cmd']), ...flags(`image Cmd ${name}`)],
          },
        },
      }
    })
  change('host/environment.json', (v) => ({
    ...record(v),
    env: {
      ...record(record(v)['env']),
      HTTPS_PROXY: `http://user:${encodeURIComponent(values('proxy address', 'named')[2]?.value ?? '')}@proxy.example:3128`,
    },
  }))
  return planted
}

const blanks = /\s+/g

/** Finds every value of many in one pass, in the spellings that a text may hold it in. */
export function findSecrets(planted: readonly Planted[]): (text: string) => string[] {
  const first = 6
  const traces = new Map<string, { trace: string; of: string }[]>()
  const add = (trace: string, of: string): void => {
    if (trace.length < first) return
    const key = trace.slice(0, first)
    const known = traces.get(key)
    if (known) known.push({ trace, of })
    else traces.set(key, [{ trace, of }])
  }
  for (const { kind, value, place } of planted) {
    const what = `${kind} of ${place}`
    for (const trace of new Set(tracesOf(value))) add(trace.replace(blanks, ''), what)
    // Any ten characters of a part that is drawn by lot.
    if (!/[^\w.-]/.test(value) && value.length >= 26)
      for (let at = 10; at + 10 <= value.length; at++) add(value.slice(at, at + 10), `a part: ${what}`)
  }
  return (text) => {
    // Text for people is wrapped anywhere.
    const whole = text.replace(blanks, '')
    const found = new Map<string, string>()
    for (let at = 0; at + first <= whole.length; at++)
      for (const { trace, of } of traces.get(whole.slice(at, at + first)) ?? [])
        if (!found.has(of) && whole.startsWith(trace, at))
          found.set(of, `${of}: …${whole.slice(Math.max(0, at - 40), at + trace.length + 10)}…`)
    return [...found.values()]
  }
}

/** The value, and what is the same of it in any base64. */
export function tracesOf(value: string): string[] {
  const bytes = Buffer.from(value)
  const inBase64 = [0, 1, 2].map((n) => {
    const text = Buffer.concat([Buffer.alloc(n), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    return text.slice(n === 0 ? 0 : n + 1, -2)
  })
  const escaped = JSON.stringify(value).slice(1, -1)
  return [value, escaped, JSON.stringify(escaped).slice(1, -1), encodeURIComponent(value), ...inBase64.filter((t) => t.length >= 8)]
}
