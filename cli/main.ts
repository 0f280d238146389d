/** The `skystead` command. */
import { Command, Option } from 'commander'
import { addAuditOptions, auditOptionsOf } from './audit-options.ts'
import { addLimitOptions, limitOptionsOf } from './limit-options.ts'
import { bytes, port, wholeNumber } from './option-values.ts'
import { addPlanOptions } from './plan/options.ts'
import { addRecordOptions, recordOptionsOf } from './record-options.ts'
import { addSimCommands, outputOption } from './sim-commands.ts'
import { tracesOption } from './trace-options.ts'
import { isMistake, oneLine } from './user-error.ts'

const logLevels = ['debug', 'info', 'warn', 'error', 'silent']

const program = new Command('skystead')
  .description('A cloud that is described: the control plane, and the tools around it.')
  .showHelpAfterError('(add --help for the options)')

addLimitOptions(addAuditOptions(addRecordOptions(program.command('up'))))
  .description('Run everything on this machine: the API, the controllers and a simulated world.')
  .option('--home <directory>', 'where everything that lasts is kept', '.skystead')
  .option('--port <number>', 'port of the API on 127.0.0.1; 0 takes any free one', port, 6443)
  .option('--metrics-port <number>', 'port of /metrics, /healthz and /readyz; 0 takes any free one', port, 0)
  .option('--query-port <number>', 'port of the query endpoint on 127.0.0.1; 0 takes any free one', port, 0)
  .option('--no-quickstart', 'do not apply the example cloud at the first start')
  .addOption(
    new Option('--storage-limit <quantity>', 'how large the objects of the API may become; then none is created')
      .argParser(bytes)
      .default(bytes('2Gi'), '2Gi'),
  )
  .addOption(tracesOption())
  .addOption(logLevelOption('warn'))
  .action(async options =>
    (await import('./up.ts')).up({
      ...options,
      audit: auditOptionsOf(options),
      limits: limitOptionsOf(options),
      records: recordOptionsOf(options),
    }),
  )

addRecordOptions(program.command('controller'))
  .description('Run the controllers against a Kubernetes API.')
  .option('--kubeconfig <file>', 'kubeconfig of the API; left out in a Pod: its service account')
  .option('--metrics-host <address>', 'address of /metrics, /healthz and /readyz', '127.0.0.1')
  .option('--metrics-port <number>', 'port of /metrics, /healthz and /readyz; 0 takes any free one', port, 8080)
  .option('--query-host <address>', 'address of the query endpoint, which "skystead plan" asks', '127.0.0.1')
  .option('--query-port <number>', 'port of the query endpoint; 0 takes any free one', port, 0)
  .addOption(tracesOption())
  .addOption(logLevelOption('info'))
  .action(async options =>
    (await import('./controller.ts')).controller({ ...options, records: recordOptionsOf(options) }),
  )

withApi(program.command('status'))
  .description('Show the cloud from zones to machines, what is not ready, and why.')
  .option('-w, --watch', 'go on: live in a terminal, a line for each change elsewhere', false)
  .addOption(outputOption())
  .action(async options => (await import('./status.ts')).status(options))

withApi(program.command('inventory'))
  .description('Show what exists outside and is no object: leftovers of ours, and what is not ours.')
  .option('--host <name>', 'only at this host')
  .option('--storage <name>', 'only in this pool or image store')
  .addOption(outputOption())
  .action(async options => (await import('./inventory.ts')).inventory(options))

withApi(program.command('explain'))
  .description('Tell why an object is or is not Ready: what it waits for, what was done, when it is tried again.')
  .argument('<kind>', 'as kubectl takes it: vm, host, Volume ...')
  .argument('<name>', 'name of the object')
  .option('-n, --namespace <namespace>', 'its namespace, where its kind has one', 'default')
  .addOption(outputOption())
  .action(async (kind, name, options) => (await import('./explain.ts')).explain(kind, name, options))

withApi(program.command('operations'))
  .description('List what was done to the outside: by whom wanted, where, when, and how it ended.')
  .option('--object <object>', 'only for this one: KIND/NAMESPACE/NAME, or KIND/NAME')
  .option('--since <duration>', 'how far to look back, for example 1h')
  .option('--events', 'the events that were told as well', false)
  .option('--limit <number>', 'the last so many', wholeNumber(1, 10_000), 200)
  .addOption(outputOption())
  .action(async options => (await import('./operations.ts')).operations(options))

addPlanOptions(withApi(program.command('plan')))
  .description('Show what applying manifests would do, without doing it. Exit code 2: something, 0: nothing.')
  .action(async options => (await import('./plan/command.ts')).plan(options))

withApi(program.command('adopt'))
  .description('Write the manifests by which machines that run without us are taken over as they are.')
  .option('-n, --namespace <name>', 'namespace of their objects')
  .option('--host <name>', 'only machines of this host')
  .option('--machine <identity or name...>', 'only these machines')
  .option('-d, --directory <directory>', 'write a file for each machine; left out: standard output')
  .option('--rebind', 'instead give each object in IdentityConflict the identity that its namesake outside has')
  .option('-y, --yes', 'do not ask', false)
  .action(async options => (await import('./adopt.ts')).adopt(options))

withApi(program.command('trash'))
  .description('Show the disks of deleted volumes that can be taken back, or take one back.')
  .option('--restore <identity>', 'the disk to take back: a Volume takes it over')
  .option('--as <name>', 'the name of that Volume; left out: the one that it had')
  .action(async options => (await import('./trash.ts')).trash(options))

program
  .command('backup')
  .description('Write the state of a home into a file, whether "skystead up" runs there or not. It holds all secrets.')
  .argument('<file>', 'the file; it must not exist')
  .option('--home <directory>', 'the home of "skystead up"', '.skystead')
  .action(async (file, options) => {
    process.stdout.write(await (await import('./backup.ts')).backup(file, options))
  })

program
  .command('restore')
  .description('Make a home of a backup. Machines and disks get the place where they are found.')
  .argument('<file>', 'what "skystead backup" has written')
  .requiredOption('--home <directory>', 'an empty directory, or one that is not there')
  .option('--replace', 'put the objects of a home that is not empty aside', false)
  .action(async (file, options) => {
    process.stdout.write(await (await import('./restore.ts')).restore(file, options))
  })

addSimCommands(program)

// Whoever reads has seen enough: `skystead status | head`.
process.stdout.on('error', error => process.exit('code' in error && error.code === 'EPIPE' ? 0 : 1))

try {
  await program.parseAsync()
} catch (thrown) {
  // Where ending the parts failed as well, what came first is what matters.
  const error = thrown instanceof SuppressedError ? thrown.suppressed : thrown
  process.stderr.write(`skystead: ${oneLine(error)}\n`)
  if (isMistake(error) && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  process.exitCode = 1
}

function withApi(command: Command): Command {
  return command
    .option('--home <directory>', 'the home of "skystead up"')
    .option('--kubeconfig <file>', 'kubeconfig of the API; left out: $KUBECONFIG, else .skystead, else ~/.kube/config')
    .option('--context <name>', 'context of the kubeconfig; left out: its current one')
}

function logLevelOption(level: string): Option {
  return new Option('--log-level <level>', 'what is logged to standard error').choices(logLevels).default(level)
}
