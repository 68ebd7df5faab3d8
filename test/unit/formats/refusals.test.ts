/** What docker and the engine say, in the words of several releases. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dockerError, type DockerErrorKind } from '../../../src/lib/formats/docker-error.ts'

const daemon = 'docker: Error response from daemon: '
const texts: [string, DockerErrorKind, (string | null)?][] = [
  [
    `${daemon}create  /srv/data: " /srv/data" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed.`,
    'mount-name',
    ' /srv/data',
  ],
  [`${daemon}create ~/data: "~/data" includes invalid characters for a local volume name, only …`, 'mount-name', '~/data'],
  [`${daemon}could not select device driver "" with capabilities: [[gpu]]`, 'device', 'gpu'],
  [`${daemon}error gathering device information while adding custom device "/dev/kvm": no such file or directory`, 'device', '/dev/kvm'],
  [`${daemon}Unknown runtime specified nvidia`, 'device', 'nvidia'],
  [`${daemon}unknown or invalid runtime name: nvidia`, 'device', 'nvidia'],
  [`${daemon}No such container: vpn`, 'container-missing', 'vpn'],
  [`${daemon}cannot join network of a non running container: 3b1f0a`, 'container-missing', '3b1f0a'],
  ["docker: 'docker run' requires at least 1 argument", 'image-absent'],
  ['"docker run" requires at least 1 argument.', 'image-absent'],
  [`${daemon}Minimum memoryswap limit should be larger than memory limit, see usage`, 'memory-limit'],
  [`${daemon}Minimum memory limit can not be less than memory reservation limit, see usage`, 'memory-limit'],
  [`${daemon}Conflicting options: Nano CPUs and CPU Quota cannot both be set`, 'cpu-limit'],
  [`${daemon}Requested CPUs are not available - requested 0-7, available: 0-1`, 'cpu-limit'],
  [`${daemon}failed to initialize logging driver: invalid size: 'big'`, 'log-option'],
  [`${daemon}error while creating mount source path '/host/data': mkdir /host: read-only file system`, 'mount-source', '/host/data'],
  [
    `${daemon}failed to resolve reference "docker.io/library/node:99": docker.io/library/node:99: not found`,
    'image-unknown',
    'docker.io/library/node:99',
  ],
  [
    `${daemon}pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
    'registry-login',
  ],
  [`${daemon}unexpected status from HEAD request to https://registry.test/v2/x/manifests/1: 403 Forbidden`, 'registry-login'],
  [
    `${daemon}unexpected status from HEAD request to https://registry.test/v2/x/manifests/1: 503 Service Unavailable`,
    'registry-unreachable',
  ],
  [
    `${daemon}Head "https://registry.test/v2/x": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
    'registry-tls',
    'registry.test',
  ],
  ['docker: no match for platform in manifest: not found', 'platform-missing'],
  [
    'docker: image with reference node:22 was found but its platform (linux/amd64) does not match the specified platform (linux/arm64)',
    'platform-missing',
  ],
  [
    "WARNING: The requested image's platform (linux/arm64) does not match the detected host platform (linux/amd64/v3) and no specific platform was requested",
    'platform-warning',
    'linux/arm64',
  ],
  [
    `${daemon}crun: executable file \`uvx\` not found in $PATH: No such file or directory: OCI runtime attempted to invoke a command that was not found`,
    'exec-not-found',
    'uvx',
  ],
  [`${daemon}something that nobody has seen yet`, 'other'],
]

for (const [text, kind, subject] of texts) {
  test(text.slice(0, 90), () => {
    const error = dockerError(text)
    assert.equal(error?.kind, kind)
    if (subject !== undefined) assert.equal(error?.subject, subject)
  })
}

test('what a program says of containers is not docker speaking', () => {
  for (const text of ['No such container: vpn', 'ERROR: Unknown runtime specified nvidia', 'failed to initialize logging driver: none'])
    assert.equal(dockerError(text), null)
})
