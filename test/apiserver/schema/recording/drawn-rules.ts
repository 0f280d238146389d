/** Rules drawn at random, of the right types throughout. */

type Kind = 'bool' | 'int' | 'text' | 'texts' | 'ints' | 'labels' | 'part'

/** Templates in which a kind in braces stands for an expression of it; `$` is a variable that is new there. */
const templates: Readonly<Record<Kind, readonly string[]>> = {
  bool: [
    'self.flag',
    '{int} > {int}',
    '{int} == {int}',
    '{text} == {text}',
    '{text} != {text}',
    '{text} < {text}',
    '({bool} && {bool})',
    '({bool} || {bool})',
    '!({bool})',
    '({bool} ? {bool} : {bool})',
    '{text}.startsWith({text})',
    '{text}.contains({text})',
    "{text}.matches('^[a-z]+$')",
    '{text} in {texts}',
    '{text} in {labels}',
    '{int} in {ints}',
    '{texts}.all($, $ == {text})',
    '{texts}.exists($, {bool} && $.size() > {int})',
    '{ints}.exists_one($, $ == {int})',
    '{labels}.all($, $ == {text})',
    'self.labels.all($, self.labels[$] == {text})',
    'self.parts.all($, $.name == {text} && $.size > {int})',
    'self.parts.exists($, $.tags.exists(t, t == {text}) && $.name != {text})',
    'self.parts.all($, $.inner.deep.all(d, d.x == {text} || d.y == $.name))',
    'self.matrix.all($, $.all(m, m == {text}))',
    'self.labels.all($, v, v == {text} && $ != {text})',
    'self.texts.exists(i, $, $ == {text} && i > {int})',
    'sets.contains({texts}, {texts})',
    '{texts} == {texts}',
    '{texts}.isSorted()',
    'has(self.text)',
    '{part}.name == {text}',
    'self.?text.hasValue()',
    'quantity({text}).isLessThan(quantity({text}))',
    'isIP({text})',
    'self.port == {int}',
  ],
  int: [
    'self.size',
    '1',
    '-2',
    '{text}.size()',
    'size({texts})',
    '({int} + {int})',
    '({int} * {int})',
    '({bool} ? {int} : {int})',
    '{ints}.sum()',
    '{texts}.indexOf({text})',
    '{part}.size',
    '{labels}.size()',
    '{ints}[0]',
    'int(self.text)',
    '{text}.indexOf({text})',
  ],
  text: [
    'self.text',
    'self.other',
    'self.level',
    "'abcdef'",
    '({text} + {text})',
    '({bool} ? {text} : {text})',
    '{text}.lowerAscii()',
    "{text}.replace('ab', {text})",
    '{text}.substring(1)',
    "{texts}.join(',')",
    '{texts}[0]',
    "self.labels['a']",
    '{part}.name',
    'string({int})',
    "{text}.find('[a-z]*')",
    'self.?other.orValue({text})',
    'self.matrix[0][0]',
    '{texts}.max()',
  ],
  texts: [
    'self.texts',
    "['a', 'bcd']",
    '[{text}]',
    '({texts} + {texts})',
    '({bool} ? {texts} : {texts})',
    "{text}.split(',')",
    '{texts}.filter($, $ != {text})',
    '{texts}.map($, $ + {text})',
    'self.labels.map($, $)',
    'self.parts.map($, $.name)',
    'self.parts[0].tags',
    '{texts}.sort()',
    '{texts}.distinct()',
    '{texts}.reverse()',
    '{texts}.slice(0, 2)',
    'self.matrix.flatten()',
    'self.texts.transformList(i, $, $ + {text})',
    'self.lists["a"]',
  ],
  ints: [
    'self.numbers',
    '[1, 2]',
    '{texts}.map($, $.size())',
    'self.parts.map($, $.size)',
    '{ints}.filter($, $ > {int})',
  ],
  labels: ['self.labels', "{'a': {text}}", 'self.labels.transformMap(k, $, $ + {text})'],
  part: ['self.parts[0]', 'self.parts.filter($, $.size > {int})[0]', 'self.parts.sortBy($, $.name)[0]'],
}

/** Draws so many rules; the same ones for the same seed. */
export function drawnRules(count: number, seed = 1): readonly string[] {
  let state = seed
  let variables = 0
  const draw = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const isKind = (text: string): text is Kind => Object.hasOwn(templates, text)
  const expression = (kind: Kind, depth: number): string => {
    // Where there is no room left, one of those that begin the list and need nothing further.
    const fits = templates[kind].filter(template => depth > 0 || !/\{\w+\}/.test(template.replace("{'a'", '')))
    const template = fits[draw(fits.length)] ?? ''
    const variable = `v${++variables}`
    return template
      .replaceAll('$', () => variable)
      .replaceAll(/\{(\w+)\}/g, (whole, name: string) => (isKind(name) ? expression(name, depth - 1) : whole))
  }
  return Array.from({ length: count }, () => {
    variables = 0
    return expression('bool', 2 + draw(3))
  })
}
