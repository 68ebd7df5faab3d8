/**
 * What programs in the container (node, python, npm, uv, shells, servers) print when they fail.
 * These are texts of other programs, in any wording: an observation that needs a second one.
 */
import { dockerError, isUsageHint } from './docker-error.ts'
import { field, type LogLine } from './log-line.ts'

export type ProgramErrorKind =
  | 'env-missing'
  | 'file-missing'
  | 'script-missing'
  | 'module-missing'
  | 'carriage-return'
  | 'shell-not-found'
  | 'spawn-missing'
  | 'connection-refused'
  | 'connection-timeout'
  | 'name-unresolved'
  | 'certificate'
  | 'heap'
  | 'permission'
  | 'read-only'
  | 'database-closed'
  | 'no-space'
  | 'is-directory'
  | 'killed-child'
  | 'npm-not-found'
  | 'npm-no-version'
  | 'npm-no-program'
  | 'npm-network'
  | 'npm-dns'
  | 'npm-cache-permission'
  | 'npm-cache-damaged'
  | 'npm-read-only'
  | 'uv-not-found'
  | 'uv-no-version'
  | 'uv-program-differs'
  | 'uv-python'
  | 'uv-dns'
  | 'uv-network'
  | 'pip-unknown-command'
  | 'tool-missing'
  | 'library-missing'
  | 'runtime-version'
  | 'sdk-major'
  | 'protocol-version'
  | 'speaks-http'
  | 'browser-sandbox'
  | 'browser-locked'
  | 'usage'
  | 'bad-option'
  | 'emulation'
  | 'syntax-error'
  | 'host-header'
  | 'stdout-not-json'

export interface ProgramError {
  kind: ProgramErrorKind
  line: LogLine
  text: string
  /** A path, variable, host, module or package that the text names. */
  subject: string | null
  /** e.g. a port or version. */
  detail: string | null
}

interface Pattern {
  kind: ProgramErrorKind
  pattern: RegExp
  subject?: number
  detail?: number
}

