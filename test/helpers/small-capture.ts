/** The smallest capture there can be: a configuration and nothing else. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface SmallCapture {
  folder: string
  config: string
  remove(): void
}

export function smallCapture(config: unknown): SmallCapture {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-capture-'))
  mkdirSync(join(folder, 'home/.mcpproxy'), { recursive: true })
  const file = join(folder, 'home/.mcpproxy/mcp_config.json')
  writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config, null, 2))
  writeFileSync(
    join(folder, 'capture.json'),
    JSON.stringify({
      format: 'mcpproxy-doctor-capture/1',
      recordedAt: '2026-11-23T16:15:00.000Z',
      home: '/home/user',
      config: 'home/.mcpproxy/mcp_config.json',
      platform: 'linux',
      mcpproxy: { version: 'v0.60.0', running: false },
    }),
  )
  return { folder, config: file, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
