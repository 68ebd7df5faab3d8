import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderJunit } from '../../../src/lib/report/junit.ts'

test('counts, escapes, and leaves out what XML cannot hold', () => {
  const xml = renderJunit('replay', [
    {
      name: 'mcp_config.json',
      timestamp: '2026-11-24T12:00:00.000Z',
      cases: [
        { name: 'good', classname: 'servers', seconds: 1.5 },
        {
          name: 'a "b" <c> & d\nnext',
          classname: 'servers',
          failure: { type: 'tty-flag', message: 'x\u0000y\u001b[31m', text: ']]> \ud800 end' },
        },
        { name: 'off', classname: 'servers', skipped: 'disabled' },
        { name: 'open', classname: 'servers', error: { type: 'not-run', message: 'no engine', text: '' } },
      ],
    },
  ])
  assert.match(
    xml,
    /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="replay" tests="4" failures="1" errors="1" time="1\.500">/,
  )
  assert.match(xml, /<testcase name="a &quot;b&quot; &lt;c&gt; &amp; d&#10;next" classname="servers" time="0\.000">/)
  assert.match(xml, /<failure type="tty-flag" message="x\uFFFDy\uFFFD\[31m">\]\]&gt; \uFFFD end<\/failure>/)
  assert.doesNotMatch(xml, /[\u0000-\u0008\u000b-\u001f]/)
})
