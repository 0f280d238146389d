import test from 'ava'
import fc from 'fast-check'
import { XdrError, XdrReader, XdrWriter } from '../../../drivers/kvm/xdr.ts'

test('what is written is read again, padded to four bytes', t => {
  const values = fc.record({
    int: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    uint: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    hyper: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    text: fc.string({ unit: 'binary' }),
    optional: fc.option(fc.string(), { nil: undefined }),
    fixed: fc.uint8Array({ maxLength: 40 }),
  })
  fc.assert(
    fc.property(values, ({ int, uint, hyper, text, optional, fixed }) => {
      const writer = new XdrWriter().int(int).string(text).uint(uint).fixed(fixed).hyper(hyper).optionalString(optional)
      t.is(writer.bytes().length % 4, 0)
      const reader = new XdrReader(Buffer.from(writer.bytes()))
      t.is(reader.int(), int)
      t.is(reader.string(), text)
      t.is(reader.uint(), uint)
      t.deepEqual(new Uint8Array(reader.fixed(fixed.length)), fixed)
      t.is(reader.hyper(), hyper)
      t.is(reader.optionalString(), optional)
    }),
  )
})

test('a string is its length in bytes, its bytes and zeros', t => {
  t.is(new XdrWriter().string('aä').bytes().toString('hex'), '0000000361c3a400')
})

test('bytes that end too early are told, not read', t => {
  const text = new XdrWriter().string('hello').bytes()
  t.throws(() => new XdrReader(text.subarray(0, 8)).string(), { instanceOf: XdrError, message: /8 bytes: 4 are left/ })
  const huge = new XdrWriter().uint(0xffffffff).bytes()
  t.throws(() => new XdrReader(huge).string(), { instanceOf: XdrError })
  t.throws(() => new XdrReader(huge).list(reader => reader.int()), {
    instanceOf: XdrError,
    message: /0 bytes are left/,
  })
})
