// What both sides of the contract need, by docs/protocol.md alone: opening envelopes, reading claims, deriving, unsealing.
import { createDecipheriv, createHash, createHmac, createPrivateKey, createPublicKey, diffieHellman, hkdfSync, webcrypto } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import Ajv from 'ajv/dist/2020.js'
import { compactVerify, importJWK } from 'jose'

globalThis.crypto ??= webcrypto // Debian 12 has Node 18

export const read = (name) => JSON.parse(readFileSync(`${process.argv[2]}/${name}.json`, 'utf8'))
export const keys = read('keys')
export const ajv = new Ajv({ strict: true, strictTypes: false })
const schemas = new URL('../../docs/schemas/', import.meta.url)
for (const file of readdirSync(schemas)) ajv.addSchema(JSON.parse(readFileSync(new URL(file, schemas))))

// ---- Envelope -----------------------------------------------------------------------------------------------------
const LONGEST = { result: 16384, birth: 4096, request: 122880, receipt: 98304, command: 4096, reply: 4096, health: 4096, evidence: 180224, anchor: 4096, update: 163840 }
const SIGNERS = { request: keys.requests, command: keys.requests, receipt: keys.receipts, update: keys.updates }
export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')
export class Refused extends Error {}
export const require = (condition, reason) => { if (!condition) throw new Refused(reason) }
export const same = (one, other) => JSON.stringify(one) === JSON.stringify(other)

export function bytesOf(text) {
  const bytes = Buffer.from(text, 'base64url')
  require(bytes.toString('base64url') === text, 'base64url')
  return bytes
}

// A whole JSON text with no member twice, no unpaired surrogate, and not too deep: JSON.parse sees none of these.
export function parse(bytes) {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  const value = JSON.parse(text)
  const open = []
  for (const [token, string] of text.matchAll(/("(?:[^"\\]|\\.)*")\s*:?|[{}[\]]/g)) {
    if (string !== undefined) {
      const name = JSON.parse(string)
      require(!/\p{Surrogate}/u.test(name), 'surrogate')
      if (token.endsWith(':')) require(open.at(-1).size < open.at(-1).add(name).size, 'twice')
    } else if (token === '{' || token === '[') require(open.push(new Set()) <= 200, 'too deep')
    else open.pop()
  }
  return value
}

export function attempt(reason, action) {
  try { return action() } catch { throw new Refused(reason) }
}

// `raw` holds one character for each byte.
export async function open(raw, kinds) {
  require(raw.length <= Math.max(...kinds.map((kind) => LONGEST[kind])), 'oversized')
  const parts = raw.split('.')
  require(parts.length === 3 && parts.every((part) => part !== '') && parts[0].length <= 256, 'malformed')
  const header = attempt('malformed', () => parse(bytesOf(parts[0])))
  require(header !== null && same(Object.keys(header).sort(), ['alg', 'kid', 'typ']) && typeof header.kid === 'string', 'malformed')
  require(header.alg === 'Ed25519', 'wrong-algorithm')
  const kind = kinds.find((one) => header.typ === `likeness-${one}+jwt`)
  require(kind !== undefined, 'wrong-type')
  require(raw.length <= LONGEST[kind], 'oversized')
  const key = (SIGNERS[kind] ?? keys.results).find(({ kid }) => kid === header.kid)
  require(key !== undefined, 'unknown-key')
  attempt('bad-signature', () => parts.slice(1).forEach(bytesOf))
  const { kty, crv, x } = key
  const verified = await compactVerify(raw, await importJWK({ kty, crv, x }, 'Ed25519'), { algorithms: ['Ed25519'] }).catch(() => null)
  require(verified !== null, 'bad-signature')
  return { kind, key, payload: verified.payload, sha256: sha256(raw) }
}

export function claimsOf({ kind, payload }, reason = 'malformed') {
  const claims = attempt(reason, () => parse(payload))
  require(ajv.validate(`urn:likeness:v1:${kind}`, claims), reason)
  return claims
}

export async function refusal(action) {
  try { return await action() } catch (error) {
    if (error instanceof Refused) return error.message
    throw error
  }
}

