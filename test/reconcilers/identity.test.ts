import test from 'ava'
import { hashOf, macAddressOf, startIn, uuidV5 } from '../../reconcilers/identity.ts'

const dnsNamespace = '6ba7b810-9dad-11d1-80b4-00c04fd430c8'

test('uuidV5 gives the UUID that RFC 9562 shows for www.example.com', t => {
  t.is(uuidV5(dnsNamespace, 'www.example.com'), '2ed6657d-e927-568b-95e1-2665a8aea6a2')
})

test('hashOf does not depend on the order of keys, nor on keys that are undefined', t => {
  const hash = hashOf({ b: [1, { d: 'x', c: undefined }], a: true })
  t.is(hash, hashOf({ a: true, b: [1, { d: 'x' }] }))
  t.not(hash, hashOf({ a: true, b: [{ d: 'x' }, 1] }))
  t.regex(hash, /^[0-9a-f]{64}$/)
})

test('startIn stays inside the pool and spreads', t => {
  const starts = new Set(Array.from({ length: 200 }, (_, index) => startIn(1000, `identity-${index}`)))
  t.true([...starts].every(start => start >= 0 && start < 1000))
  t.true(starts.size > 150)
})

test('macAddressOf is a locally administered unicast address, of its own for each NIC', t => {
  const first = macAddressOf(dnsNamespace, 'eth0')
  t.regex(first, /^02(:[0-9a-f]{2}){5}$/)
  t.is(first, macAddressOf(dnsNamespace, 'eth0'))
  t.not(first, macAddressOf(dnsNamespace, 'eth1'))
})
