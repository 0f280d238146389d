#!/usr/bin/env node
/** The `skystead` command. */
import { Command, InvalidArgumentError } from 'commander'
import { UserError } from './user-error.ts'

const program = new Command('skystead')
  .description('A cloud that is described: the control plane, and the tools around it.')
  .showHelpAfterError('(add --help for the options)')

program
  .command('up')
  .description('Run everything on this machine: the API, the controllers and a simulated world.')
  .option('--home <directory>', 'where everything that lasts is kept', '.skystead')
  .option('--port <number>', 'port of the API on 127.0.0.1; 0 takes any free one', port, 6443)
  .option('--metrics-port <number>', 'port of /metrics, /healthz and /readyz; 0 takes any free one', port, 0)
  .option('--no-quickstart', 'do not apply the example cloud at the first start')
  .option('--log-level <level>', 'debug, info, warn, error or silent', 'warn')
  .action(async options => (await import('./up.ts')).up(options))

program
  .command('controller')
  .description('Run the controllers against a Kubernetes API.')
  .requiredOption('--kubeconfig <file>', 'kubeconfig of the API')
  .option('--metrics-port <number>', 'port of /metrics, /healthz and /readyz; 0 takes any free one', port, 8080)
  .option('--log-level <level>', 'debug, info, warn, error or silent', 'info')
  .action(async options => (await import('./controller.ts')).controller(options))

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof UserError)) throw error
  process.stderr.write(`skystead: ${error.message}\n`)
  process.exitCode = 1
}

function port(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 0 && value <= 65_535) return value
  throw new InvalidArgumentError('It must be a whole number from 0 to 65535.')
}
