import test from 'ava'
import { configMap, configMaps, startServer, startWithThings, thing, things } from './harness.ts'

/** 2^53 + 1: the first whole number that would become another. */
const inexact = '9007199254740993'
const withNumber = (number: string) => JSON.stringify(thing('a', { size: 1 })).replace('"size":1', `"size":${number}`)

const bodies: readonly (readonly [how: string, type: string, body: string])[] = [
  ['JSON', 'json', withNumber(inexact)],
  ['JSON, negative and spaced', 'json', withNumber(` \n-${inexact}`)],
  ['YAML', 'yaml', `{apiVersion: example.dev/v1, kind: Thing, metadata: {name: a}, spec: {size: ${inexact}}}`],
  ['a list in YAML', 'yaml', `apiVersion: example.dev/v1\nkind: Thing\nmetadata: {name: a}\nspec:\n- ${inexact}\n`],
]

for (const [how, type, body] of bodies) {
  test(`a number that would lose digits is refused: ${how}`, async t => {
    const { call } = await startWithThings()
    const answer = await call('POST', things, body, { 'content-type': `application/${type}` })
    t.is(answer.status, 400, answer.body.message)
    t.regex(answer.body.message, /the number -?9007199254740993( of "size")? would lose digits: .*give it as a text/)
  })
}

test('a patch with such a number is refused and changes nothing', async t => {
  const { call, post, get } = await startWithThings()
  await post(things, thing('a', { size: 1 }))
  const patches = [
    ['merge-patch+json', `{"spec":{"size":${inexact}}}`],
    ['json-patch+json', `[{"op":"replace","path":"/spec/size","value":${inexact}}]`],
    ['apply-patch+yaml', withNumber(inexact)],
  ] as const
  for (const [type, body] of patches) {
    const path = `${things}/a?fieldManager=me&force=${type.startsWith('apply')}`
    const { status, body: answer } = await call('PATCH', path.replace('&force=false', ''), body, {
      'content-type': `application/${type}`,
    })
    t.is(status, 400, `${type} ${answer.message}`)
    t.regex(answer.message, /would lose digits/, type)
  }
  t.is((await get(`${things}/a`)).body.spec.size, 1)
})

test('what is kept to the digit is taken, and so is what is no number', async t => {
  const { call, post } = await startWithThings()
  for (const number of ['9007199254740991', '9007199254740992', '-9007199254740991', '9223372036854774784']) {
    const { status, body } = await call('POST', `${things}?dryRun=All`, withNumber(number))
    // Negative sizes are refused by the schema, which has read them.
    t.true(number.startsWith('-') ? status === 422 : body.spec.size === Number(number), `${number} ${status}`)
  }
  const server = await startServer()
  t.is((await server.post(configMaps, configMap('a', { a: inexact, b: `: ${inexact}` }))).status, 201)
  t.is((await post(things, thing('b', { size: 1 }, { annotations: { note: `1, ${inexact}` } }))).status, 201)
})
