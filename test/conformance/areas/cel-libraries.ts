import { deepEqual, equal } from 'node:assert/strict'
import type { Bench } from '../case.ts'
import { area } from '../case.ts'
import { definition } from '../definitions.ts'

const text = { type: 'string', maxLength: 40 }
const texts = { type: 'array', maxItems: 5, items: text }

const properties = {
  size: { type: 'integer' },
  ratio: { type: 'number' },
  flag: { type: 'boolean' },
  text,
  none: text,
  namespace: text,
  when: { ...text, format: 'date-time' },
  day: { ...text, format: 'date' },
  long: { ...text, format: 'duration' },
  data: { ...text, format: 'byte' },
  texts,
  numbers: { type: 'array', maxItems: 5, items: { type: 'integer' } },
  map: { type: 'object', maxProperties: 5, additionalProperties: { type: 'integer' } },
  parts: {
    type: 'array',
    maxItems: 5,
    items: { type: 'object', properties: { name: text, weight: { type: 'integer' } } },
  },
}

const spec = {
  size: 3,
  ratio: 1.5,
  flag: true,
  text: 'hello',
  namespace: 'home',
  when: '2026-01-02T03:04:05Z',
  day: '2026-01-02',
  long: '1h30m',
  data: 'aGVsbG8=',
  texts: ['a', 'b'],
  numbers: [1, 2, 3],
  map: { a: 1, b: 2 },
  parts: [
    { name: 'a', weight: 1 },
    { name: 'b', weight: 2 },
  ],
}

/** Fails where an expression does not hold for the spec above. */
async function holds(bench: Bench, expressions: readonly string[]): Promise<void> {
  const group = `${bench.name('cel')}.skystead.test`
  const rules = expressions.map(rule => ({ rule, message: rule }))
  const schema = {
    type: 'object',
    properties: { spec: { type: 'object', properties, 'x-kubernetes-validations': rules } },
  }
  const path = await bench.install(definition('Calculation', { group, schema }))
  const manifest = { apiVersion: `${group}/v1`, kind: 'Calculation', metadata: { name: 'a' }, spec }
  const { status, body } = await bench.api.post(path, manifest)
  deepEqual(body.details?.causes ?? [], [])
  equal(status, 201)
}

/** Makes a case of expressions that hold. */
function holding(...expressions: readonly string[]) {
  return (bench: Bench) => holds(bench, expressions)
}

