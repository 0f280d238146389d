import test from 'ava'
import fc from 'fast-check'
import {
  addressFromNumber,
  addressKey,
  addressToNumber,
  formatRange,
  hostRangeOf,
  macKey,
  netmaskOf,
  networksOverlap,
  parseRange,
  prefixLength,
  rangeOf,
} from '../../../crds/invariants/addresses.ts'
import { contains, sizeOf } from '../../../crds/invariants/number-range.ts'

const address = fc.nat(2 ** 32 - 1)

test('IPv4 addresses are numbers and back', t => {
  t.is(addressToNumber('0.0.0.0'), 0)
  t.is(addressToNumber('10.1.1.17'), 167_837_969)
  t.is(addressToNumber('255.255.255.255'), 4_294_967_295)
  fc.assert(fc.property(address, value => addressToNumber(addressFromNumber(value)) === value))
})

test('what is no IPv4 address is refused by name', t => {
  for (const text of ['', '10.1.1', '10.1.1.256', '010.1.1.1', '10.1.1.1 ', '1', '::1', '10.1.1.1/24']) {
    t.throws(() => addressToNumber(text), { instanceOf: RangeError, message: /Cannot read the IPv4 address/ }, text)
  }
})

test('a network holds its addresses; its hosts have all but the two at the ends', t => {
  t.is(formatRange(rangeOf('10.1.1.0/24')), '10.1.1.0-10.1.1.255')
  t.is(formatRange(hostRangeOf('10.1.1.0/24')), '10.1.1.1-10.1.1.254')
  t.is(formatRange(hostRangeOf('192.0.2.4/30')), '192.0.2.5-192.0.2.6')
  t.is(formatRange(hostRangeOf('192.0.2.4/31')), '192.0.2.4-192.0.2.5')
  t.is(formatRange(rangeOf('192.0.2.7/32')), '192.0.2.7')
  t.is(sizeOf(rangeOf('0.0.0.0/0')), 2 ** 32)
  t.is(netmaskOf('10.1.1.0/24'), '255.255.255.0')
  t.is(netmaskOf('0.0.0.0/0'), '0.0.0.0')
  t.is(netmaskOf('172.16.0.0/12'), '255.240.0.0')
  for (const text of ['10.1.1.0', '10.1.1.0/33', '10.1.1.0/', '10.1.1/24', '10.1.1.0/-1']) {
    t.throws(() => rangeOf(text), { instanceOf: RangeError }, text)
  }
})

test('every network holds the address it was made from, and as many as its prefix length says', t => {
  fc.assert(
    fc.property(address, fc.nat(32), (value, length) => {
      const range = rangeOf(`${addressFromNumber(value)}/${length}`)
      return contains(range, value) && sizeOf(range) === 2 ** (32 - length)
    }),
  )
  t.is(prefixLength('10.1.1.0/24'), 24)
})

test('runs of addresses are read and written', t => {
  t.deepEqual(parseRange('172.16.10.10-172.16.10.60'), {
    first: addressToNumber('172.16.10.10'),
    last: addressToNumber('172.16.10.60'),
  })
  t.is(sizeOf(parseRange('10.0.0.1')), 1)
  t.throws(() => parseRange('10.0.0.2-10.0.0.1'), { message: /runs backwards/ })
  t.throws(() => parseRange('10.0.0.1-10.0.0.2-10.0.0.3'), { message: /Cannot read the address range/ })
  fc.assert(
    fc.property(address, address, (a, b) => {
      const range = { first: Math.min(a, b), last: Math.max(a, b) }
      return JSON.stringify(parseRange(formatRange(range))) === JSON.stringify(range)
    }),
  )
})

test('INF-040 networks that share an address overlap', t => {
  t.true(networksOverlap('10.0.0.0/8', '10.1.1.0/24'))
  t.true(networksOverlap('10.1.1.128/25', '10.1.1.0/24'))
  t.false(networksOverlap('10.1.1.0/24', '10.1.2.0/24'))
})

test('the key of an address is the same however it is written', t => {
  t.is(addressKey('192.0.2.100'), '192.0.2.100')
  t.is(addressKey('2001:db8::1'), '20010db8000000000000000000000001')
  t.is(addressKey('2001:DB8:0:0::0001'), '20010db8000000000000000000000001')
  t.is(macKey('02:00:4C:11:22:33'), '02004c112233')
  for (const text of ['', 'x', '192.0.2', 'fe80::1%eth0']) {
    t.throws(() => addressKey(text), { instanceOf: RangeError, message: /Cannot read the address/ }, text)
  }
})
