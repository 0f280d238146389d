import test from 'ava'
import { createLogger, type LogLevel } from '../../controllers/log.ts'
import { virtualEnvironment } from '../../drivers/simulator/virtual-clock.ts'

function logging(level: LogLevel) {
  const lines: Record<string, unknown>[] = []
  const { clock } = virtualEnvironment()
  const logger = createLogger({ level, clock, stream: { write: line => void lines.push(JSON.parse(line)) } })
  return { logger, lines }
}

test('lines carry level, the given time, fields and a static message', t => {
  const { logger, lines } = logging('info')
  logger.child({ controller: 'Host' }).info({ name: 'host-1' }, 'host is up')
  t.deepEqual(lines, [
    { level: 'info', time: '2026-01-01T00:00:00.000Z', controller: 'Host', name: 'host-1', msg: 'host is up' },
  ])
})

test('what is below the level is not written', t => {
  const { logger, lines } = logging('warn')
  logger.debug({}, 'a')
  logger.info({}, 'b')
  logger.warn({}, 'c')
  logger.error({}, 'd')
  t.deepEqual(
    lines.map(({ msg }) => msg),
    ['c', 'd'],
  )
})

test('secrets never reach a line, however deep they stand', t => {
  const { logger, lines } = logging('info')
  logger.info(
    {
      password: 'hunter2',
      host: { credentials: { user: 'root' }, nested: { token: 'hunter2', deep: { userData: 'hunter2' } } },
      headers: { Authorization: 'hunter2' },
    },
    'host was added',
  )
  const text = JSON.stringify(lines)
  t.notRegex(text, /hunter2|root/)
  t.is(text.split('[redacted]').length - 1, 5)
})

test('an error is written with its message and stack', t => {
  const { logger, lines } = logging('info')
  logger.error({ err: new TypeError('no such thing') }, 'a pass failed')
  t.like(lines[0], { level: 'error', err: { type: 'TypeError', message: 'no such thing' } })
})
