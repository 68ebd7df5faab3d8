/** Which runtime MCPProxy sees in a command, and which image it takes for it. */
import type { GlobalConfig, ServerEntry } from '../formats/mcp-config.ts'
import { since, type Version } from './versions.ts'

const known: Record<string, string> = {
  python: 'python',
  python3: 'python',
  'python3.11': 'python',
  'python3.12': 'python',
  'python3.13': 'python',
  uvx: 'uvx',
  pip: 'pip',
  pip3: 'pip',
  pipx: 'pipx',
  node: 'node',
  npm: 'npm',
  npx: 'npx',
  yarn: 'yarn',
  go: 'go',
  cargo: 'cargo',
  rustc: 'rustc',
  ruby: 'ruby',
  gem: 'gem',
  php: 'php',
  composer: 'composer',
  sh: 'sh',
  bash: 'bash',
}

/** The last element of a path, as Go's filepath.Base on Unix. */
export function baseName(command: string): string {
  // Most have no path.
  return command.includes('/') ? (command.replace(/\/+$/, '').split('/').at(-1) ?? command) : command
}

// Images that hold nothing of anybody's own, so that another one can take their place.
const stock = /^(?:docker\.io\/)?(?:library\/)?(alpine|busybox|debian|ubuntu|python|node|golang|ruby|php|rust)(?::[\w.-]+)?$/
const uvImage = /^ghcr\.io\/astral-sh\/uv(?::[\w.-]+)?$/

/** The name of a public image that holds only a language or a system, e.g. `node`; null: any other. */
export const stockImage = (image: string | null): string | null => stock.exec(image ?? '')?.[1] ?? null

/** The same, or the image with uv that is MCPProxy's own default. */
export const plainImage = (image: string | null): boolean => stockImage(image) !== null || uvImage.test(image ?? '')

/** `runtime_type` of the logs. Unknown programs are `binary`. */
export function detectRuntime(command: string): string {
  const name = baseName(command)
  const exact = Object.hasOwn(known, name) ? known[name] : undefined
  if (exact) return exact
  const lower = name.toLowerCase()
  if (lower.includes('python')) return 'python'
  if (lower.includes('node')) return 'node'
  return 'binary'
}

const images = (python: string, node: string): Record<string, string> => ({
  ...{ python, python3: python, uvx: python, pip: python, pipx: python },
  ...{ node, npm: node, npx: node, yarn: node },
  go: 'golang:1.21-alpine',
  cargo: 'rust:1.75-slim',
  rustc: 'rust:1.75-slim',
  ruby: 'ruby:3.2-alpine',
  gem: 'ruby:3.2-alpine',
  php: 'php:8.2-cli-alpine',
  composer: 'php:8.2-cli-alpine',
  binary: 'alpine:3.18',
  sh: 'alpine:3.18',
  bash: 'alpine:3.18',
})
const modern = images('ghcr.io/astral-sh/uv:python3.13-bookworm-slim', 'node:22')
const old = images('python:3.11', 'node:20')

/** MCPProxy's own map: v0.7 to v0.23, and since v0.24.0. */
export const builtInImages = (version: Version): Readonly<Record<string, string>> => (since(version, 'uvImages') ? modern : old)

/** A name without a slash gets `<registry>/library/` in front; anything else stays. */
export function fullImageName(image: string, registry: string): string {
  return image.includes('/') ? image : `${registry || 'docker.io'}/library/${image}`
}

export interface ImageChoice {
  image: string
  /** Where it was decided. */
  from: 'server' | 'default_images' | 'built-in' | 'fallback'
  runtimeType: string
}

export function chooseImage(server: ServerEntry, global: GlobalConfig, version: Version): ImageChoice {
  const runtimeType = detectRuntime(server.command)
  const registry = global.docker_isolation.registry ?? 'docker.io'
  const own = server.isolation?.image
  if (own) return { image: fullImageName(own, registry), from: 'server', runtimeType }
  const configured = global.docker_isolation.default_images[runtimeType]
  if (configured !== undefined) return { image: fullImageName(configured, registry), from: 'default_images', runtimeType }
  const builtIn = builtInImages(version)[runtimeType]
  if (builtIn) return { image: fullImageName(builtIn, registry), from: 'built-in', runtimeType }
  return { image: fullImageName('alpine:3.18', registry), from: 'fallback', runtimeType }
}
