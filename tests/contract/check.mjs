// Checks every test vector by docs/protocol.md alone; shares no line with the Python side. Usage: node check.mjs FOLDER
import { scryptSync } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import { ajv, attempt, bytesOf, claimsOf, commitment, deriveLight, derivePlan, keys, open, parse, possiblePlans, read, refusal, require, same, sha256, unseal } from './contract.mjs'

// ---- Central ------------------------------------------------------------------------------------------------------
const RATES = { '1e-3': 1e-3, '1e-4': 1e-4 }
const GENESIS = '0'.repeat(64)
const { iss, epoch, seq, prev } = ajv.getSchema('urn:likeness:v1:result').schema.properties
const PLACE = { type: 'object', properties: { iss, epoch, seq, prev }, required: ['iss', 'epoch', 'seq', 'prev'] }

function againstItself({ outcome, reasons = [], nonce, iss, challenge, comparison, reference, capture, offline, evidence: mark }) {
  const steps = challenge?.steps ?? []
  if (challenge) {
    const inputs = { ...challenge, nonce, terminal: iss, steps: challenge.plan.length }
    const derived = derivePlan(inputs)
    require(derived && same(derived.plan, challenge.plan) && same(derived.pauses_s, challenge.pauses_s), 'plan-mismatch')
    require(Math.abs(challenge.guess_probability / derived.guess_probability - 1) <= 1e-6, 'plan-mismatch')
    const wrong = 'steps-contradict-plan'
    require(same(steps.map(({ action }) => action), challenge.plan.slice(0, steps.length)), wrong)
    steps.forEach(({ cue_s, onset_s, done_s, passed }, index) => {
      const times = [cue_s, onset_s, done_s].filter((time) => time != null)
      require(same(times, [...times].sort((a, b) => a - b)) && (!passed || times.length === 3), wrong)
      require(passed || index === steps.length - 1, wrong)
      require(cue_s - (index ? steps[index - 1].done_s : 0) >= challenge.pauses_s[index] - 0.15, wrong)
    })
    if (challenge.light) {
      const { choice, verdict, colours = [], starts_s = [] } = challenge.light
      const code = deriveLight(inputs), dark = verdict === 'off' || verdict === 'no-ring'
      if (dark || choice === 'off') require(dark && colours.length === 0 && starts_s.length === 0, 'light-mismatch')
      else require(colours.length > 0 && same(colours, code.colours.slice(0, colours.length)) && same(starts_s, code.starts_s.slice(0, colours.length)), 'light-mismatch')
    }
  }
  const seen = comparison || challenge || reference || mark || capture.frames > 0
  require(outcome !== 'witnessed' || (!seen && !offline), 'witnessed-contradicts-itself')
  if (comparison) require(comparison.match === comparison.score >= comparison.threshold, 'comparison-contradicts-itself')
  if (outcome !== 'verified') return
  const timely = ({ cue_s, onset_s, done_s, passed }) =>
    passed && onset_s - cue_s >= 0.198 && onset_s - cue_s <= 3.65 && done_s - cue_s <= 6.15 && done_s <= 25.15
  require(reasons.length === 0 && comparison?.match && capture.fps >= 10 && capture.frames > 0 && reference && challenge &&
    steps.length === challenge.plan.length && steps.every(timely) && challenge.light?.verdict !== 'not-answered', 'verified-without-evidence')
}

function asAsked({ actions, plan, alternative: chosen = false, guess_probability }, asked) {
  if (guess_probability > 1 / possiblePlans(asked.actions, asked.steps).length * (1 + 1e-6)) return false
  if (!chosen) return actions.every((action) => asked.actions.includes(action)) && plan.length >= asked.steps
  return asked.alternative != null && same([...new Set(actions)].sort(), [...new Set(asked.alternative.actions)].sort()) && plan.length === asked.alternative.steps
}