// ---- Derivations --------------------------------------------------------------------------------------------------
const fields = (...texts) => Buffer.concat(texts.flatMap((text) => {
  const bytes = Buffer.from(text), length = Buffer.alloc(2)
  length.writeUInt16BE(bytes.length)
  return [length, bytes]
}))
function words(count, { nonce, salt }, ...labels) {
  const stream = Buffer.from(hkdfSync('sha256', bytesOf(nonce), bytesOf(salt), fields(...labels), 8 * count))
  return Array.from({ length: count }, (_, index) => stream.readBigUInt64BE(8 * index))
}

export function possiblePlans(set, steps) {
  const actions = [...new Set(set)].sort()
  const isTurn = (action) => action.startsWith('turn-'), isEye = (action) => action.startsWith('blink')
  let plans = [[]]
  for (let step = 0; step < steps; step++) {
    plans = plans.flatMap((plan) => actions.filter((action) => action !== plan.at(-1)).map((action) => [...plan, action]))
  }
  return plans.filter((plan) => plan.some(isTurn) && (!actions.some(isEye) || plan.some(isEye)))
}

export function derivePlan(inputs) {
  const actions = [...new Set(inputs.actions)].sort(), { steps } = inputs, plans = possiblePlans(actions, steps)
  if (plans.length === 0) return null
  const [first, ...rest] = words(1 + steps, inputs, 'likeness/v1/plan', inputs.session, inputs.terminal, actions.join(), String(steps))
  return {
    plan: plans[Number(first % BigInt(plans.length))],
    pauses_s: rest.map((word) => Math.round(1000 * (0.4 + (1.2 * Number(word)) / 2 ** 64)) / 1000),
    guess_probability: 1 / plans.length
  }
}

export function deriveLight(inputs) {
  const colours = [], starts_s = []
  let at = 0
  for (const word of words(40, inputs, 'likeness/v1/light', inputs.session, inputs.terminal)) {
    const others = ['amber', 'blue', 'green', 'rose'].filter((colour) => colour !== colours.at(-1))
    colours.push(others[Number(word % BigInt(others.length))])
    starts_s.push(at / 1000)
    at += 400 + Number((401n * word) >> 64n)
  }
  return { colours, starts_s }
}

export const commitment = (nonce, picture) =>
  createHmac('sha256', bytesOf(nonce)).update('likeness/v1/reference\0').update(picture).digest('hex')

// HPKE (RFC 9180), base mode, with the one suite of the contract.
export function unseal(sealed, { x, d }, context) {
  const KEM = Buffer.from('KEM\x00\x20', 'latin1'), HPKE = Buffer.from('HPKE\x00\x20\x00\x01\x00\x02', 'latin1')
  const hmac = (key, ...data) => createHmac('sha256', key).update(Buffer.concat(data)).digest()
  const extract = (suite, salt, label, material) => hmac(salt, Buffer.from('HPKE-v1'), suite, Buffer.from(label), material)
  const expand = (suite, secret, label, info, length) =>
    hmac(secret, Buffer.from([0, length]), Buffer.from('HPKE-v1'), suite, Buffer.from(label), info, Buffer.from([1])).subarray(0, length)
  const none = Buffer.alloc(0), encapsulated = sealed.subarray(0, 32)
  const jwk = { kty: 'OKP', crv: 'X25519' }
  const publicKey = createPublicKey({ format: 'jwk', key: { ...jwk, x: encapsulated.toString('base64url') } })
  const dh = diffieHellman({ publicKey, privateKey: createPrivateKey({ format: 'jwk', key: { ...jwk, x, d } }) })
  const shared = expand(KEM, extract(KEM, none, 'eae_prk', dh), 'shared_secret', Buffer.concat([encapsulated, bytesOf(x)]), 32)
  const schedule = Buffer.concat([Buffer.from([0]), extract(HPKE, none, 'psk_id_hash', none), extract(HPKE, none, 'info_hash', fields('likeness/v1/seal', ...context))])
  const secret = extract(HPKE, shared, 'secret', none)
  const cipher = createDecipheriv('aes-256-gcm', expand(HPKE, secret, 'key', schedule, 32), expand(HPKE, secret, 'base_nonce', schedule, 12))
  cipher.setAuthTag(sealed.subarray(-16))
  return Buffer.concat([cipher.update(sealed.subarray(32, -16)), cipher.final()])
}
