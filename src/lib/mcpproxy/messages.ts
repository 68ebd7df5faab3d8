/** Lines of main.log by which others are found (cmd/mcpproxy/main.go, internal/upstream/core/connection_docker.go). */
export const startMessage = 'Starting mcpproxy'
export const setupMessage = 'Docker isolation setup completed'

/**
 * What stands in each setup line of a server: the rarest first. Each of them names the container, so that all of them hold `mcpproxy` as the start
 * does, and the arguments of docker, whose beginning is rare in most logs.
 */
export const setupTexts = (server: string): string[] => ['["run",', setupMessage, JSON.stringify(server), 'mcpproxy']
