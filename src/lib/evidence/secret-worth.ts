/** Whether a value is worth hiding, and what stands in its place. */

/** On a terminal and in a report. */
export const mark = '••••'

// Values that say nothing about anybody, and without which a diagnosis cannot be read.
const plainWords = new Set([
  'true',
  'false',
  'yes',
  'no',
  'on',
  'off',
  'none',
  'null',
  'info',
  'debug',
  'warn',
  'warning',
  'error',
  'trace',
  'production',
  'development',
  'staging',
  'test',
  'stdio',
  'http',
  'https',
  'sse',
  'utf-8',
  'utf8',
  'c.utf-8',
  'en_us.utf-8',
  'localhost',
  '127.0.0.1',
  '0.0.0.0',
  '::1',
  'host.docker.internal',
  'default',
  'node',
  'python',
  'docker',
  'root',
  'utc',
  'oauth',
  'oauth2',
  'basic',
  'bearer',
  'apikey',
  'api-key',
  'password',
  'secret',
  'token',
])
export const secretName = /key|token|secret|passw|pwd|credential|auth|cookie|session|bearer|private|signature|dsn/i

/** Too short or too common to be struck from text; in their own place values are masked all the same. */
export function worthHiding(value: string, name: string): boolean {
  const v = value.trim()
  if (v.length < 4 || plainWords.has(v.toLowerCase()) || /^\$\{[^}]*\}$/.test(v)) return false
  if (secretName.test(name)) return true
  return (
    !/^\d{1,5}$/.test(v) &&
    !isNameOfThing(v) &&
    !/^(?:\/|\.\/|~\/)[\w./-]*$/.test(v) &&
    !/^https?:\/\/(?:localhost|127\.0\.0\.1|host\.docker\.internal)(?::\d+)?[\w/.-]*$/i.test(v)
  )
}

/** An image or a package: `mcp/everything`, `node:20-alpine`, `@scope/name@1.2.3`. */
const isNameOfThing = (v: string): boolean =>
  /^@?[a-z][a-z._-]*(?:\/[a-z][a-z._-]*)+(?:[:@][\w.-]{1,20})?$/.test(v) ||
  /^[a-z][a-z._-]*\d{0,2}[:@](?:latest|lts|slim|alpine|v?\d+(?:\.\d+)*)(?:-[a-z0-9.]+)*$/.test(v) ||
  /^v?\d+(?:\.\d+){1,3}$/.test(v)

/** What stands in a bundle in place of a secret, or what holds it. */
export const isToken = (text: string): boolean => /(?:SECRET|VALUE)_[0-9a-f]{12}/.test(text)
/** The same without what stands there for secrets: its own word makes no secret of what follows it. */
export const withoutTokens = (text: string): string => text.replaceAll(/(?:SECRET|VALUE)_[0-9a-f]{12}/g, '')
/** A value in a bundle that was a secret by its name or its form, on the machine as well. */
export const isSecretToken = (value: string): boolean => /^SECRET_[0-9a-f]{12}$/.test(value)

/**
 * Words of docker, MCPProxy and of programs that fail. Who has one of them as a password shares it with every log: it is masked in
 * its own place and beside its name, but struck from other texts nothing could be read any more.
 */
export const diagnosticWords: ReadonlySet<string> = new Set(
  (
    'access address already argument arguments attach bash bind bridge cannot cause client closed code command config connect connected ' +
    'connection container containers context create created daemon data denied destroy died directory disabled disconnected docker ' +
    'download enabled endpoint engine entrypoint environment error errors event everything exec executable exit exited expected failed ' +
    'failure fatal fetch file found handshake healthy host http https image images index info init initialize initialized install ' +
    'invalid isolation kill killed label labels listen load local lock login logs main manifest mcpproxy memory message method missing ' +
    'mode module mount name network node none null open option output package password path permission ping pipe platform port process ' +
    'program prompt protocol proxy pull python read ready reason redis refused registry remove removed request required resource restart ' +
    'response result retry root running runtime script secret server servers service session setup shell signal socket start started ' +
    'starting state status stderr stdin stdio stdout step stop stopped string supported system test time timeout token tool tools ' +
    'transport type unable unexpected unknown update user usage value variable version volume wait waiting warning write'
  ).split(' '),
)
