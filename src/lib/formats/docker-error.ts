/**
 * What the docker command and the engine say when `docker run` fails, of CLI 20.10 to 29 and
 * engines 20.10 to 28.5. Texts change between releases: a match is an observation, never a proof.
 */
import { field, type LogLine } from './log-line.ts'

export type DockerErrorKind =
  | 'tty'
  | 'cannot-connect'
  | 'connection-broken'
  | 'not-docker'
  | 'endpoint-invalid'
  | 'socket-denied'
  | 'api-version'
  | 'docker-missing'
  | 'docker-paused'
  | 'image-not-local'
  | 'rate-limit'
  | 'registry-login'
  | 'image-unknown'
  | 'reference-invalid'
  | 'registry-unreachable'
  | 'registry-tls'
  | 'platform-missing'
  | 'platform-warning'
  | 'credential-helper'
  | 'config-json-broken'
  | 'no-space'
  | 'exec-not-found'
  | 'exec-path-missing'
  | 'exec-denied'
  | 'exec-format'
  | 'interpreter-missing'
  | 'flag-unknown'
  | 'flag-value'
  | 'user-unknown'
  | 'device'
  | 'port-taken'
  | 'memory-limit'
  | 'cpu-limit'
  | 'cgroup-missing'
  | 'network-unknown'
  | 'container-missing'
  | 'image-absent'
  | 'network-repeated'
  | 'log-option'
  | 'log-driver'
  | 'mount-name'
  | 'mount-spec'
  | 'mount-source'
  | 'mount-kind'
  | 'mount-denied'
  | 'name-taken'
  | 'cidfile'
  | 'working-dir'
  | 'init-helper'
  | 'plugin-missing'
  | 'snap'
  | 'other'

export interface DockerError {
  kind: DockerErrorKind
  line: LogLine
  text: string
  /** What the text names: a program, path, flag, network, image, host. */
  subject: string | null
  detail: string | null
}

interface Pattern {
  kind: DockerErrorKind
  pattern: RegExp
  subject?: number
  detail?: number
}