export const celLibraries = area('cel-libraries', {
  'numbers are compared and calculated with': holding(
    'self.size + 1 == 4 && self.size * 2 == 6 && -self.size == -3',
    '7 / 2 == 3 && 7 % 4 == 3 && 7.0 / 2.0 == 3.5',
    'self.ratio > 1 && self.size > 1.5 && 1 < 1.5',
    'self.ratio * 2.0 == 3.0',
    'self.size in [1, 2, 3]',
  ),

  'values are converted': holding(
    "int('7') == 7 && int(self.ratio) == 1 && double(self.size) == 3.0 && uint(3) == 3u",
    "string(self.size) == '3' && string(true) == 'true' && string(1.5) == '1.5'",
    "bool('true') && bytes('abc') == b'abc' && string(b'abc') == 'abc'",
    'type(self.text) == string && type(self.size) == int',
    'dyn(self.size) == 3',
  ),

  'texts are searched': holding(
    "self.text.contains('ell') && self.text.startsWith('he') && self.text.endsWith('lo')",
    "self.text.indexOf('l') == 2 && self.text.indexOf('l', 3) == 3 && self.text.indexOf('z') == -1",
    "self.text.lastIndexOf('l') == 3 && self.text.lastIndexOf('l', 2) == 2",
    "self.text.charAt(1) == 'e' && self.text.charAt(5) == ''",
    "size(self.text) == 5 && '日本'.size() == 2",
  ),

  'texts are made of others': holding(
    "self.text + '!' == 'hello!'",
    "'ABC'.lowerAscii() == 'abc' && 'abc'.upperAscii() == 'ABC'",
    "'a-b-c'.replace('-', '+') == 'a+b+c' && 'a-b-c'.replace('-', '+', 1) == 'a+b-c'",
    "'hello'.substring(1) == 'ello' && 'hello'.substring(1, 3) == 'el'",
    "'  x '.trim() == 'x'",
  ),

  'texts are split and joined': holding(
    "'a,b,c'.split(',') == ['a', 'b', 'c'] && 'a,b,c'.split(',', 2) == ['a', 'b,c']",
    "self.texts.join() == 'ab' && self.texts.join('-') == 'a-b'",
  ),

  'texts are formatted': holding(
    "'%s is %d'.format(['x', 3]) == 'x is 3'",
    "'%.2f'.format([1.5]) == '1.50' && '%e'.format([1500.0]) == '1.500000×10⁰³' && '%.1f'.format([12345.5]) == '12,345.5'",
    "'%x %X %b %o'.format([255, 255, 5, 8]) == 'ff FF 101 10'",
    "'%s %s'.format([true, [1, 2]]) == 'true [1, 2]'",
    'strings.quote(\'a"b\') == \'"a\\\\"b"\'',
  ),

  'regular expressions match, find and find all': holding(
    "self.text.matches('^[a-z]+$') && !self.text.matches('^[0-9]+$')",
    "'abc 123 def 456'.find('[0-9]+') == '123' && self.text.find('[0-9]+') == ''",
    "'abc 123 def 456'.findAll('[0-9]+') == ['123', '456']",
    "'abc 123 def 456'.findAll('[0-9]+', 1) == ['123']",
  ),

  'lists are searched and counted': holding(
    'self.numbers.sum() == 6 && self.numbers.min() == 1 && self.numbers.max() == 3',
    'self.numbers.indexOf(2) == 1 && self.numbers.lastIndexOf(2) == 1 && self.numbers.indexOf(9) == -1',
    '[1, 2, 3].isSorted() && ![2, 1].isSorted()',
    '2 in self.numbers && !(9 in self.numbers)',
    'self.numbers.size() == 3 && self.numbers + [4] == [1, 2, 3, 4]',
  ),

  'lists are cut, flattened and put in order': holding(
    '[1, 2, 3].slice(0, 2) == [1, 2]',
    '[[1, 2], [3]].flatten() == [1, 2, 3]',
    '[3, 1, 2].sort() == [1, 2, 3] && [1, 2, 3].reverse() == [3, 2, 1]',
    "self.parts.sortBy(part, -part.weight)[0].name == 'b'",
    '[1, 1, 2].distinct() == [1, 2] && lists.range(3) == [0, 1, 2]',
    '[1, 2].first().value() == 1 && [1, 2].last().value() == 2',
  ),

  'comprehensions run over lists': holding(
    'self.numbers.all(n, n > 0) && self.numbers.exists(n, n == 2) && self.numbers.exists_one(n, n == 2)',
    'self.numbers.filter(n, n > 1) == [2, 3]',
    'self.numbers.map(n, n * 2) == [2, 4, 6] && self.numbers.map(n, n > 1, n * 2) == [4, 6]',
    "self.parts.map(part, part.name) == ['a', 'b']",
  ),

  'comprehensions run over the keys of maps': holding(
    "self.map.all(key, key != 'c') && self.map.exists(key, self.map[key] == 2)",
    "self.map.filter(key, key == 'a') == ['a']",
    "'a' in self.map && !('z' in self.map) && self.map.size() == 2",
  ),

  'comprehensions with two variables see the index or key and the value': holding(
    'self.numbers.all(i, n, n == i + 1) && self.numbers.exists(i, n, i == 2 && n == 3)',
    'self.numbers.existsOne(i, n, n == 2)',
    'self.map.all(key, value, value > 0)',
    'self.numbers.transformList(i, n, n * i) == [0, 2, 6] && self.numbers.transformList(i, n, n > 1, n) == [2, 3]',
    "self.map.transformMap(key, value, value + 1) == {'a': 2, 'b': 3}",
    "self.map.transformMapEntry(key, value, {string(value): key}) == {'1': 'a', '2': 'b'}",
  ),

  'sets are compared whatever their order': holding(
    'sets.contains([1, 2, 3], [2]) && !sets.contains([1], [2])',
    'sets.equivalent([1, 2], [2, 1, 1])',
    'sets.intersects([1, 2], [2, 3])',
  ),

  'optionals are looked into': holding(
    "!self.?none.hasValue() && self.?none.orValue('x') == 'x' && self.?text.orValue('x') == 'hello'",
    "self.map[?'a'].orValue(0) == 1 && self.map[?'z'].orValue(0) == 0 && self.numbers[?9].orValue(0) == 0",
    "self.?none.or(self.?text).value() == 'hello'",
    'optional.of(1).optMap(x, x + 1) == optional.of(2)',
    'optional.of(1).optFlatMap(x, optional.of(x + 1)) == optional.of(2)',
    '!optional.ofNonZeroValue(0).hasValue() && !optional.none().hasValue()',
  ),

  'fields are asked for with has': holding('has(self.text) && !has(self.none)', 'has(self.map.a) && !has(self.map.z)'),

  'a field may have a name that CEL keeps for itself': holding(
    "self.namespace == 'home' && self.__namespace__ == 'home'",
  ),

  'times are read and compared': holding(
    "self.when == timestamp('2026-01-02T03:04:05Z') && self.when < timestamp('2027-01-01T00:00:00Z')",
    'self.when.getFullYear() == 2026 && self.when.getMonth() == 0 && self.when.getDate() == 2',
    'self.when.getDayOfMonth() == 1 && self.when.getDayOfWeek() == 5',
    "self.when.getHours() == 3 && self.when.getHours('+01:00') == 4 && self.when.getHours('Europe/Berlin') == 4",
    "self.day == timestamp('2026-01-02T00:00:00Z')",
  ),

  'durations are read and calculated with': holding(
    "self.long == duration('90m') && self.long > duration('1h')",
    'self.long.getHours() == 1 && self.long.getMinutes() == 90 && self.long.getSeconds() == 5400',
    "self.when + duration('1h') > self.when",
    "timestamp('2026-01-02T03:04:05Z') - timestamp('2026-01-02T03:04:04Z') == duration('1s')",
    "[duration('1h'), duration('2h')].sum() == duration('3h')",
  ),

  'bytes are read from base64': holding("self.data == b'hello' && size(self.data) == 5"),

  'quantities are compared whatever their units': holding(
    "isQuantity('1Gi') && isQuantity('1.5') && !isQuantity('1gi')",
    "quantity('1Gi').isGreaterThan(quantity('1G')) && quantity('100m').isLessThan(quantity('1'))",
    "quantity('1k') == quantity('1000') && quantity('100m').compareTo(quantity('0.1')) == 0",
  ),

  'quantities are calculated with': holding(
    "quantity('1').add(quantity('2')) == quantity('3') && quantity('1').add(2) == quantity('3')",
    "quantity('1').sub(2) == quantity('-1') && sign(quantity('-1')) == -1",
    "quantity('50k').asInteger() == 50000 && quantity('1.5').asApproximateFloat() == 1.5",
    "quantity('50k').isInteger() && !quantity('1.5').isInteger()",
  ),

  'addresses are read and told apart': holding(
    "isIP('127.0.0.1') && isIP('::1') && !isIP('127.0.0.256') && !isIP('::ffff:1.2.3.4')",
    "ip('127.0.0.1').family() == 4 && ip('::1').family() == 6",
    "ip('127.0.0.1').isLoopback() && ip('0.0.0.0').isUnspecified() && ip('10.0.0.1').isGlobalUnicast()",
    "ip('169.254.1.1').isLinkLocalUnicast() && ip('224.0.0.1').isLinkLocalMulticast()",
    "ip.isCanonical('::1') && !ip.isCanonical('::01') && string(ip('::01')) == '::1' && ip('::1') == ip('0:0::1')",
  ),

  'networks contain addresses and networks': holding(
    "isCIDR('10.0.0.0/8') && !isCIDR('10.0.0.0/33')",
    "cidr('10.0.0.0/8').containsIP('10.1.2.3') && !cidr('10.0.0.0/8').containsIP(ip('11.1.2.3'))",
    "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && !cidr('10.0.0.0/8').containsCIDR(cidr('10.0.0.0/7'))",
    "cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8') && cidr('10.1.2.3/8').ip() == ip('10.1.2.3')",
    "cidr('10.1.2.3/8').prefixLength() == 8 && string(cidr('10.0.0.0/8')) == '10.0.0.0/8'",
  ),

  'URLs are taken apart': holding(
    "isURL('https://example.com:80/p?q=1') && isURL('/path') && isURL('a:b') && !isURL('example')",
    "url('https://example.com:80/p').getScheme() == 'https' && url('https://example.com:80/p').getHost() == 'example.com:80'",
    "url('https://[::1]:80/p').getHostname() == '::1' && url('https://example.com:80/').getPort() == '80'",
    "url('https://example.com/p/a b').getEscapedPath() == '/p/a%20b'",
    "url('https://example.com/p?q=1&q=2').getQuery()['q'] == ['1', '2']",
  ),

  'semantic versions are read and compared': holding(
    "isSemver('1.2.3') && !isSemver('v1.2') && isSemver('v1.2', true) && !isSemver('01.1.1') && isSemver('01.1.1', true)",
    "semver('1.2.3').major() == 1 && semver('1.2.3').minor() == 2 && semver('1.2.3-rc.1').patch() == 3",
    "semver('1.2.3').isLessThan(semver('1.10.0')) && semver('1.0.0').isGreaterThan(semver('1.0.0-rc.1'))",
    "semver('1.2.3').compareTo(semver('1.2.3')) == 0 && semver('1.2.3') == semver('v1.2.3', true)",
  ),

  'named formats say what is wrong': holding(
    "!format.dns1123Label().validate('ok').hasValue() && format.dns1123Label().validate('Not_Ok').hasValue()",
    "format.dns1035Label().validate('1a').hasValue() && !format.dns1123Subdomain().validate('a.b').hasValue()",
    "!format.qualifiedName().validate('a.b/c').hasValue() && !format.labelValue().validate('').hasValue()",
    "format.uuid().validate('x').hasValue() && format.date().validate('2026-13-01').hasValue()",
    "format.named('dns1123Label').hasValue() && !format.named('none').hasValue()",
    "!format.dns1123LabelPrefix().validate('a-').hasValue()",
  ),

  'entries of lists and maps are there only where an optional has a value': holding(
    "[?self.?text, ?self.?none, 'b'] == ['hello', 'b']",
    "{?'a': self.?text, ?'b': self.?none, 'c': 'd'} == {'a': 'hello', 'c': 'd'}",
    '[?self.texts[?0], ?self.texts[?9]].size() == 1',
    'optional.unwrap([self.?text, self.?none]) == [self.text] && [self.?none].unwrapOpt() == []',
  ),

  'characters are counted, not the units that they take': holding(
    "'ä👍x'.charAt(1) == '👍' && 'ä👍x'.substring(1, 2) == '👍' && 'ä👍x'.indexOf('x') == 2 && 'ä👍x'.lastIndexOf('x') == 2",
    "'ÄbC'.lowerAscii() == 'Äbc' && 'äbc'.upperAscii() == 'äBC'",
    "'tacocat'.indexOf('a', 99) == -1",
  ),

  'values within lists and maps are formatted as they are written': holding(
    `'%s %s'.format([self.texts, self.map]) == '["a", "b"] {"a":1, "b":2}'`,
    `'%s'.format([[1.5, 2.5]]) == '[1.500000, 2.500000]' && '%.0f'.format([2.5]) == '2'`,
    `'%x %s'.format([b'hi', type(1)]) == '6869 int'`,
  ),

  'keys of maps keep their types': holding(
    "{1: 'a', 2: 'b'}[2] == 'b' && 1 in {1: 'a'} && {true: 1}[true] == 1",
    'self.numbers.transformMap(i, n, n * 2) == {0: 2, 1: 4, 2: 6}',
    "url('https://a/?x=1&x=2').getQuery() == {'x': ['1', '2']}",
  ),

  'what cannot be is refused when a definition is made': async bench => {
    const expressions = [
      'cel.bind(x, self.size, x > 1)',
      "[1, 'a'].size() == 2",
      "{'a': 1, 'b': 'c'}.size() == 2",
      "int('x') == 1",
      '9223372036854775808 > 0',
      "'%d'.format([1.5]) == '1'",
      "'%s'.format([]) == ''",
      'self.?typo.hasValue()',
      "self.parts[0]['name'] == 'a'",
      'self.map[1] == 1',
    ]
    const rules = expressions.map(rule => ({ rule }))
    const spec = { type: 'object', properties, 'x-kubernetes-validations': rules }
    const group = `${bench.name('cel')}.skystead.test`
    const made = definition('Wrong', { group, schema: { type: 'object', properties: { spec } } })
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All'
    const { body } = await bench.api.post(path, made)
    const fields = body.details.causes.map(({ field }: { readonly field: string }) => field)
    const field = 'spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations'
    deepEqual(
      fields,
      expressions.map((_, index) => `${field}[${index}].rule`),
    )
  },
})
