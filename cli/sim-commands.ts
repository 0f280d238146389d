import { type Command, Option } from 'commander'
import type { ControlRequest } from '../drivers/simulator/control-actions.ts'
import type { Fault } from '../drivers/simulator/faults.ts'
import { share, wholeNumber } from './option-values.ts'
import type { SimOptions } from './sim.ts'

/** Actions on one thing that is named, and what they say when they are done. */
type NamedAction = Exclude<Extract<ControlRequest, { readonly name: string }>['action'], 'cutOffStorage'>
type MachineAction = Exclude<Extract<ControlRequest, { readonly machine: string }>['action'], 'changeDefinition'>

interface Named<Action> {
  readonly command: string
  readonly action: Action
  readonly description: string
  /** What is said when it is done, after the name. */
  readonly done: string
  /** A part of the request that can be chosen. */
  readonly choice?: { readonly field: string; readonly flag: string; readonly values: readonly string[] }
}

const onPlaces: readonly (Named<NamedAction> & { readonly place: 'host' | 'storage' })[] = [
  {
    command: 'kill-host',
    action: 'killHost',
    place: 'host',
    description: "take a host's power: its machines stop, it answers no more",
    done: 'has no power any more',
  },
  {
    command: 'freeze-host',
    action: 'freezeHost',
    place: 'host',
    description: 'let a host answer no more while its machines run on',
    done: 'answers no more',
    choice: { field: 'requests', flag: '--requests <fate>', values: ['Lost', 'Queued'] },
  },
  {
    command: 'cut-off-host',
    action: 'cutOffHost',
    place: 'host',
    description: 'cut a host off from the control plane: it runs on, and its heartbeats go on',
    done: 'cannot be reached any more',
  },
  {
    command: 'revive-host',
    action: 'reviveHost',
    place: 'host',
    description: 'end a freeze, or give a host its power back',
    done: 'comes back',
  },
  {
    command: 'kill-power-controller',
    action: 'killPowerController',
    place: 'host',
    description: "let a host's power controller answer no more",
    done: 'has no power controller any more',
  },
  {
    command: 'revive-power-controller',
    action: 'revivePowerController',
    place: 'host',
    description: "let a host's power controller answer again",
    done: 'has its power controller back',
  },
  {
    command: 'cut-connections',
    action: 'cutConnections',
    place: 'host',
    description: 'break the connections to a host once: calls under way are in doubt',
    done: 'has lost its connections',
  },
  {
    command: 'reconnect-storages',
    action: 'reconnectStorages',
    place: 'host',
    description: 'let a host reach every storage again',
    done: 'reaches every storage again',
  },
  {
    command: 'kill-storage',
    action: 'killStorage',
    place: 'storage',
    description: 'let a pool or an image store answer no more',
    done: 'answers no more',
  },
  {
    command: 'freeze-storage',
    action: 'freezeStorage',
    place: 'storage',
    description: 'let a pool or an image store stall: calls hang, what runs with its disks runs on',
    done: 'answers no more',
    choice: { field: 'requests', flag: '--requests <fate>', values: ['Lost', 'Queued'] },
  },
  {
    command: 'revive-storage',
    action: 'reviveStorage',
    place: 'storage',
    description: 'let a pool or an image store answer again',
    done: 'answers again',
  },
  {
    command: 'add-foreign-machine',
    action: 'addForeignMachine',
    place: 'host',
    description: 'make a machine on a host that is not ours',
    done: 'has a foreign machine now',
  },
  {
    command: 'add-foreign-volume',
    action: 'addForeignVolume',
    place: 'storage',
    description: 'make a disk in a pool that is not ours',
    done: 'has a foreign disk now',
  },
]

const onMachines: readonly Named<MachineAction>[] = [
  {
    command: 'shutdown-guest',
    action: 'shutdownGuest',
    description: 'let a guest shut itself down',
    done: 'shuts itself down',
  },
  {
    command: 'crash-guest',
    action: 'crashGuest',
    description: 'let a guest crash',
    done: 'has crashed',
    choice: { field: 'leaves', flag: '--leaves <state>', values: ['Off', 'Crashed'] },
  },
  {
    command: 'ignore-acpi',
    action: 'ignoreACPI',
    description: 'let a guest not hear the power button',
    done: 'is set',
    choice: { field: 'ignores', flag: '--ignores <answer>', values: ['Yes', 'No'] },
  },
  {
    command: 'destroy-machine',
    action: 'destroyMachine',
    description: "take a machine's power behind the control plane's back",
    done: 'is off',
  },
  {
    command: 'pause-machine',
    action: 'pauseMachine',
    description: "stop a machine's processors behind the control plane's back",
    done: 'is paused',
  },
  {
    command: 'start-machine',
    action: 'startMachine',
    description: "start a machine behind the control plane's back",
    done: 'runs',
  },
  {
    command: 'remove-machine',
    action: 'removeMachine',
    description: "remove a machine behind the control plane's back; its disks stay",
    done: 'is gone',
  },
  {
    command: 'clear-router',
    action: 'clearRouter',
    description: 'let a virtual router forget its configuration',
    done: 'has forgotten its configuration',
  },
]

