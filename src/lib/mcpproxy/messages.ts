/** Lines of main.log by which others are found (cmd/mcpproxy/main.go, internal/upstream/core/connection_docker.go). */
export const startMessage = 'Starting mcpproxy'
export const setupMessage = 'Docker isolation setup completed'
