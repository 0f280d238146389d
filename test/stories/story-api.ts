/**
 * The API that stories run on: the embedded one, in this process and on virtual time; or a real one, where
 * SKYSTEAD_STORIES_KUBECONFIG names a kubeconfig. Virtual time stands still there while anything is under way.
 */
import { createAPIServer } from '../../apiserver/server.ts'
import { memoryLog } from '../../apiserver/storage/durable-log.ts'
import { realEnvironment } from '../../cli/environment.ts'
import { createClient } from '../../controllers/api/client.ts'
import { inProcessTransport } from '../../controllers/api/in-process-transport.ts'
import { kubernetesTransport } from '../../controllers/api/kubernetes-transport.ts'
import type { Transport } from '../../controllers/api/transport.ts'
import { flush, type VirtualEnvironment, virtualEnvironment } from '../../drivers/simulator/virtual-clock.ts'
import { empty } from './reference/empty.ts'
import { Traffic } from './reference/traffic.ts'

/** An API without any object. */
export interface StoryAPI {
  /** A way to it, for one client. */
  connect(): Transport
  /** Ends all ways to it. */
  close(): Promise<void>
}

const kubeconfig = process.env.SKYSTEAD_STORIES_KUBECONFIG

/** Whether two clouds of one seed come to be the same: a real API gives uids of its own. */
export const isRepeatable = kubeconfig === undefined

/** Virtual time and chance, and the API that goes with them. */
export function storyEnvironment(seed: number): {
  readonly environment: VirtualEnvironment
  openAPI(): Promise<StoryAPI>
} {
  if (kubeconfig === undefined) {
    const environment = virtualEnvironment(seed)
    return { environment, openAPI: () => environment.until(openEmbedded(environment)) as Promise<StoryAPI> }
  }
  const traffic = new Traffic()
  const environment = virtualEnvironment(seed, () => settled(traffic))
  // The server tells the time as it is.
  environment.shiftWall(Date.now() - environment.clock.now())
  return { environment, openAPI: () => openReal(kubeconfig, traffic) }
}

async function openEmbedded(environment: VirtualEnvironment): Promise<StoryAPI> {
  const server = await createAPIServer({ log: memoryLog(), environment })
  return {
    connect: () => inProcessTransport(request => server.handle(request)),
    close: () => environment.until(server.close()) as Promise<void>,
  }
}

async function openReal(path: string, traffic: Traffic): Promise<StoryAPI> {
  const open: Transport[] = []
  const connect = () => {
    const transport = kubernetesTransport({ kubeconfig: path, environment: realEnvironment() })
    open.push(transport)
    return traffic.through(transport)
  }
  await empty(createClient(connect()))
  return {
    connect,
    close: async () => {
      await Promise.all(open.map(transport => transport.close()))
    },
  }
}

/** How long a real API may take to tell what was written, in ms. */
const patience = 20_000

async function settled(traffic: Traffic): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const tooLong = new Promise<never>((_resolve, reject) => {
    const late = () => new Error(`The API does not tell what was written: ${traffic.late().join(', ')}`)
    timer = setTimeout(() => reject(late()), patience)
  })
  try {
    for (;;) {
      await flush()
      if (traffic.isIdle) return
      await Promise.race([traffic.change(), tooLong])
    }
  } finally {
    clearTimeout(timer)
  }
}