function againstRequest({ iss, boot, nonce, outcome, request: echo, reference, comparison, challenge, evidence: mark, capture }, asked) {
  const { purpose, outlet, attendant, transaction, subject, policy = {} } = asked
  const { fmr = '1e-3', actions = ['blink', 'blink-twice', 'turn-left', 'turn-right'], steps = 3, alternative, light = 'off', grades = ['request'], evidence = [] } = policy
  const said = { id: asked.jti, purpose, outlet, attendant, transaction, subject }
  const grade = asked.reference ? 'request' : same(grades, ['witnessed']) ? 'witnessed' : 'card'
  const seen = comparison || challenge || reference || mark || capture.frames > 0
  const given = mark?.kinds ?? []
  require(iss === asked.aud && boot === asked.boot && nonce === asked.nonce && Object.keys(said).every((name) => said[name] === echo[name]) &&
    (grade === 'witnessed' ? !seen : outcome !== 'witnessed') &&
    (!reference || (reference.grade === grade && grades.includes(grade) && (!asked.reference || reference.commitment === asked.reference.commitment))) &&
    (!comparison || RATES[comparison.fmr] <= RATES[fmr]) &&
    (!challenge || (asAsked(challenge, { actions, steps, alternative }) && (challenge.light?.choice ?? 'off') === light)) &&
    given.every((kind) => evidence.includes(kind)) && (outcome !== 'verified' || ((evidence.length === 0 || given.length > 0) &&
    (!evidence.includes('signals') || given.includes('signals')))), 'contradicts-request')
}

class Central {
  constructor({ rehearsal, requests }) { Object.assign(this, { rehearsal, requests, held: new Map(), known: new Map(), apart: new Set(), answers: {}, epochs: {} }) }

  async take(terminal, raw) {
    const envelope = await open(raw, ['result', 'anchor'])
    const { payload, key } = envelope, claims = attempt('malformed', () => parse(payload))
    const anchor = envelope.kind === 'anchor', place = { seq: 0, prev: GENESIS, ...claims }
    require(ajv.validate(anchor ? 'urn:likeness:v1:anchor' : PLACE, claims), 'malformed')
    require(key.terminal === terminal && claims.iss === terminal, 'other-terminal')
    if (!this.known.has(envelope.sha256)) this.known.set(envelope.sha256, await this.judge(terminal, envelope, place, anchor))
    return this.known.get(envelope.sha256)
  }

  async takeEvidence(terminal, raw) {
    const envelope = await open(raw, ['evidence']), claims = claimsOf(envelope)
    require(envelope.key.terminal === terminal && claims.iss === terminal, 'other-terminal')
    require(!envelope.key.revoked && !keys.terminals[terminal].revoked, 'revoked')
    const held = this.held.get(`${terminal}/${claims.epoch}/${claims.seq}`)
    if (!held?.claims) return 'quarantined: unknown-result'
    const sealed = bytesOf(claims.sealed), { jti, evidence } = held.claims
    const agrees = jti === claims.result && evidence?.sha256 === sha256(sealed) && evidence.bytes === sealed.length
    return agrees ? 'accepted' : 'quarantined: contradicts-result'
  }

  async judge(terminal, envelope, { epoch, seq, prev }, anchor) {
    const unlinked = this.stand(terminal, envelope.sha256, { epoch, seq, prev }, anchor)
    if (unlinked) this.apart.add(envelope.sha256)
    else {
      const claims = await refusal(() => claimsOf(envelope))
      this.held.set(`${terminal}/${epoch}/${seq}`, { sha256: envelope.sha256, prev, claims: typeof claims === 'object' && !anchor ? claims : undefined })
      this.epochs[terminal] = epoch
    }
    const reason = unlinked ?? await refusal(() => this.distrust(envelope, anchor))
    return reason ? `quarantined: ${reason}` : 'accepted'
  }

