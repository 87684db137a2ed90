import { createHmac, randomBytes } from 'node:crypto'
import { alternate } from '../lib/alternate.mjs'
import { prepareInstallation, startProduct } from '../lib/product.mjs'
import { told } from '../lib/report.mjs'

const connections = 64
const issuer = 'https://issuer.example'
const audience = 'bench'
const secret = randomBytes(32).toString('base64url')

const guarded = '/api/v1/plugins/hello/ada'
const open = '/api/v1/plugins/twin/ada'
const plugins = ['hello', { from: 'hello', name: 'twin' }]

/** A plugin route that a rule opens to whoever proves who they are, against the same route that a rule makes public. */
export async function authRow(bench) {
  const installation = prepareInstallation(plugins, settings())
  try {
    const product = await startProduct(bench.children, installation)
    await product.approveAll()
    const [key, session] = [await product.createKey(), await product.openSession()]
    const url = product.url(guarded)
    const sides = [
      { name: 'public', url: product.url(open) },
      { name: 'key', url, shape: { headers: { 'x-api-key': key } } },
      { name: 'session', url, shape: { headers: { 'x-session-id': session } } },
      { name: 'jwt', url, shape: { headers: { authorization: `Bearer ${signToken()}` } } },
    ]
    const medians = await alternate(bench, sides, { connections })
    const line = (what, name) => {
      const [ours, theirs] = [medians.get(name), medians.get('public')]
      const ratio = ours.requestsPerSecond / theirs.requestsPerSecond
      return told('auth', what, ratio, undefined, ' x', { ours, theirs })
    }
    return [
      line('plugin route with an API key vs public', 'key'),
      line('plugin route with a session vs public', 'session'),
      line('plugin route with a JSON Web Token (HS256) vs public', 'jwt'),
    ]
  } finally {
    await bench.children.stopAll()
    installation.remove()
  }
}

/** Ten rules, of which the last but one holds for the route that is measured. */
function settings() {
  const others = Array.from({ length: 8 }, (_rule, at) => ({
    paths: [`/reports/${at}/**`],
    authenticators: ['partner'],
    authorizers: ['admin_only'],
  }))
  return {
    auth: {
      authenticators: { partner: { type: 'jwt', issuer, audience, secret, algorithms: ['HS256'] } },
      http: {
        rules: [
          ...others,
          { paths: ['/api/v1/plugins/hello/**'], authenticators: ['session', 'api_key', 'partner'] },
          { paths: ['/api/v1/plugins/twin/**'], authenticators: [] },
        ],
      },
    },
  }
}

function signToken() {
  const seconds = Math.floor(Date.now() / 1000)
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { iss: issuer, aud: audience, sub: 'bench', iat: seconds, exp: seconds + 3600 }
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}
