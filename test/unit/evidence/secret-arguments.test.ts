/** Every place of an argument list, a command line or an address in which a secret may stand, and what must stay readable. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../helpers/fast-check.ts'
import { configSecrets, makeRedactor, mark, maskedConfig, maskedWords, maskShapes } from '../../../src/lib/evidence/secrets.ts'
import { isSecretWord } from '../../../src/lib/evidence/secret-arguments.ts'
import { parseConfig } from '../../../src/lib/formats/mcp-config.ts'

const secret = 'Zq7xLw93Kd'

const forms: [string, ...string[]][] = [
  ['two words', 'run', '-e', `P=${secret}`, 'mcp/everything'],
  ['two words, combined', 'run', '-ie', `p=${secret}`, 'mcp/everything'],
  ['-eNAME=', 'run', `-eC=${secret}`, 'mcp/everything'],
  ['-ename= of docker', 'run', `-ec=${secret}`, 'mcp/everything'],
  ['--env=', 'run', `--env=B=${secret}`],
  ['--env NAME=', 'run', '--env', `D=${secret}`],
  ['a value in place of a name', 'run', '-e', `ghp_${secret}`],
  ['in a line for sh', '-c', `docker run -i --rm -e P=${secret} mcp/everything`],
  ['in quotes in a line for sh', '-c', `docker run -e "P=${secret} x" mcp/everything`],
  ['in single quotes', '-c', `docker run -e 'P=${secret}' mcp/everything`],
  ['in a line in a line', '-c', `bash -c "docker run --env=P=${secret} mcp/everything"`],
  ['before the command', '-c', `Api=${secret} npx -y foo`],
  ['before the command, second', '-c', `A=1 b=${secret} npx -y foo`],
  ['after &&', '-c', `cd /x && b=${secret} npx -y foo`],
  ['exported', '-c', `export b=${secret}; npx -y foo`],
  ['env NAME=value command', '-c', `/usr/bin/env b=${secret} npx -y foo`],
  ['as a word', 'env', `b=${secret}`, 'npx'],
  ['--token VALUE in a line', `npx -y foo --token ${secret}`],
  ['--key=VALUE in a line', `npx -y foo --key=${secret}`],
  ['--key="VALUE" in a line', `npx -y foo --key="${secret}"`],
  ['--token VALUE', '--token', secret],
  ['--pass VALUE', '--pass', secret],
  ['--pat=VALUE', `--pat=${secret}`],
  ['--auth', '--auth', secret],
  ['--bearer', '--bearer', secret],
  ['--cookie', '--cookie', `sid=${secret}`],
  ['--tavilyApiKey', '--tavilyApiKey', secret],
  ['--db-password=', `--db-password=${secret}`],
  ['--credential', '--credential', secret],
  ['-token=', `-token=${secret}`],
  ['it begins with a dash', '--token', `-${secret}`],
  ['-u user:', '-u', `alice:${secret}`],
  ['-uuser:', `-ualice:${secret}`],
  ['--user=user:', `--user=alice:${secret}`],
  ['--header Authorization', '--header', `Authorization: Token ${secret}`],
  ['--header of any name', '--header', `X-Auth: ${secret}`],
  ['--header of any name, no blank', '--header', `Customer:${secret}`],
  ['-H', '-H', `X-Key: ${secret}`],
  ['-HName: value', `-HX-Key: ${secret}`],
  ['--header=', `--header=Authorization: Bearer ${secret}`],
  ['a header in a line', '-c', `curl -H "X-Key: ${secret}" https://example.com`],
  ['a header without a flag', `X-Api-Key: ${secret}`],
  ['Authorization without a flag', `Authorization: Basic ${secret}`],
  ['Cookie', '-H', `Cookie: a=b; sid=${secret}`],
  ['query, camel case', `https://mcp.tavily.com/mcp/?tavilyApiKey=${secret}`],
  ['query, second', `https://example.com/mcp?x=1&access_token=${secret}&y=2`],
  ['query, sig', `https://example.com/mcp?sig=${secret}`],
  ['query, userpass', `https://example.com/mcp?userpass=${secret}`],
  ['query, in a line', '-c', `npx mcp-remote "https://example.com/mcp?my_auth=${secret}"`],
  ['address', `postgres://user:${secret}@db/x`],
  ['address, a slash in the password', `postgres://user:${secret}/with-slash@db/x`],
  ['address, an @ in the password', `postgres://user:p@${secret}@db/x`],
  ['address, a token alone', `https://${secret}@github.com/x/y`],
  ['drawn part of a path', `https://mcp.example.com/s/Ab3${secret}QwErTy12/mcp`],
  ['JSON', `{"token":"${secret}"}`],
  ['after a flag for a file', '--option', `token=${secret}`],
]

const configOf = (args: readonly string[], rest: object = {}): string =>
  JSON.stringify({ mcpServers: [{ name: 's', command: 'docker', args, ...rest }] }, null, 2)
const documentOf = (text: string) => parseConfig('c.json', Buffer.from(text))

for (const [what, ...args] of forms)
  test(`masked in its place, known elsewhere: ${what}`, () => {
    const shown = maskedWords(args)
    assert.equal(shown.length, args.length)
    assert.ok(!shown.join('\n').includes(secret), shown.join(' '))
    assert.ok(shown.join('\n').includes(mark))
    const document = documentOf(configOf(args))
    const { text } = maskedConfig(document)
    assert.ok(!text.includes(secret), text)
    assert.deepEqual(Object.keys(JSON.parse(text) as object), ['mcpServers'])
    const said = makeRedactor(configSecrets(document))(`the server said: ${args.join(' ')} is wrong`)
    assert.ok(!said.includes(secret), said)
  })

test('a whole command line in command, and the address of a server', () => {
  for (const entry of [
    { command: `npx -y foo --token ${secret}a --key=${secret}b` },
    { command: `/usr/bin/env P=${secret} node x.js` },
    { url: `https://mcp.example.com/mcp?tavilyApiKey=${secret}` },
    { url: `https://user:${secret}@mcp.example.com/mcp` },
  ]) {
    const document = documentOf(configOf([], entry))
    assert.ok(!maskedConfig(document).text.includes(secret), maskedConfig(document).text)
    assert.ok(!makeRedactor(configSecrets(document))(JSON.stringify(entry)).includes(secret))
  }
})

test('the rest of a line stays', () => {
  assert.deepEqual(maskedWords(['-c', `docker run -i --rm -e P=${secret} mcp/everything --key="${secret}" stdio`]), [
    '-c',
    `docker run -i --rm -e P=${mark} mcp/everything --key="${mark}" stdio`,
  ])
  assert.deepEqual(maskedWords(['-H', `Authorization: Token ${secret}`, '-H', `Cookie: sid=${secret}; b=${secret}`]), [
    '-H',
    `Authorization: Token ${mark}`,
    '-H',
    `Cookie: sid=${mark}; b=${mark}`,
  ])
  assert.deepEqual(maskedWords([`https://mcp.tavily.com/mcp/?a=1&tavilyApiKey=${secret}&b=2`]), [
    `https://mcp.tavily.com/mcp/?a=1&tavilyApiKey=${mark}&b=2`,
  ])
})

test('escapes of JSON before, in and after the value', () => {
  const args = ['-c', `echo "ä\t\\\\" && docker run -e P='${secret}"\\\u2028' -v "C:\\x:/y" mcp/everything`]
  for (const text of [configOf(args), configOf(args).replaceAll('ä', '\\u00e4')]) {
    const masked = maskedConfig(documentOf(text)).text
    const shown = (JSON.parse(masked) as { mcpServers: { args: string[] }[] }).mcpServers[0]?.args
    assert.equal(shown?.[1], `echo "ä\t\\\\" && docker run -e P='${mark}' -v "C:\\x:/y" mcp/everything`)
  }
})

const readable: string[][] = [
  ['run', '-i', '--rm', '--network', 'none', '-p', '8080:80', '-u', '1000:1000', '-v', '/data:/data:ro', 'mcp/everything', 'stdio'],
  ['run', '--user', 'node:node', '-u', 'root:root', '--user=1000:1000', 'node:20-alpine'],
  ['run', '-e', 'API_KEY', '--env', 'HOME', '-e', 'TOKEN=${env:TOKEN}', '-e', 'KEY=$KEY', 'x'],
  ['-y', '@modelcontextprotocol/server-everything@2025.1.2', '--port', '3000'],
  ['--from', 'git+https://github.com/org/repo@v1.2.3', 'tool'],
  ['--path', '/srv/data', '--pattern', '*.ts', '--patch', 'x', '--author', 'me', '--keyboard', 'us', '--passive', 'yes', '--compat', 'a'],
  ['--auth-type', 'oauth', '--token-file', '/run/secrets/token', '--max-tokens', '4096', '--no-auth', 'x', '--key-path=/etc/key.pem'],
  ['-H', 'Content-Type: application/json', '--header', 'Accept: text/event-stream', '-H', 'User-Agent: curl/8'],
  ['-H', 'unix:///var/run/docker.sock', '-H', 'tcp://10.0.0.1:2375', '--header', 'Authorization: Bearer ${env:TOKEN}'],
  ['https://example.com:8443/@scope/x?page=2&author=me&keyword=a', 'http://localhost:8080/x@y', 'http://[::1]:8080/x@y'],
  ['https://registry.npmjs.org/@modelcontextprotocol/server-everything/-/server-everything-2025.11.25.tgz'],
  ['-c', 'cd /srv && npm install && exec node dist/index.js --port=8080 > /tmp/log 2>&1'],
  ['-e', 'console.log(1)', '-e', 'setup.sh', '-encoding=utf8', '-endpoint=http://127.0.0.1'],
  ['--token', '--verbose', '-m', 'my_module', 'server-2025-11-25', 'Error: it failed', 'Note: x'],
]
for (const args of readable) test(`stays readable: ${args.join(' ')}`, () => assert.deepEqual(maskedWords(args), args))

test('masked in its place, but not struck from every text', () => {
  const args = [
    'run',
    '-e',
    'NODE_ENV=production',
    '-e',
    'PORT=8080',
    '-e',
    'IMAGE=mcp/everything',
    '-e',
    'DATA=/srv/data',
    '--auth',
    'none',
  ]
  args.push('-e', 'BASE=node:20-alpine', '-e', 'VERSION=1.2.3', '-e', 'URL=http://localhost:8080/x', '--token', 'oauth')
  const document = documentOf(configOf(args))
  for (const word of ['production', 'PORT=8080', 'IMAGE=mcp/everything', 'DATA=/srv/data', 'none', 'node:20-alpine'])
    assert.ok(!maskedConfig(document).text.includes(word), word)
  const line =
    'production: mcp/everything of node:20-alpine 1.2.3 listens on 8080, http://localhost:8080/x, /srv/data, oauth, --network none'
  assert.equal(makeRedactor(configSecrets(document))(line), line)
})

test('in a text that no configuration explains', () => {
  for (const text of [
    `docker run -e P=${secret} mcp/everything`,
    `["run","-e","P=${secret}","x"]`,
    `[run -i -e P=${secret} x]`,
    `npx foo --token ${secret}`,
    `npx foo "--pat", "${secret}"`,
    `Authorization: Token ${secret}`,
    `"x-auth": "${secret}"`,
    `postgres://u:${secret}/a@h/x`,
    `https://mcp.tavily.com/mcp/?tavilyApiKey=${secret}`,
  ])
    assert.ok(!maskShapes(text).includes(secret), maskShapes(text))
  for (const text of [
    'docker run -e HOME=/tmp -e NODE_ENV=production -e LOG_LEVEL=debug node:20',
    'the flag --token is required',
    'unknown flag: --token',
    'Usage: foo --api-key KEY --port 80',
    'Authorization: required',
    'npm error 404 Not Found - GET https://registry.npmjs.org/@scope%2fname',
    'x-cache: HIT',
    'http://127.0.0.1:8080/mcp?session=1',
    'Set -e NAME=VALUE, or --env NAME',
    'dial tcp 127.0.0.1:5432: connect: connection refused',
  ])
    assert.equal(maskShapes(text), text)
})

test('names of secrets and names that only look so', () => {
  for (const name of [
    '--token',
    'api_key',
    'tavilyApiKey',
    'X-Api-Key',
    'pat',
    '--github-pat',
    'userpass-auth',
    'authToken',
    'mytoken',
    'JWT',
  ])
    assert.ok(isSecretWord(name), name)
  for (const name of [
    'path',
    'pattern',
    'author',
    'keyword',
    'monkey',
    'passive',
    'auth-type',
    'token-file',
    'max-tokens',
    'design',
    'compass',
  ])
    assert.ok(!isSecretWord(name), name)
})

test('whatever the line, the spans lie in it, in order', () => {
  const pieces = fc.constantFrom(
    '-e ',
    'P=',
    'x y',
    '"',
    "'",
    '\\',
    ' && ',
    '--token ',
    '-H ',
    'X-A: b',
    'http://a:b/c@d',
    '?key=',
    '{"token":"a"}',
    'é',
    '\n',
  )
  fc.assert(
    fc.property(fc.array(fc.array(fc.oneof(pieces, fc.string({ maxLength: 5 })), { maxLength: 8 }), { maxLength: 5 }), (lists) => {
      const args = lists.map((list) => list.join(''))
      assert.equal(maskedWords(args).length, args.length)
      const { text } = maskedConfig(documentOf(configOf(args)))
      assert.equal((JSON.parse(text) as { mcpServers: { args: string[] }[] }).mcpServers[0]?.args.length, args.length)
      assert.deepEqual((JSON.parse(text) as { mcpServers: { args: string[] }[] }).mcpServers[0]?.args, maskedWords(args))
    }),
    { numRuns: 500 },
  )
})
