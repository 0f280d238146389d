import { Counter, Gauge, Registry } from 'prom-client'

/** Values under their labels, read when somebody asks. */
export type Readings<Label extends string> = () => Iterable<readonly [labels: Record<Label, string>, value: number]>

/** Figures for Prometheus, of which nothing is kept here: each is read from where it is counted. */
export class Figures {
  readonly #registry = new Registry()

  /** The media type of `text`. */
  get contentType(): string {
    return this.#registry.contentType
  }

  /** A figure that only grows. */
  counter<Label extends string = never>(
    name: string,
    help: string,
    read: Readings<Label>,
    labels: readonly Label[] = [],
  ) {
    const counter: Counter<Label> = new Counter({
      name,
      help,
      labelNames: labels,
      registers: [this.#registry],
      collect: () => {
        counter.reset()
        for (const [under, value] of read()) counter.inc(under, value)
      },
    })
  }

  /** A figure that goes up and down. */
  gauge<Label extends string = never>(
    name: string,
    help: string,
    read: Readings<Label>,
    labels: readonly Label[] = [],
  ) {
    const gauge: Gauge<Label> = new Gauge({
      name,
      help,
      labelNames: labels,
      registers: [this.#registry],
      collect: () => {
        gauge.reset()
        for (const [under, value] of read()) gauge.set(under, value)
      },
    })
  }

  /** Everything in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }
}