  // The reason not to link, or undefined.
  stand(terminal, sha256, { epoch, seq, prev }, anchor) {
    const approved = keys.terminals[terminal].epoch, current = this.epochs[terminal] ?? approved
    const at = (place) => this.held.get(`${terminal}/${epoch}/${place}`)
    if (epoch < current) return 'stale-epoch'
    if (anchor) return at(0) ? 'fork' : epoch === approved ? undefined : 'unanchored-epoch'
    if (epoch > current || (epoch > 1 && !at(0))) return 'unanchored-epoch'
    const before = epoch === 1 && seq === 1 ? GENESIS : at(seq - 1)?.sha256
    const contrary = (before !== undefined && prev !== before) || (at(seq + 1) !== undefined && at(seq + 1).prev !== sha256)
    return at(seq) || contrary || this.apart.has(prev) ? 'fork' : undefined
  }

  async distrust(envelope, anchor) {
    const claims = claimsOf(envelope, 'malformed-claims')
    require(!envelope.key.revoked && !keys.terminals[envelope.key.terminal].revoked, 'revoked')
    if (anchor) return
    require(this.rehearsal || ['pi-camera', 'usb-camera'].includes(claims.capture.source), 'not-live')
    againstItself(claims)
    if (!claims.request) return
    const requests = await Promise.all(this.requests.map(async (raw) => claimsOf(await open(raw, ['request']))))
    const asked = requests.find(({ jti }) => jti === claims.request.id)
    require(asked, 'unknown-request')
    againstRequest(claims, asked)
    require((this.answers[asked.jti] ?? 0) < (asked.policy.attempts ?? 3), 'too-many-results')
    this.answers[asked.jti] = (this.answers[asked.jti] ?? 0) + 1
  }

  gaps(terminal) {
    const places = [...this.held.keys()].filter((name) => name.startsWith(`${terminal}/1/`)).map((name) => Number(name.split('/')[2])).sort((a, b) => a - b)
    return [0, ...places].flatMap((place, index) => (places[index] > place + 1 ? [[1, place + 1, places[index] - 1]] : []))
  }
}

// ---- Terminal -----------------------------------------------------------------------------------------------------
async function acceptRequest({ terminal, boot, now, fmr, guess_probability, evidence_key, used }, raw) {
  const claims = claimsOf(await open(raw, ['request'])), { policy, reference } = claims
  require(claims.aud === terminal, 'other-terminal')
  require(claims.boot === boot, 'other-boot')
  require(now === null || now < claims.exp, 'expired')
  const plan = derivePlan({ ...policy, nonce: claims.nonce, salt: claims.nonce, session: '', terminal })
  require(RATES[policy.fmr] <= RATES[fmr] && plan && plan.guess_probability <= guess_probability, 'policy-too-weak')
  const other = policy.alternative, alternatives = other ? possiblePlans(other.actions, other.steps).length : Infinity
  require(alternatives > 0 && 1 / alternatives <= plan.guess_probability, 'policy-too-weak')
  const witnessed = same(policy.grades, ['witnessed'])
  require(policy.grades.includes(reference ? 'request' : witnessed ? 'witnessed' : 'card'), 'grade-not-asked-for')
  const evidence = policy.evidence ?? []
  require(evidence.length === 0 || (!witnessed && evidence_key && evidence.every((kind) => ['signals', 'portrait'].includes(kind))), 'evidence-not-possible')
  require(!used.includes(claims.jti), 'used')
  if (reference) {
    const key = keys.unsealing.find((one) => one.terminal === terminal)
    const picture = attempt('reference-not-for-us', () => unseal(bytesOf(reference.sealed), key, ['reference', claims.jti, terminal, claims.purpose, 'to-terminal']))
    require(commitment(claims.nonce, picture) === reference.commitment, 'reference-not-for-us')
  }
  return 'accepted'
}