// One real line above each pattern. First match wins, so the particular stand before the general.
const patterns: Pattern[] = [
  // the input device is not a TTY
  // cannot attach stdin to a TTY-enabled container because stdin is not a terminal  (docker CLI 29.4 and later)
  {
    kind: 'tty',
    pattern:
      /^(?:docker: )?(?:the input device is not a TTY|cannot attach stdin to a TTY-enabled container because stdin is not a terminal)/i,
  },
  // docker: permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: …
  {
    kind: 'socket-denied',
    pattern: /permission denied while trying to connect to the Docker (?:daemon socket|API) at (\S+?):? /i,
    subject: 1,
  },
  { kind: 'socket-denied', pattern: /permission denied while trying to connect to the Docker (?:daemon socket|API)/i },
  // docker: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?
  { kind: 'cannot-connect', pattern: /Cannot connect to the Docker daemon at (\S+?)\.? Is the docker daemon running/i, subject: 1 },
  // failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if the daemon is running: …
  { kind: 'cannot-connect', pattern: /failed to connect to the docker API at (\S+?);/i, subject: 1 },
  // error during connect: this error may indicate that the docker daemon is not running: … open //./pipe/docker_engine: …
  { kind: 'cannot-connect', pattern: /error during connect: .*?(open \/\/\.\/pipe\/\S+)/i, subject: 1 },
  { kind: 'docker-paused', pattern: /Docker Desktop is (?:manually )?paused/i },
  // * Are you trying to connect to a TLS-enabled daemon without TLS?
  { kind: 'not-docker', pattern: /malformed HTTP response|Are you trying to connect to a TLS-enabled daemon without TLS/i },
  // docker: error during connect: Head "http://%2Ftmp%2Flab-closes.sock/_ping": read: connection reset by peer
  { kind: 'connection-broken', pattern: /error during connect: (?:Head|Get|Post) "([^"]*)"/i, subject: 1 },
  // time="…" level=error msg="error waiting for container: unexpected EOF"
  { kind: 'connection-broken', pattern: /error waiting for container: unexpected EOF/i },
  // Failed to initialize: unable to resolve docker endpoint: context "colima": context not found: …
  { kind: 'endpoint-invalid', pattern: /unable to resolve docker endpoint: (.*)/i, detail: 1 },
  // docker: Error response from daemon: client version 1.99 is too new. Maximum supported API version is 1.41
  { kind: 'api-version', pattern: /client version (\S+) is too (?:new|old)\. (.*)/i, subject: 1, detail: 2 },
  // /bin/sh: 1: docker: not found  ·  zsh:1: command not found: docker  ·  bash: line 1: docker: command not found
  {
    kind: 'docker-missing',
    pattern:
      /(?:^|: )docker: (?:command )?not found$|command not found: docker$|The command 'docker' could not be found in this WSL|'docker' is not recognized as an internal or external command|exec: "docker": executable file not found in %PATH%|^exec: "docker": executable file not found in \$PATH/i,
  },
  // docker: error getting credentials - err: exec: "docker-credential-desktop": executable file not found in $PATH, out: ``
  { kind: 'credential-helper', pattern: /error getting credentials - err: exec: "([^"]+)"/i, subject: 1 },
  { kind: 'credential-helper', pattern: /error getting credentials - err: (.*)/i, detail: 1 },
  // WARNING: Error parsing config file (/home/user/.docker/config.json): unexpected EOF
  { kind: 'config-json-broken', pattern: /^WARNING: Error (?:parsing|loading) config file:? ?\(?([^):]+)/i, subject: 1 },
  // Unable to find image 'node:99' locally
  { kind: 'image-not-local', pattern: /^Unable to find image '([^']+)' locally/i, subject: 1 },
  { kind: 'rate-limit', pattern: /toomanyrequests|429 Too Many Requests|pull rate limit/i },
  // docker: Error response from daemon: pull access denied for x/y, repository does not exist or may require 'docker login'…
  { kind: 'registry-login', pattern: /pull access denied for (\S+?),/i, subject: 1 },
  {
    kind: 'registry-login',
    pattern:
      /pull access denied|no basic auth credentials|authorization failed|unexpected status .*: 40[13] |requested access to the resource is denied|unauthorized: |Error response from daemon: (?:Head|Get) "[^"]*": (?:denied|unauthorized)|Error response from daemon: (?:denied|unauthorized)/i,
  },
  // WARNING: The requested image's platform (linux/arm64) does not match the detected host platform (linux/amd64/v3) and no specific platform was requested
  {
    kind: 'platform-warning',
    pattern: /^WARNING: The requested image's platform \(([^)]+)\) does not match the detected host platform/i,
    subject: 1,
  },
  // no matching manifest for linux/arm64/v8 in the manifest list entries   ·   no match for platform in manifest: not found
  {
    kind: 'platform-missing',
    pattern:
      /no matching manifest for (\S+)|no match for platform in manifest|was found but (?:its platform \(\S+\) )?does not (?:match|provide) the specified platform[^:]*:? ?(.*)|does not provide the specified platform \(?([^)]*)|image operating system "([^"]+)" cannot be used on this platform/i,
    subject: 1,
  },
  // docker: Error response from daemon: repository 127.0.0.1/acme/x not found: name unknown: repository name not known to registry
  // docker: Error response from daemon: failed to resolve reference "docker.io/library/node:99": docker.io/library/node:99: not found
  {
    kind: 'image-unknown',
    pattern:
      /manifest for (\S+) not found|failed to resolve reference "([^"]+)": \S+: not found|repository (\S+) not found|manifest unknown|name unknown|No such image: (\S+)|image not known/i,
    subject: 1,
  },
  // docker: invalid reference format: repository name (library/Node) must be lowercase
  { kind: 'reference-invalid', pattern: /invalid reference format(?:: (.*))?/i, detail: 1 },
  {
    kind: 'registry-tls',
    pattern: /(?:Get|Head) "https:\/\/([^/"]+)\/[^"]*": (?:tls: failed to verify certificate: )?x509: (.*)/i,
    subject: 1,
    detail: 2,
  },
  // docker: Error response from daemon: Get "https://registry.test/v2/": dial tcp: lookup registry.test: no such host
  {
    kind: 'registry-unreachable',
    pattern:
      /Error response from daemon: (?:failed to resolve reference "[^"]*": )?(?:failed to do request: )?(?:Get|Head) "https?:\/\/([^/"]+)\/[^"]*": (.*)/i,
    subject: 1,
    detail: 2,
  },
  // docker: failed to copy: httpReadSeeker: failed open: failed to do request: Get "https://cdn.test/…": dial tcp: lookup cdn.test: no such host
  { kind: 'registry-unreachable', pattern: /failed to copy: httpReadSeeker: .*"https?:\/\/([^/"]+)\/[^"]*": (.*)/i, subject: 1, detail: 2 },
  { kind: 'registry-unreachable', pattern: /(?:received unexpected HTTP status|unexpected status .*): (5\d\d.*)/i, detail: 1 },
  { kind: 'no-space', pattern: /no space left on device/i },
  // … exec: "uvx": executable file not found in $PATH: unknown
  { kind: 'exec-not-found', pattern: /exec: "([^"]*)": executable file not found in \$PATH/i, subject: 1 },
  // docker: Error response from daemon: … crun: executable file `uvx` not found in $PATH: No such file or directory
  { kind: 'exec-not-found', pattern: /crun: executable file `([^`]+)` not found in \$PATH/i, subject: 1 },
  // [FATAL tini (6)] exec uvx failed: No such file or directory
  { kind: 'exec-not-found', pattern: /^\[FATAL tini \(\d+\)\] exec (\S+) failed: No such file/i, subject: 1 },
  { kind: 'exec-denied', pattern: /^\[FATAL tini \(\d+\)\] exec (\S+) failed: Permission denied/i, subject: 1 },
  // … exec: "/opt/homebrew/bin/uvx": stat /opt/homebrew/bin/uvx: no such file or directory: unknown
  { kind: 'exec-path-missing', pattern: /exec: "([^"]+)": stat [^:]+: no such file or directory/i, subject: 1 },
  { kind: 'exec-path-missing', pattern: /exec: "([^"]+)": no such file or directory/i, subject: 1 },
  // … exec: "/srv": is a directory: permission denied
  { kind: 'exec-denied', pattern: /exec: "([^"]+)": (?:is a directory: )?permission denied/i, subject: 1 },
  // exec /srv/mcp/no-exec.sh: exec format error
  {
    kind: 'exec-format',
    pattern: /^(?:exec |standard_init_linux\.go:\d+: exec user process caused:? "?)(\S*?):? ?"?exec format error/i,
    subject: 1,
  },
  { kind: 'exec-denied', pattern: /^exec (\S+): permission denied$/i, subject: 1 },
  // exec /srv/mcp/crlf.sh: no such file or directory   (the file is there; its interpreter is not)
  { kind: 'interpreter-missing', pattern: /^exec (\S+): no such file or directory$/i, subject: 1 },
  // invalid argument "512 megs" for "-m, --memory" flag: invalid suffix: 'megs'
  { kind: 'memory-limit', pattern: /^(?:docker: )?invalid argument "([^"]*)" for "-m, --memory" flag: (.*)/i, subject: 1, detail: 2 },
  { kind: 'memory-limit', pattern: /Minimum memory limit allowed is (\S+)/i, detail: 1 },
  // docker: Error response from daemon: Minimum memoryswap limit should be larger than memory limit, see usage
  {
    kind: 'memory-limit',
    pattern: /(Minimum memoryswap limit should be larger .*|Minimum memory limit can not be less than .*)/i,
    detail: 1,
  },
  { kind: 'cpu-limit', pattern: /^(?:docker: )?invalid argument "([^"]*)" for "--cpus" flag: (.*)/i, subject: 1, detail: 2 },
  { kind: 'cpu-limit', pattern: /Range of CPUs is from (.*)/i, detail: 1 },
  // docker: Error response from daemon: Conflicting options: Nano CPUs and CPU Quota cannot both be set
  // docker: Error response from daemon: Requested CPUs are not available - requested 0-7, available: 0-1
  { kind: 'cpu-limit', pattern: /(Conflicting options: .*CPU.*|Requested CPUs are not available.*)/i, detail: 1 },
  // docker: … invalid mount config for type "bind": bind source path does not exist: /srv/mcp-missing
  { kind: 'mount-source', pattern: /bind source path does not exist: (\S+?)\.?$/i, subject: 1 },
  // docker: Error response from daemon: error while creating mount source path '/host/data': mkdir /host: read-only file system
  { kind: 'mount-source', pattern: /error while creating mount source path '([^']+)': (.*)/i, subject: 1, detail: 2 },
  // docker: invalid spec: /srv/mcp:/data:rw:z:x: too many colons
  // docker: Error response from daemon: create ~/data: "~/data" includes invalid characters for a local volume name, only …  (the name may hold blanks)
  { kind: 'mount-name', pattern: /create .*?: "([^"]*)" includes invalid characters for a local volume name/i, subject: 1 },
  {
    kind: 'mount-spec',
    pattern:
      /invalid spec: (\S+): (.*)|invalid volume specification: '([^']*)'|invalid mode: (\S+)|invalid mount (?:path|config)[^:]*: (.*)|(?:^docker: |daemon: )(?:invalid|bad) mount/i,
    subject: 1,
    detail: 2,
  },
  {
    kind: 'mount-kind',
    pattern: /error mounting "([^"]+)" to rootfs at "([^"]+)"|Are you trying to mount a directory onto a file/i,
    subject: 1,
    detail: 2,
  },
  { kind: 'mount-denied', pattern: /Mounts denied: (.*)|is not shared from the host/i, detail: 1 },
  // docker: Error response from daemon: Cannot mkdir: /etc/passwd is not a directory
  { kind: 'working-dir', pattern: /Cannot mkdir: (.*?) is not a directory|working directory '([^']*)' is invalid/i, subject: 1 },
  // unknown flag: --memry   ·   unknown shorthand flag: 'x' in -x
  { kind: 'flag-unknown', pattern: /^(?:docker: )?unknown (?:shorthand )?flag: (.*)/i, subject: 1 },
  { kind: 'flag-unknown', pattern: /^(?:docker: )?flag needs an argument: (.*)/i, subject: 1 },
  { kind: 'flag-value', pattern: /^(?:docker: )?invalid argument "([^"]*)" for "([^"]*)" flag: (.*)/i, subject: 2, detail: 1 },
  // docker: Error response from daemon: invalid restart policy: …   ·   docker: conflicting options: --restart and --rm
  {
    kind: 'flag-value',
    pattern:
      /(?:^docker: |daemon: )(invalid restart policy|invalid CapAdd|invalid CapDrop|conflicting options: --restart and --rm|conflicting options: cannot specify both --restart and --rm)(?:: (.*))?/i,
    subject: 1,
    detail: 2,
  },
  {
    kind: 'flag-value',
    pattern: /^docker: invalid (?:environment variable|publish|proto|label|restart|ip|hostPort|containerPort)[^:]*: (.*)/i,
    detail: 1,
  },
  { kind: 'user-unknown', pattern: /unable to find user ([^:]+):/i, subject: 1 },
  // docker: Error response from daemon: could not select device driver "" with capabilities: [[gpu]]
  { kind: 'device', pattern: /could not select device driver "[^"]*" with capabilities: \[\[(\w+)/i, subject: 1 },
  // docker: Error response from daemon: error gathering device information while adding custom device "/dev/kvm": no such file or directory
  { kind: 'device', pattern: /error gathering device information while adding custom device "([^"]+)"/i, subject: 1 },
  // docker: Error response from daemon: unknown or invalid runtime name: nvidia   ·   Unknown runtime specified nvidia
  { kind: 'device', pattern: /unknown or invalid runtime name: (\S+)|Unknown runtime specified (\S+)/i, subject: 1 },
  // docker: Error response from daemon: driver failed programming external connectivity on endpoint web (4f0c…): Bind for 0.0.0.0:8080 failed: port is already allocated
  // … failed to bind host port for 0.0.0.0:8080:172.17.0.2:80/tcp: address already in use   ·   … Error starting userland proxy: listen tcp4 0.0.0.0:8080: bind: address already in use
  {
    kind: 'port-taken',
    pattern:
      /Bind for \S*?:(\d+) failed: port is already allocated|failed to bind host port (?:for )?[^\s:]*:(\d+)[:/].*address already in use|(?:userland proxy|Ports are not available)\b.*:(\d+): (?:bind: )?address already in use/i,
    subject: 1,
  },
  { kind: 'network-repeated', pattern: /Container cannot be connected to network endpoints: (.*)/i, detail: 1 },
  { kind: 'network-repeated', pattern: /conflicting options: cannot attach both user-defined and non-user-defined network-modes/i },
  // docker: Error response from daemon: No such container: vpn   ·   cannot join network of a non running container: 3b1f…
  { kind: 'container-missing', pattern: /No such container: (\S+)|cannot join network of a non running container: (\S+)/i, subject: 1 },
  // docker: 'docker run' requires at least 1 argument   ·   "docker run" requires at least 1 argument.
  { kind: 'image-absent', pattern: /^(?:docker: )?['"]docker run['"] requires at least 1 argument/i },
  // docker: Error response from daemon: network mcp-net not found
  { kind: 'network-unknown', pattern: /(?:daemon: |networking: )network (\S+) not found/i, subject: 1 },
  // docker: Error response from daemon: failed to initialize logging driver: invalid size: 'big'
  { kind: 'log-option', pattern: /failed to initialize logging driver: (.*)/i, detail: 1 },
  {
    kind: 'log-option',
    pattern: /unknown log opt '([^']+)' for (\S+) log driver|invalid logging opts for driver (\S+)/i,
    subject: 1,
    detail: 2,
  },
  { kind: 'log-driver', pattern: /error looking up logging plugin (\S+?):|logger: no log driver named '([^']+)'/i, subject: 1 },
  {
    kind: 'name-taken',
    pattern: /Conflict\. The container name "\/?([^"]+)" is already in use by container "?(\w+)/i,
    subject: 1,
    detail: 2,
  },
  { kind: 'cidfile', pattern: /container ID file found, make sure the other container isn't running or delete (\S+)/i, subject: 1 },
  {
    kind: 'cgroup-missing',
    pattern:
      /opening file `?cpu\.max|the requested cgroup controller `?(\w+)|kernel does not support (?:memory|cpu) limit|cgroup.*not (?:available|mounted)|error setting cgroup config for procHooks process/i,
    subject: 1,
  },
  { kind: 'init-helper', pattern: /docker-init: |exec: "docker-init"/i },
  // docker: unknown command: docker mcp   ·   docker: 'mcp' is not a docker command.
  { kind: 'plugin-missing', pattern: /docker: unknown command: docker (\S+)|docker: '([^']+)' is not a docker command/i, subject: 1 },
  {
    kind: 'snap',
    pattern:
      /snap-confine|required permitted capability cap_dac_override|cannot create XDG_RUNTIME_DIR folder|home directories outside of \/home needs configuration/i,
  },
]

// Lines that can be docker's own. A server's program may print anything else that sounds alike.
const fromDocker =
  /^(?:docker: |Error response from daemon|Unable to find image |Failed to initialize: |unable to resolve docker endpoint|unknown (?:shorthand )?flag|flag needs an argument|invalid argument "|invalid reference format|the input device is not a TTY|cannot attach stdin |exec \S+: |\[FATAL tini|standard_init_linux|time="[^"]*" level=|WARNING: (?:Error |The requested image's platform )|"docker run" requires |\* Are you trying to connect|error during connect|Cannot connect to the Docker daemon|permission denied while trying to connect|failed to connect to the docker API|snap-confine|required permitted capability cap_dac|cannot create XDG_RUNTIME_DIR|Sorry, home directories|Docker Desktop is |(?:\S*(?:sh|env|bash|zsh)(?:: ?(?:line )?\d+)?: ?).*docker|The command 'docker'|'docker' is not recognized|exec: "docker)/i

/** What docker said in these stderr lines, in order; lines that are not docker's are passed over. */
export function readDockerErrors(stderr: readonly LogLine[]): DockerError[] {
  return stderr.flatMap((line) => {
    const text = (field(line, 'message') ?? '').trim()
    const error = dockerError(text)
    return error ? [{ ...error, line, text }] : []
  })
}

export function dockerError(text: string): Omit<DockerError, 'line' | 'text'> | null {
  if (!fromDocker.test(text)) return null
  for (const { kind, pattern, subject, detail } of patterns) {
    const m = pattern.exec(text)
    if (!m) continue
    const rest = m.slice(1).filter((g): g is string => g !== undefined && g !== '')
    // Alternatives of one pattern have groups of their own; CLI 20.10 ends its sentences with a full stop.
    const named = (i: number | undefined): string | null =>
      (i === undefined ? null : (m[i] ?? (rest.length === 1 && subject === i ? (rest[0] ?? null) : null)))?.replace(/\.$/, '') ?? null
    return { kind, subject: named(subject), detail: named(detail) }
  }
  // docker: Error response from daemon: … that nothing above knows.
  return /^docker: |^Error response from daemon/.test(text) ? { kind: 'other', subject: null, detail: text.replace(/^docker: /, '') } : null
}

/** The failure that docker ended with: the last of these lines that says more than "Unable to find image". */
export function finalDockerError(errors: readonly DockerError[]): DockerError | null {
  const real = errors.filter((e) => !['image-not-local', 'config-json-broken', 'platform-warning'].includes(e.kind))
  return real.filter((e) => e.kind !== 'other').at(-1) ?? real.at(-1) ?? null
}

/**
 * docker's last line where the engine's answer to attach was cut off or no HTTP, without a word of who says it:
 * `unexpected EOF`, `malformed HTTP response "\x00\x01SSH-2.0-OpenSSH_9.6"`. A program may end with such a line too.
 */
export const isBrokenAnswer = (text: string): boolean => /^(?:unexpected EOF|malformed (?:HTTP response|MIME header)\b.*)$/.test(text)

/** Lines that docker adds to a refusal, e.g. `Run 'docker run --help' for more information`: they give no reason. */
export const isUsageHint = (text: string): boolean => /^(?:Usage: {2}docker run|Run 'docker run --help'|See 'docker run --help')/.test(text)
