#!/usr/bin/env node
import { execute } from '@oclif/core'

process.stdout.on('error', (error) => { if (error.code !== 'EPIPE') throw error })
await execute({ dir: import.meta.url })