const patterns: Pattern[] = [
  // -- npm
  // npm error syscall spawn git
  { kind: 'tool-missing', pattern: /^npm (?:error|ERR!) syscall spawn (\S+)$/i, subject: 1 },
  // npm error code E404   ·   npm error 404  The requested resource 'x@*' could not be found   ·   npm error 404 Not Found - GET https://…/x - Not found
  {
    kind: 'npm-not-found',
    pattern: /^npm (?:error|ERR!) (?:code E404|404 {1,2}(?:The requested resource )?'([^']+)'|404 Not Found - GET \S+\/([^/\s]+))/i,
    subject: 1,
  },
  {
    kind: 'npm-no-version',
    pattern: /^npm (?:error|ERR!) (?:code ETARGET|notarget No matching version found for (\S+?)\.?$)/i,
    subject: 1,
  },
  { kind: 'npm-no-program', pattern: /^npm (?:error|ERR!) could not determine executable to run/i },
  {
    kind: 'npm-dns',
    pattern: /^npm (?:error|ERR!) (?:code (?:EAI_AGAIN|ENOTFOUND)|.*getaddrinfo (?:EAI_AGAIN|ENOTFOUND) (\S+))/i,
    subject: 1,
  },
  // npm error path …/.npm/_cacache/tmp after code EACCES
  {
    kind: 'npm-cache-permission',
    pattern: /^npm (?:error|ERR!) code EACCES|^npm (?:error|ERR!) Your cache folder contains root-owned files/i,
  },
  {
    kind: 'npm-read-only',
    pattern: /^npm (?:error|ERR!) code EROFS|^npm (?:error|ERR!) enoent .*ENOENT: no such file or directory, mkdir '([^']+)'/i,
    subject: 1,
  },
  {
    kind: 'npm-cache-damaged',
    pattern: /^npm (?:error|ERR!) code (?:EINTEGRITY|ENOTEMPTY|EEXIST|ECOMPROMISED)|^npm warn tarball .* seems to be corrupted/i,
  },
  // npm error FetchError: request to http://… failed, reason: connect ECONNREFUSED 172.17.0.1:4999
  {
    kind: 'npm-network',
    pattern:
      /^npm (?:error|ERR!) (?:code (?:ECONNREFUSED|ETIMEDOUT|ECONNRESET|ERR_SOCKET_TIMEOUT|EHOSTUNREACH|ENETUNREACH)|.*request to (\S+) failed)/i,
    subject: 1,
  },
  { kind: 'no-space', pattern: /^npm (?:error|ERR!) code ENOSPC/i },
  // -- uv
  //   × No solution found when resolving tool dependencies:
  //   ╰─▶ Because nosuch was not found in the package registry and you require nosuch, …
  { kind: 'uv-not-found', pattern: /Because (\S+) was not found in the (?:package registry|cache)/i, subject: 1 },
  { kind: 'uv-no-version', pattern: /Because there (?:is|are) no versions? of (\S+)/i, subject: 1 },
  {
    kind: 'uv-python',
    pattern:
      /(?:current|requested) Python version \(([^)]+)\) does not satisfy (Python\S+)|requires-python|requires Python ?([<>=~!]+\S+)/i,
    subject: 1,
    detail: 2,
  },
  // ERROR: Package 'mcp' requires a different Python: 3.9.2 not in '>=3.10'   ·   error: The requested interpreter resolved to Python 3.8.10, which is incompatible with …
  {
    kind: 'uv-python',
    pattern: /requires a different Python: (\S+) not in|interpreter resolved to (Python \S+?), which is incompatible/i,
    subject: 1,
  },
  // error: No interpreter found for Python 3.13 in managed installations or search path
  { kind: 'uv-python', pattern: /No interpreter found for (Python \S+)/i, subject: 1 },
  // The executable `x` was not found.   ·   An executable named `x` is not provided by package `y`.
  {
    kind: 'uv-program-differs',
    pattern:
      /The executable `([^`]+)` was not found|An executable named `([^`]+)` is not provided by package|Package `([^`]+)` does not provide any executables/i,
    subject: 1,
  },
  { kind: 'uv-dns', pattern: /dns error|failed to lookup address information/i },
  {
    kind: 'uv-network',
    pattern: /error sending request for url \(([^)]+)\)|Failed to fetch: `([^`]+)`|Request failed after \d+ retries/i,
    subject: 1,
  },
  { kind: 'pip-unknown-command', pattern: /^ERROR: unknown command "([^"]+)"/i, subject: 1 },
  // -- files
  // python: can't open file '/home/user/server/main.py': [Errno 2] No such file or directory
  { kind: 'script-missing', pattern: /can't open file '([^']+)'/i, subject: 1 },
  // Error: Cannot find module '/home/user/server/index.js'   ·   error: Module not found "/home/user/server/index.ts"
  {
    kind: 'script-missing',
    pattern: /(?:Cannot find module '|Module not found ["'])((?:\/|[A-Za-z]:\\|~)[^'"]*)['"](?! imported)/i,
    subject: 1,
  },
  { kind: 'module-missing', pattern: /Cannot find (?:module|package) '([^']+)'/i, subject: 1 },
  { kind: 'sdk-major', pattern: /No module named 'mcp\.server\.fastmcp'|This is mcp 2\.x/i },
  // ModuleNotFoundError: No module named 'tomllib'   (a part of Python itself, of newer or of older releases)
  {
    kind: 'runtime-version',
    pattern: /No module named '(tomllib|zoneinfo|graphlib|distutils|imp|asyncore|asynchat|telnetlib|audioop|cgi)'/i,
    subject: 1,
  },
  { kind: 'module-missing', pattern: /ModuleNotFoundError: No module named '([^']+)'|No module named '?([\w.]+)'?$/i, subject: 1 },
  {
    kind: 'script-missing',
    pattern: /^(?:\S*sh|\/bin\/\S+)?:? ?(?:\d+: |line \d+: )?(?:can't open|cannot open) '?(?!path of the current)([^':]+)'?/i,
    subject: 1,
  },
  // sh: 1: cd: can't cd to /home/user/app   ·   bash: line 1: cd: /home/user/app: No such file or directory
  {
    kind: 'file-missing',
    pattern: /\bcd: (?:line \d+: )?(?:can't cd to |no such file or directory: )?([/~.$][^:]*)(?:: No such file or directory)?$/i,
    subject: 1,
  },
  // /usr/bin/env: 'bash\r': No such file or directory   ·   env: can't execute 'bash\r': No such file or directory   ·   /app/run.sh: /bin/bash^M: bad interpreter: …
  {
    kind: 'carriage-return',
    pattern:
      /\benv: (?:can't execute )?['‘"]?([^'‘"]+?)(?:\\r|\r|\^M)['’"]?: No such file or directory|(?<!\S)(\S+)\^M: bad interpreter: /i,
    subject: 1,
  },
  // /bin/sh: 1: npx: not found   ·   sh: exec: line 0: node: not found   ·   env: 'node': No such file or directory
  {
    kind: 'shell-not-found',
    pattern:
      /^(?:[\w./-]*sh|env|\/usr\/bin\/env|[\w./-]+\.sh): (?:exec: )?(?:(?:line )?\d+: )?(?:exec: )?['‘"]?([^:'’"\s]+)['’"]?: (?:command )?(?:not found|No such file or directory)$/i,
    subject: 1,
  },
  { kind: 'shell-not-found', pattern: /^(?:zsh|fish):?\d*: command not found: (\S+)/i, subject: 1 },
  // Error: spawn npx ENOENT   ·   Error: spawnSync docker ENOENT
  { kind: 'spawn-missing', pattern: /\bspawn(?:Sync)? (\S+) ENOENT\b/i, subject: 1 },
  // FileNotFoundError: [Errno 2] No such file or directory: 'ffmpeg'
  { kind: 'spawn-missing', pattern: /\[Errno 2\] No such file or directory: '([\w+-]+)'/i, subject: 1 },
  {
    kind: 'read-only',
    pattern:
      /EROFS: read-only file system(?:, \w+ '([^']+)')?|\[Errno 30\] Read-only file system(?:: '([^']+)')?|Read-only file system(?: \(os error 30\))?/i,
    subject: 1,
  },
  // Not: ENOSPC: System limit for number of file watchers reached, which is a limit of the kernel and no full disk.
  { kind: 'no-space', pattern: /^(?!.*(?:file watchers|inotify)).*(?:ENOSPC|No space left on device|database or disk is full)/i },
  // sqlite3.OperationalError: unable to open database file   ·   SqliteError: attempt to write a readonly database
  { kind: 'database-closed', pattern: /unable to open database file|attempt to write a readonly database/i },
  {
    kind: 'is-directory',
    pattern: /EISDIR: illegal operation on a directory|IsADirectoryError|\[Errno 21\] Is a directory(?:: '([^']+)')?/i,
    subject: 1,
  },
  {
    kind: 'permission',
    pattern:
      /EACCES: permission denied(?:, \w+ '([^']+)')?|\[Errno 13\] Permission denied(?:: '([^']+)')?|Permission denied \(os error 13\)|Failed to initialize cache at `([^`]+)`/i,
    subject: 1,
  },
  {
    kind: 'file-missing',
    pattern:
      /ENOENT: no such file or directory, \w+ '([^']+)'|\[Errno 2\] No such file or directory: '([^']+)'|no such file or directory: ["'`]?(\/[^"'`]+?)["'`]?$|(?:open|stat|lstat|read) (\/\S+): no such file or directory/i,
    subject: 1,
  },
  {
    kind: 'file-missing',
    pattern:
      /(?:Error accessing directory|directory|path|file) ["'`]?(\/[^"'`:]+)["'`]?:? (?:.*)?(?:does not exist|doesn't exist|not found|not accessible)/i,
    subject: 1,
  },
  // -- network
  // connect ECONNREFUSED 127.0.0.1:5432   ·   connect ECONNREFUSED ::1:5432
  { kind: 'connection-refused', pattern: /ECONNREFUSED (\[?::1\]?|[\w.-]+|\[?[\w.:]*[\w\]])(?::(\d+))?(?![\w:])/i, subject: 1, detail: 2 },
  {
    kind: 'connection-refused',
    pattern:
      /(?:dial tcp|connect to|connecting to|connection to|server at|host[ =]) ?"?\[?(localhost|127\.\d+\.\d+\.\d+|::1|[\w.-]+)\]?"?(?:[:,]| (?:\([^)]*\),? )?port )(\d+)\b.*(?:refused|Errno 111)/i,
    subject: 1,
    detail: 2,
  },
  { kind: 'connection-refused', pattern: /Connection refused|Errno 111|os error 111/i },
  {
    kind: 'name-unresolved',
    pattern:
      /getaddrinfo (?:EAI_AGAIN|ENOTFOUND) ([\w.-]+)|lookup ([\w.-]+)(?: on \S+)?: (?:no such host|server misbehaving|.*i\/o timeout)|could not (?:resolve host|translate host name)[: ]+"?([\w.-]+)|Failed to resolve '([\w.-]+)'/i,
    subject: 1,
  },
  {
    kind: 'name-unresolved',
    pattern: /Temporary failure in name resolution|Name or service not known|nodename nor servname provided|bad address '[\w.-]+'/i,
  },
  {
    kind: 'certificate',
    pattern:
      /SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|DEPTH_ZERO_SELF_SIGNED|unable to get local issuer certificate|self[- ]signed certificate|CERTIFICATE_VERIFY_FAILED|invalid peer certificate: ?(\w*)|x509: certificate signed by unknown authority|certificate verify failed|CERT_HAS_EXPIRED|certificate has expired|ERR_TLS_CERT_ALTNAME_INVALID/i,
    subject: 1,
  },
  { kind: 'connection-timeout', pattern: /ETIMEDOUT(?: ([\d.:a-f]+))?|connect timeout|ConnectTimeout|timed out connecting/i, subject: 1 },
  // -- memory and processes
  { kind: 'heap', pattern: /JavaScript heap out of memory/i },
  { kind: 'killed-child', pattern: /signal: killed|signal SIGKILL|exited with (?:code|status) 137|terminated by signal 9\b|^Killed$/i },
  // entrypoint.sh: 11: exec: /srv/server: Exec format error   ·   bash: /srv/server: cannot execute binary file: Exec format error
  {
    kind: 'emulation',
    pattern: /(?:^|\s)([^\s:]+): (?:cannot execute(?: binary file)?: )?exec format error|Exec format error: '([^']+)'|spawn (\S+) ENOEXEC/i,
    subject: 1,
  },
  { kind: 'emulation', pattern: /qemu: uncaught target signal|^qemu-\w+: Could not open|^rosetta error: |exec format error/i },
  // -- what the image lacks
  { kind: 'tool-missing', pattern: /(Git) executable not found/i, subject: 1 },
  {
    kind: 'tool-missing',
    pattern: /gyp ERR! find Python|command '(\w*(?:gcc|cc|g\+\+|clang))' failed|error: linker `cc` not found|unable to execute '?gcc/i,
    subject: 1,
  },
  { kind: 'tool-missing', pattern: /Executable doesn't exist at (\S+)|Could not find (?:Chrome|Chromium|browser)/i, subject: 1 },
  {
    kind: 'library-missing',
    // OSError: libGL.so.1: cannot open shared object file: No such file or directory   ·   /lib/libc.so.6: version `GLIBC_2.38' not found (required by /app/server)
    // Error relocating /app/x.node: __memcpy_chk: symbol not found   ·   Error loading shared library ld-linux-x86-64.so.2: No such file or directory
    pattern:
      /^(?!.*Could not load dynamic library).*(?:error while loading shared libraries: ([^:]+):|\b(lib[\w.+-]+): cannot open shared object file)|(?<!\S)(\S+): version `(?:GLIBC|GLIBCXX|CXXABI)_[\d.]+' not found|Error relocating (\S+): \S+: symbol not found|Error loading shared library ([^:]+):/i,
    subject: 1,
  },
  {
    kind: 'runtime-version',
    pattern:
      /ReferenceError: (?:File|ReadableStream|fetch|Headers|FormData|WebSocket|CustomEvent|crypto) is not defined|crypto\.randomUUID is not a function|module 'asyncio' has no attribute '(?:TaskGroup|timeout|Runner)'|cannot import name '\w+' from '(?:typing|collections|asyncio|datetime|enum|types|functools|inspect)'|unsupported operand type\(s\) for \|: '[\w.]+' and '(?:NoneType|type|[\w.]*Alias)'|Unexpected token '(?:\?\?=?|\|\|=|&&=|\?\.)'|NODE_MODULE_VERSION \d+|requires at least Node|ERR_REQUIRE_ESM|^npm (?:error|ERR!) .*(?:EBADENGINE|Unsupported engine)|ERR_UNKNOWN_BUILTIN_MODULE|No such built-in module: node:|requested module '(?:node:\w[\w/]*|fs|fs\/promises|util|path|crypto|events|stream|http|module|url|worker_threads|timers\/promises)' does not provide an export named|requires Node(?:\.js)? ?(?:version )?([<>=v\d. ]+)/i,
    subject: 1,
  },
  {
    kind: 'browser-sandbox',
    pattern:
      /No usable sandbox|Running as root without --no-sandbox is not supported|SUID sandbox helper binary was found, but is not configured|Failed to move to new namespace/i,
  },
  {
    kind: 'browser-locked',
    pattern: /Browser is already in use for (\S+?),|profile appears to be in use by another \w+ process/i,
    subject: 1,
  },
  // -- protocol
  { kind: 'protocol-version', pattern: /Unsupported protocol version|protocol version (?:is )?not supported/i },
  // Failed to parse JSONRPC message from server   (an MCP client of its own, e.g. a bridge)
  { kind: 'stdout-not-json', pattern: /Failed to parse JSON-?RPC message/i },
  { kind: 'host-header', pattern: /421 Misdirected Request|Invalid Host(?: header|: [\w.-]+)/i },
  // Uvicorn running on http://0.0.0.0:8000   ·   Server listening on port 3000   ·   Serving HTTP on 0.0.0.0 port 8000
  {
    kind: 'speaks-http',
    pattern:
      /^(?!.*\b(?:debugger|inspector) listening).*(?:running|listening|serving|started|available|server)\b.{0,40}?\b(?:on|at)\b.{0,20}?(?:https?:\/\/|port |:)\S*?(\d{2,5})\b|Serving HTTP on (\S+)|Waiting for server to respond to `?initialize/i,
    subject: 1,
  },
  // -- options
  // node: bad option: --memory
  {
    kind: 'bad-option',
    pattern:
      /bad option: (-\S+)|(?:unknown|unrecognized|invalid|illegal) (?:option|argument|arguments|flag)s?:? ?(?:--? )?["'`]?(-\S+?)["'`]?(?:\s|$)|unexpected argument '(-[^']+)'/i,
    subject: 1,
  },
  {
    kind: 'usage',
    pattern:
      /^usage: |the following (?:required )?arguments (?:are required|were not provided)|error: Missing (?:argument|option|command)/i,
  },
  { kind: 'syntax-error', pattern: /^SyntaxError: (.*)/i, subject: 1 },
]

/**
 * Where the exception that ended the process begins: index into these lines, or null when none is
 * seen. What stands before it is what the program went on after.
 */
export function fatalStart(lines: readonly string[]): number | null {
  // Node prints its version as the last line of an uncaught exception, and nowhere else.
  const trailer = lines.findLastIndex((l) => /^Node\.js v\d+\.\d+/.test(l))
  for (let i = trailer - 1; i >= 0; i--) {
    if (/^\^+$/.test(lines[i] as string)) return i + 1
  }
  let start = lines.findLastIndex((l) => /Traceback \(most recent call last\):$/.test(l))
  if (start < 0) return null
  // During handling of the above exception, another exception occurred: …: the first of the chain is the cause.
  for (let i = start - 1; i >= 0; i--) {
    if (/^Traceback \(most recent call last\):$/.test(lines[i] as string) && lines.slice(i, start).some((l) => chained.test(l))) start = i
  }
  return start
}
const chained = /^(?:During handling of the above exception|The above exception was the direct cause)/

// metrics: connect ECONNREFUSED 127.0.0.1:9090 (optional, ignored)   ·   SENTRY_DSN not set, error reporting disabled
const unimportant =
  /\b(?:optional|ignor(?:ed|ing)|skipp(?:ed|ing)|disabled|fall(?:ing|s)? ?back|using (?:the |a )?defaults?|default(?:s|ing) to|continuing|going on|using (?:unauthenticated|anonymous|in-memory))\b/i
/** What a program can do without, and then says so. */
const circumstances = new Set<ProgramErrorKind>([
  'env-missing',
  'file-missing',
  'connection-refused',
  'connection-timeout',
  'name-unresolved',
  'protocol-version',
])

export function readProgramErrors(stderr: readonly LogLine[]): readonly ProgramError[] {
  const before = known.get(stderr)
  if (before) return before
  const found = stderr.flatMap((line): ProgramError[] => {
    const text = (field(line, 'message') ?? '').trim()
    if (dockerError(text) || isUsageHint(text)) return []
    const found = programError(text)
    if (found && goesOnWithout(found.kind, text)) return []
    return found ? [{ ...found, line, text }] : []
  })
  known.set(stderr, found)
  return found
}
/** Many rules ask for the same lines. */
const known = new WeakMap<readonly LogLine[], readonly ProgramError[]>()

/** Whether the program says that it goes on without what it misses: that is no failure. */
export const goesOnWithout = (kind: ProgramErrorKind, text: string): boolean =>
  circumstances.has(kind) && unimportant.test(text) && !/\b(?:fatal|critical|panic)\b/i.test(text)

export function programError(text: string): Omit<ProgramError, 'line' | 'text'> | null {
  // A regular expression must not be fed megabytes.
  const short = text.length > 2000 ? text.slice(0, 2000) : text
  const variable = missingVariable(short)
  if (variable) return { kind: 'env-missing', subject: variable, detail: null }
  for (const { kind, pattern, subject, detail } of patterns) {
    const m = pattern.exec(short)
    if (!m) continue
    const second = detail === undefined ? null : (m[detail] ?? null)
    const first =
      subject === undefined
        ? null
        : (m.slice(subject).find((g, i) => g !== undefined && (detail === undefined || subject + i !== detail)) ?? null)
    return { kind, subject: first, detail: second }
  }
  return null
}

const wanting =
  /not set|isn't set|required?\b|missing|undefined|unset|(?:is|are) empty|must (?:be )?(?:set|provide|define|specif|export)|not (?:been )?(?:provided|found|defined|configured|specified|present|available)|(?:please|need to|have to|you must) (?:set|provide|define|export|configure)|needs? |expected|KeyError|no value|couldn't find|could not find|cannot find|invalid or missing|set the |provide (?:a|an|the|your) /i
// Error codes look like variables but are none.
const noVariable =
  /^(?:ERR_|E[A-Z]+$|GLIBC_|GLIBCXX_|CXXABI_|NODE_MODULE_VERSION$|MODULE_|UNABLE_TO_|SELF_SIGNED|CERT_|CERTIFICATE_|DEPTH_ZERO|HTTP_|JSON_|MCP_VERSION)|_NOT_FOUND$|_ERROR$/

/** The environment variable that a text asks for; a flag such as `--api-key is required` counts as its name. */
function missingVariable(text: string): string | null {
  // KeyError: 'DEMO_API_KEY'
  const key = /KeyError: ['"]([A-Z][A-Z0-9_]+)['"]/.exec(text)
  if (key?.[1]) return key[1]
  const flag = /(--[a-z][a-z-]*(?:key|token|secret|password|url)) (?:is|are) required/.exec(text)
  if (flag?.[1]) return flag[1]
  if (!wanting.test(text)) return null
  const one =
    /\b([A-Z][A-Z0-9_]{2,})["'`]? (?:environment|env)\b|(?:environment|env)(?:ironment)? var(?:iable)?s?:? ["'`$]?([A-Z][A-Z0-9_]{2,})\b/.exec(
      text,
    )
  const named = one?.[1] ?? one?.[2]
  if (named && !noVariable.test(named)) return named
  for (const m of text.matchAll(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g)) if (!noVariable.test(m[0])) return m[0]
  return null
}
