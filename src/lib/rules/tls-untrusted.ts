/** A certificate is not trusted: TLS interception or a private CA. */
import { citeLog } from './cite.ts'
import { dockerFailure, programSaid } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'tls-untrusted',
  severity: 'error',
  title: 'A certificate is not trusted: TLS interception or a private CA',
  only: 'failed',
  needs: ['serverLog'],
  detect({ serverLog }) {
    const said = dockerFailure(serverLog, 'registry-tls') ?? programSaid(serverLog, 'certificate')
    if (!said) return null
    return {
      observations: ['serverLog'],
      facts: { host: said.subject },
      cites: [citeLog(said.line)],
      detail: 'The certificate was signed by an authority that is not known here.',
      remedies: [
        {
          kind: 'instruction',
          title:
            'Make the CA known: to the engine for pulls, to the container through a mounted certificate and SSL_CERT_FILE or NODE_EXTRA_CA_CERTS. Do not switch verification off.',
        },
      ],
    }
  },
})
