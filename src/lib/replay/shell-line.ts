/** Servers on the host that are a shell line around docker: only a plain `docker run` in it can be made safe to repeat. */
import type { StartSpec } from './start-spec.ts'

type HostSpec = Extract<StartSpec, { kind: 'host' }>

export type HostStart =
  /** It does not call a container engine, as far as its words tell. */
  | { kind: 'host'; spec: HostSpec }
  /** The docker command of the line, to be planned as a server's own docker command is. */
  | { kind: 'docker'; spec: StartSpec }
  | { kind: 'refused'; why: string }

const engines = /(?:^|[^\w.-])(?:docker|docker-compose|podman|nerdctl|buildah|ctr|kubectl)(?:\.exe)?(?![\w.-])/i

/** A program of the host may do what it likes. What names a container engine is started only as a planned `docker run`. */
export function hostStart(spec: HostSpec): HostStart {
  const words = [spec.command, ...spec.args]
  if (!words.some((w) => engines.test(w))) return { kind: 'host', spec }
  const line = shellLineOf(words)
  const simple = line === null ? null : simpleWords(line)
  if (simple && isDocker(simple[0]) && simple[1] === 'run')
    return { kind: 'docker', spec: { kind: 'docker', runArgs: simple.slice(1), command: [], env: spec.env } }
  return { kind: 'refused', why: 'it calls a container engine in a way that cannot be made safe to repeat' }
}

const isDocker = (word: string | undefined): boolean => word !== undefined && /^docker(?:\.exe)?$/i.test(word.split(/[\\/]/).at(-1) ?? '')

/** The line of `sh -c LINE`; null: it is no such call, or more follows. */
function shellLineOf([command = '', ...args]: readonly string[]): string | null {
  if (!/^(?:ba|da|z|k|a)?sh$/.test(command.split('/').at(-1) ?? '')) return null
  const [flag = '', line, ...more] = args
  return /^-l?c$/.test(flag) && line !== undefined && more.length === 0 ? line : null
}

/** The words of one plain command; null where a shell would do more than split it: expand, redirect, chain, assign. */
export function simpleWords(line: string): string[] | null {
  if (/[\n\r;&|<>$`\\(){}*?~#![\]]/.test(line)) return null
  const words: string[] = []
  const rest = line.replace(/\s*(?:exec\s+)?((?:'[^']*'|"[^"]*"|[^\s'"])+)/gy, (_, word: string) => {
    words.push(word.replace(/'([^']*)'|"([^"]*)"/g, (_quoted, single?: string, double?: string) => single ?? double ?? ''))
    return ''
  })
  return rest.trim() === '' && words.length > 0 && !/^[A-Za-z_]\w*=/.test(words[0] ?? '') ? words : null
}
