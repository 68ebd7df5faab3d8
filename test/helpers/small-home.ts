/** A machine in a temporary folder, for the program as a process: a configuration, logs, and an engine's address. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { packageRoot } from './package-root.ts'
import { runCli, type CliResult } from './run-cli.ts'

export interface SmallHome {
  folder: string
  config: string
  logs: string
  /** `mcpproxy-doctor ARGS…` that looks at nothing else of this machine. */
  run: (args: readonly string[], env?: Record<string, string>) => Promise<CliResult>
}

export interface SmallHomeOptions {
  /** Absent: there is no such file. */
  config?: string | Buffer
  /** Copies the logs and the configuration of a recording. */
  capture?: string
  /** Default: a socket that is not there. */
  engine?: string
  /** MCPProxy's API; default: MCPProxy does not run. */
  api?: string
}

export function smallHome(t: TestContext, { config, capture, engine, api }: SmallHomeOptions = {}): SmallHome {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-home-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const data = join(folder, '.mcpproxy')
  const home = { folder, config: join(data, 'mcp_config.json'), logs: join(folder, '.local/state/mcpproxy/logs') }
  mkdirSync(data)
  mkdirSync(home.logs, { recursive: true })
  if (capture !== undefined) cpSync(join(packageRoot(), 'test/captures', capture, 'home'), folder, { recursive: true })
  if (config !== undefined) writeFileSync(home.config, config)
  const nowhere = `unix://${join(folder, 'nowhere.sock')}`
  const places = ['--config', home.config, '--data-dir', data, '--log-dir', home.logs, '--api', api ?? nowhere]
  return {
    ...home,
    run: (args, env = {}) =>
      runCli([...args, ...places], { cwd: folder, env: { HOME: folder, DOCKER_HOST: engine ?? nowhere, NO_COLOR: '1', ...env } }),
  }
}