const count = wholeNumber(0)

type Choice = Readonly<Record<string, string>>

/** Adds `skystead sim …`: everything that can be done to the simulated world of a home. */
export function addSimCommands(program: Command): void {
  const sim = program.command('sim').description('See and disturb the simulated world of "skystead up".')

  function add(under: Command, usage: string, description: string): Command {
    return under
      .command(usage)
      .description(description)
      .option('--home <directory>', 'the home of "skystead up"', '.skystead')
      .addOption(outputOption())
  }

  add(sim, 'list', 'list hosts, machines, disks and storages').action(options => run({ action: 'list' }, '', options))
  add(sim, 'invariants', 'list breaches of what must always hold').action(options =>
    run({ action: 'invariants' }, '', options),
  )
  add(sim, 'counters', 'count the calls of the control plane').action(options =>
    run({ action: 'counters' }, '', options),
  )
  add(sim, 'journal', 'list what was done to the world, newest last')
    .option('--count <number>', 'how many entries', count, 100)
    .action(({ count, ...options }) => run({ action: 'journal', count }, '', options))
  for (const { command, action, place, description, done, choice } of onPlaces) {
    const added = add(sim, `${command} <${place}>`, description)
    if (choice !== undefined) added.addOption(new Option(choice.flag).choices(choice.values))
    added.action((name: string, options: SimOptions & Choice) =>
      run({ action, name, ...chosen(choice, options) }, `${name} ${done}`, options),
    )
  }
  add(
    sim,
    'cut-off-storage <host> <storage>',
    'take a storage out of the reach of a host: what runs there runs on, nothing with a disk in it starts there',
  ).action((name, storage, options) =>
    run({ action: 'cutOffStorage', name, storage }, `${name} cannot reach ${storage} any more`, options),
  )
  for (const { command, action, description, done, choice } of onMachines) {
    const added = add(sim, `${command} <machine>`, description).option(
      '--host <name>',
      'its host, where several have it',
    )
    if (choice !== undefined) added.addOption(new Option(choice.flag).choices(choice.values))
    added.action((machine: string, options: SimOptions & Choice) => {
      const host = options.host === undefined ? {} : { host: options.host }
      return run({ action, machine, ...host, ...chosen(choice, options) }, `${machine} ${done}`, options)
    })
  }
  add(sim, 'remove-volume <identity>', "destroy a disk behind the control plane's back").action((identity, options) =>
    run({ action: 'removeVolume', identity }, `${identity} is gone`, options),
  )
  const fault = sim.command('fault').description('Script what goes wrong when the control plane calls.')
  addFault(add(fault, 'add', 'let calls go wrong'))
  add(fault, 'list', 'list the faults that wait for their calls').action(options =>
    run({ action: 'faults' }, '', options),
  )
  add(fault, 'clear', 'take all faults back').action(options =>
    run({ action: 'clearFaults' }, 'All faults are taken back', options),
  )
}

/** `-o json`, as kubectl has it. */
export function outputOption(): Option {
  return new Option('-o, --output <format>', 'text for people, json for programs')
    .choices(['text', 'json'])
    .default('text')
}

interface FaultOptions extends SimOptions, Omit<Fault, 'times'> {
  readonly times?: number
}

function addFault(command: Command): void {
  command
    .requiredOption('--effect <effect>', 'Fail, LoseReply, Hang, Delay, Duplicate, WrongAnswer or Drop (events only)')
    .option('--verb <verb>', 'the operation, or Inventory, SignOfLife, Event or Migration; left out: every call')
    .option('--endpoint <name>', 'the host or storage; left out: all')
    .option('--identity <uuid>', 'the machine or disk; left out: all')
    .option('--times <number>', 'how many calls it meets, or "always" (default: 1)', times)
    .option('--skip <number>', 'how many calls pass first (default: 0)', count)
    .option('--probability <share>', 'the chance that a call is met, 0 to 1 (default: 1)', share)
    .option('--when <moment>', 'Before or After the effect on the world (default: Before)')
    .option('--code <code>', 'how a call fails, for Fail (default: Internal)')
    .option('--milliseconds <number>', 'how long, for Delay and Duplicate', count)
    .action(({ home, output, ...fault }: FaultOptions) =>
      run({ action: 'addFault', fault }, `${fault.effect} waits for its call`, { home, output }),
    )
}

function chosen(choice: Named<string>['choice'], options: Choice): Choice {
  const value = choice === undefined ? undefined : options[choice.field]
  return choice === undefined || value === undefined ? {} : { [choice.field]: value }
}

async function run(request: ControlRequest, done: string, { home, output }: SimOptions): Promise<void> {
  const { sim } = await import('./sim.ts')
  await sim(request, done, { home, output })
}

/** JSON has no infinity. */
function times(text: string): number {
  return text === 'always' ? Number.MAX_SAFE_INTEGER : count(text)
}
