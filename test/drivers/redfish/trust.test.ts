import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { makeAuthority } from '../../controllers/api/tls-cluster.ts'
import { refused } from '../conformance-rig.ts'
import { authority, type StandIn, type StandInOptions, startStandIn } from './stand-in.ts'

const patient = () => ({ signal: AbortSignal.timeout(20_000) })
const who = { username: 'admin', password: 'old horse' }
const pair = authority.server()
const { fingerprint256 } = new X509Certificate(pair.certificate)

function read({ driver, endpoint, means }: StandIn) {
  return driver.connect(endpoint, means).inventory(patient())
}

const trusted: readonly (readonly [string, StandInOptions])[] = [
  ['one whose authority is in the Secret', { pair, secret: { ...who, 'ca.crt': authority.certificate } }],
  [
    'one of several authorities in the Secret',
    { pair, secret: { ...who, 'ca.crt': `${makeAuthority(2).certificate}${authority.certificate}` } },
  ],
  ['one whose fingerprint is given', { pair, secret: who, configuration: { certificateFingerprint: fingerprint256 } }],
  [
    'one whose fingerprint is given in small letters',
    { pair, secret: who, configuration: { certificateFingerprint: fingerprint256.toLowerCase() } },
  ],
]

for (const [title, options] of trusted) {
  test(`a controller is trusted: ${title}`, async t => {
    await using bmc = await startStandIn(options)
    t.deepEqual(await read(bmc), { type: 'PowerController', power: 'On' })
  })
}

const other = makeAuthority(3)
const otherFingerprint = new X509Certificate(other.server().certificate).fingerprint256

const untrusted: readonly (readonly [string, StandInOptions, RegExp])[] = [
  ['nobody vouches for', { pair, secret: who }, /not to be trusted \(\w+\).*"ca\.crt".*certificateFingerprint/],
  [
    'another authority vouches for',
    { pair: other.server(), secret: { ...who, 'ca.crt': authority.certificate } },
    /not to be trusted/,
  ],
  [
    'has another fingerprint',
    { pair, secret: who, configuration: { certificateFingerprint: otherFingerprint } },
    new RegExp(`fingerprint ${fingerprint256}, not the one given`),
  ],
  [
    'has another fingerprint, though its authority is in the Secret',
    {
      pair,
      secret: { ...who, 'ca.crt': authority.certificate },
      configuration: { certificateFingerprint: otherFingerprint },
    },
    /not the one given/,
  ],
  [
    'has a user name that cannot be told apart from the password',
    { pair, secret: { ...who, username: 'ad:min', 'ca.crt': authority.certificate } },
    /"username" of the Secret has a colon/,
  ],
  [
    'has an authority in the Secret that is none',
    { pair, secret: { ...who, 'ca.crt': 'horse' } },
    /no certificate in PEM/,
  ],
]

for (const [title, options, message] of untrusted) {
  test(`HST-099 a controller that ${title} is told nothing, not even who signs in`, async t => {
    await using bmc = await startStandIn(options)
    const error = await refused(t, read(bmc), 'Unauthenticated')
    t.regex(error?.message ?? '', message)
    t.notRegex(error?.message ?? '', /horse/)
    t.deepEqual(bmc.asked, [])
  })
}

test('HST-099 a controller whose certificate is for another name is told nothing', async t => {
  await using bmc = await startStandIn({ pair })
  const { endpoint } = bmc
  const { configuration } = endpoint
  const address =
    configuration.type === 'PowerController' ? configuration.address?.replace('127.0.0.1', 'localhost') : ''
  const renamed = { ...bmc, endpoint: { ...endpoint, configuration: { ...configuration, address } } } as StandIn
  const error = await refused(t, read(renamed), 'Unauthenticated')
  t.regex(error?.message ?? '', /for another name than its address/)
  t.deepEqual(bmc.asked, [])
})

test('HST-099 a server without TLS is told nothing', async t => {
  const asked: unknown[] = []
  const plain = createServer((request, response) => {
    asked.push(request.headers)
    response.end('{}')
  })
  plain.listen(0, '127.0.0.1')
  await once(plain, 'listening')
  const { port } = plain.address() as AddressInfo
  await using bmc = await startStandIn({ configuration: { address: `127.0.0.1:${port}` } })
  await refused(t, read(bmc), 'Unavailable')
  t.deepEqual(asked, [])
  plain.closeAllConnections()
  plain.close()
})

test('a certificate that was renewed by another authority is taken once the Secret names that', async t => {
  const secret = { ...who, 'ca.crt': authority.certificate }
  await using bmc = await startStandIn({ pair: other.server(), secret })
  await using connection = bmc.driver.connect(bmc.endpoint, bmc.means)
  await refused(t, connection.inventory(patient()), 'Unauthenticated')
  bmc.secret({ ...who, 'ca.crt': other.certificate })
  t.deepEqual(await connection.inventory(patient()), { type: 'PowerController', power: 'On' })
})
