/** The README's two commands on a fresh clone. Slow (it installs every package): SKYSTEAD_INSTALL_TEST=1 asks for it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import anyTest from 'ava'
import { projectPath } from '../../../cli/repository.ts'

const asked = process.env.SKYSTEAD_INSTALL_TEST === '1'
const test = asked ? anyTest.serial : anyTest.skip

// The hooks, and with them the directory, are only there for tests that run.
let directory = ''
let clone = ''

anyTest.before(() => {
  directory = mkdtempSync(join(tmpdir(), 'skystead-install-'))
  clone = join(directory, 'clone')
  execFileSync('git', ['clone', '--quiet', projectPath('.'), clone])
})

anyTest.after.always(() => {
  if (directory !== '') rmSync(directory, { recursive: true, force: true })
})

/** `npm start` in a process group of its own, as a terminal makes one. */
function npmStart(...parameters: readonly string[]): ChildProcess {
  return spawn('npm', ['start', '--', '--port', '0', '--metrics-port', '0', ...parameters], {
    cwd: clone,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
}

/** Resolves with all output so far once it holds the text. */
function said(child: ChildProcess, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = ''
    const note = (chunk: Buffer) => {
      output += chunk.toString()
      if (output.includes(text)) resolve(output)
    }
    child.stdout?.on('data', note)
    child.stderr?.on('data', note)
    child.once('close', code => reject(new Error(`It ended with ${code} without saying "${text}":\n${output}`)))
  })
}

/** Presses Ctrl-C: the terminal signals the whole group. Resolves with npm's exit code. */
async function interrupted(child: ChildProcess): Promise<unknown> {
  const closed = once(child, 'close')
  if (child.pid !== undefined) process.kill(-child.pid, 'SIGINT')
  const [code] = await closed
  return code
}

test('(with SKYSTEAD_INSTALL_TEST=1) npm start on a fresh clone installs, starts, brings the example up and ends with 0', async t => {
  t.timeout(280_000)
  const child = npmStart()
  const output = await said(child, 'Ctrl-C stops it')
  t.regex(output, /skystead ready\n/)
  t.regex(output, /ready {4}VirtualMachine shop\/web-2\n/)
  t.true(existsSync(join(clone, '.skystead', 'kubeconfig')))
  t.is(await interrupted(child), 0)
})

test('(with SKYSTEAD_INSTALL_TEST=1) a second npm start on the same home carries on; options are passed on', async t => {
  t.timeout(60_000)
  const child = npmStart('--no-quickstart', '--home', join(clone, '.skystead'))
  await said(child, 'skystead ready')
  const status = execFileSync('npm', ['run', '--silent', 'skystead', '--', 'status'], { cwd: clone, encoding: 'utf8' })
  t.regex(status, /machine shop\/web-1 {2}Running/)
  t.is(await interrupted(child), 0)
})
