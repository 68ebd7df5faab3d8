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
