import { join, resolve } from 'node:path'
import type { ControlAction, ControlActions, ControlRequest } from '../drivers/simulator/control-actions.ts'
import { callControl } from '../drivers/simulator/control-socket.ts'
import { controlSocketOf } from './home.ts'
import { counterLines, faultLines, invariantLines, journalLines, worldLines } from './sim-text.ts'
import type { OutputFormat } from './status.ts'
import { UserError } from './user-error.ts'

/** Options of every `skystead sim` command. */
export interface SimOptions {
  readonly home: string
  readonly output: OutputFormat
}

type Result = ControlActions[ControlAction]['result']

/** Asks the simulator of a home for something, and tells its answer, or what was done. */
export async function sim(request: ControlRequest, done: string, { home, output }: SimOptions): Promise<void> {
  const result = await ask(request, home)
  if (output === 'json') {
    process.stdout.write(`${JSON.stringify(result ?? { done: request.action }, undefined, 2)}\n`)
    return
  }
  process.stdout.write(`${linesOf(request.action, result, done).join('\n')}\n`)
}

async function ask(request: ControlRequest, home: string): Promise<Result> {
  try {
    return await callControl(controlSocketOf(home), request)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const code = error.cause instanceof Error && 'code' in error.cause ? error.cause.code : undefined
    if (code === 'ENOENT' || code === 'ECONNREFUSED') {
      throw new UserError(
        `Cannot reach the simulator of ${resolve(home)}: nothing runs there; start it with "skystead up", or name its --home`,
        { cause: error },
      )
    }
    if (code === 'EACCES') {
      const socket = join(resolve(home), 'simulator.sock')
      throw new UserError(`Cannot reach the simulator: ${socket} belongs to another user`, { cause: error })
    }
    throw new UserError(error.message, { cause: error })
  }
}

function linesOf(action: ControlAction, result: Result, done: string): readonly string[] {
  // The edge to the other process: it answers each action with its own result.
  const answered = <A extends ControlAction>(_action: A) => result as ControlActions[A]['result']
  if (action === 'list') return worldLines(answered('list'))
  if (action === 'invariants') return invariantLines(answered('invariants'))
  if (action === 'counters') return counterLines(answered('counters'))
  if (action === 'journal') return journalLines(answered('journal'))
  if (action === 'faults') return faultLines(answered('faults'))
  return [typeof result === 'string' ? `${done}: ${result}` : done]
}
