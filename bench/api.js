/** MCPProxy's API as it was recorded: `node bench/api.js FOLDER SOCKET`; says "ready" when it listens. */
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'

const [folder, socket] = process.argv.slice(2)
const answers = new Map(
  fs.readdirSync(folder).map((name) => {
    const { request, status, body } = JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8'))
    return [request.path, { status, body: JSON.stringify(body) }]
  }),
)
http
  .createServer(({ url }, response) => {
    const { status, body } = answers.get(url) ?? { status: 404, body: '{}' }
    response.writeHead(status, { 'content-type': 'application/json' }).end(body)
  })
  .listen(socket, () => console.log('ready'))