async function obey({ terminal, boot, now, obeyed }, raw) {
  let claims
  const ignored = await refusal(async () => {
    claims = claimsOf(await open(raw, ['command']))
    require(claims.aud === terminal, 'other-terminal')
  })
  if (ignored) return `ignored: ${ignored}`
  if (obeyed?.jti === claims.jti) return 'answered again'
  if (claims.boot !== boot) return 'refused: other-boot'
  if (now !== null && now >= claims.exp) return 'refused: expired'
  if (obeyed && claims.counter <= obeyed.counter) return 'refused: replayed'
  const orders = ['report-health', 'identify', 'pause', 'resume', 'clear-lockout', 'restart']
  return orders.includes(claims.command) ? 'obeyed' : 'refused: unknown-command'
}

async function freed({ waiting }, raw) {
  const { aud, entries } = claimsOf(await open(raw, ['receipt']))
  require(aud === 'shop-1', 'other-terminal')
  const names = ({ epoch, seq, sha256 }) => `${epoch}/${seq}/${sha256}`
  return waiting.flatMap((one, index) => (entries.some((entry) => names(entry) === names(one)) ? [index] : []))
}

// ---- All of them --------------------------------------------------------------------------------------------------
const prefixed = (word, answer) => (typeof answer === 'string' ? `${word}: ${answer}` : answer)
const derive = {
  kid: ({ x }) => calculateJwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x }),
  plan: derivePlan,
  light: deriveLight,
  drawn: ({ kind, number, terminal, permille }) =>
    BigInt(`0x${sha256(`likeness/v1/canary\0${kind}\0${number}\0${terminal}`).slice(0, 16)}`) * 1000n < BigInt(permille) << 64n,
  slip: ({ code }) => scryptSync(code, 'likeness/v1/slip', 32, { N: 4096, r: 8, p: 1 }).toString('hex'),
  commitment: ({ nonce, picture }) => commitment(nonce, bytesOf(picture)),
  unsealed: ({ key, sealed, context }) => {
    const own = key === 'central' ? keys.evidence : keys.unsealing.find(({ terminal }) => terminal === key)
    try { return unseal(bytesOf(sealed), own, context).toString('base64url') } catch { return null }
  }
}
const checks = {
  envelopes: (vector) => refusal(async () => {
    const raw = vector.envelope ?? Buffer.from(vector.envelope_hex, 'hex').toString('latin1')
    const envelope = await open(raw, [vector.kind])
    claimsOf(envelope, 'malformed-claims')
    require(envelope.sha256 === vector.sha256, 'another digest')
    return 'opened'
  }),
  custody: async (scenario) => {
    const central = new Central(scenario)
    for (const { terminal, envelope, expect, leaf } of scenario.arrivals) {
      let refused = false
      const answer = await refusal(() => central[leaf === 'evidence' ? 'takeEvidence' : 'take'](terminal, envelope).catch((error) => { refused = true; throw error }))
      const said = refused ? `refused: ${answer}` : answer
      if (said !== expect) return `${said} instead of ${expect}`
    }
    return same(central.gaps('shop-1'), scenario.gaps) ? scenario.expect : `gaps ${JSON.stringify(central.gaps('shop-1'))}`
  },
  requests: ({ state, envelope }) => refusal(() => acceptRequest(state, envelope)),
  commands: ({ state, envelope }) => obey(state, envelope),
  receipts: async (vector) => prefixed('refused', await refusal(() => freed(vector, vector.envelope))),
  derivations: (vector) => derive[vector.derive](vector)
}
let wrong = 0
for (const [name, check] of Object.entries(checks)) {
  const vectors = read(name)
  for (const vector of vectors) {
    const answer = await check(vector)
    if (!same(answer, vector.expect)) {
      wrong++
      console.error(`${name}: ${vector.name ?? vector.derive}: ${JSON.stringify(answer)} instead of ${JSON.stringify(vector.expect)}`)
    }
  }
  console.log(`${name}: ${vectors.length} vectors`)
}
process.exit(wrong > 0 ? 1 : 0)
